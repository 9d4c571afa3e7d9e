import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { sampleEvaluation } from "../report/evaluation.test-support.js";
import { EvaluationError } from "./error.js";
import { evaluationFromJson, evaluationToJson, readEvaluation } from "./evaluation-json.js";
import { temporaryFolder } from "./fixture-images.test-support.js";

describe("the JSON report", () => {
  it("comes back as it was, numbers that JSON has no word for included", () => {
    const evaluation = sampleEvaluation();
    const text = evaluationToJson(evaluation);
    expect(text).toContain('"value": "Infinity"');
    expect(evaluationFromJson(text)).toEqual(evaluation);
  });

  it("is as the schema says", async () => {
    const schema = JSON.parse(await readFile(new URL("../../schema/evaluation.schema.json", import.meta.url), "utf8")) as object;
    const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true }).compile(schema);
    const report = JSON.parse(evaluationToJson(sampleEvaluation())) as Record<string, unknown>;
    expect([validate(report), validate.errors]).toEqual([true, null]);
    expect(validate({ ...report, metrics: [{ metric: "lpips", value: null }] })).toBe(false);
    expect(validate({ ...report, version: 2 })).toBe(false);
  });

  const change = (edit: (report: Record<string, never>) => void) => {
    const report = JSON.parse(evaluationToJson(sampleEvaluation())) as Record<string, never>;
    edit(report);
    return JSON.stringify(report);
  };
  it.each([
    ["no JSON", "{", /not JSON/],
    ["another JSON", "{}", /expected a report of refadgen-metrics/],
    ["a list", "[]", /expected an object/],
    ["a newer version", change((report) => Object.assign(report, { version: 2 })), /expected version 1, got 2/],
    ["no metrics", change((report) => Object.assign(report, { metrics: 5 })), /expected metrics to be a list, got 5/],
    ["an unknown metric", change(({ metrics }) => Object.assign(metrics[0]!, { metric: "fod" })), /metrics\[0\]\.metric to be one of .*got "fod"/],
    ["a value that is none", change(({ metrics }) => Object.assign(metrics[1]!, { value: null })), /metrics\[1\]\.value to be a number, got null/],
    ["a score that is none", change(({ metrics }) => Object.assign(metrics[0]!, { perImage: [{ name: "a", value: "x" }] })), /perImage\[0\]\.value/],
    ["no direction", change(({ metrics }) => Object.assign(metrics[0]!, { direction: "up" })), /"lower" or "higher", got "up"/],
    [
      "half a history",
      change((report) => Object.assign(report, { history: [{ label: "x", createdAt: "y" }] })),
      /history\[0\]\.values to be an object/,
    ],
  ])("refuses %s, and says where", (_, text, message) => {
    expect(() => evaluationFromJson(text, "baseline x.json")).toThrow(EvaluationError);
    expect(() => evaluationFromJson(text, "baseline x.json")).toThrow(message);
    expect(() => evaluationFromJson(text, "baseline x.json")).toThrow(/^baseline x\.json: /);
  });

  it("is read from a file", async () => {
    const path = join(await temporaryFolder(), "report.json");
    await writeFile(path, evaluationToJson(sampleEvaluation()));
    expect(await readEvaluation(path)).toEqual(sampleEvaluation());
    await expect(readEvaluation(`${path}.gone`, "baseline")).rejects.toThrow(/^baseline: .*cannot be read/);
  });
});
