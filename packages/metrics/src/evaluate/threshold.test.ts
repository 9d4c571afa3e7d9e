import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import type { MetricResult } from "../metrics/contract.js";
import { judgeThreshold, parseThreshold, quantityOf } from "./threshold.js";

describe("parseThreshold", () => {
  it.each([
    ["lpips<0.6", { metric: "lpips", quantity: "value", operator: "<", limit: 0.6 }],
    [" clip-score >= 30 ", { metric: "clip-score", quantity: "value", operator: ">=", limit: 30 }],
    ["precision-recall.recall>.4", { metric: "precision-recall", quantity: "recall", operator: ">", limit: 0.4 }],
    ["kid<=-1.5e-3", { metric: "kid", quantity: "value", operator: "<=", limit: -0.0015 }],
    ["ssim.min≥0.9", { metric: "ssim", quantity: "min", operator: ">=", limit: 0.9 }],
  ])("reads %j", (text, expected) => {
    expect(parseThreshold(text)).toEqual({ ...expected, rule: text.trim() });
  });

  it.each([
    "",
    "lpips",
    "lpips<",
    "<0.6",
    "lpips=0.6",
    "lpips<<1",
    "lpips<0.6 0.7",
    "lpips<0,6",
    "lpips<NaN",
    "lpips<1e999",
    "lips<0.6",
    "LPIPS<0.6",
    "lpips.<1",
    "fid<50%",
  ])("refuses %j", (text) => {
    expect(() => parseThreshold(text)).toThrow(ArgumentError);
  });

  it("names the metrics that there are", () => {
    expect(() => parseThreshold("lips<0.6")).toThrow(/expected one of .*lpips.*got "lips"/);
  });
});

const result: MetricResult = {
  ...{
    metric: "lpips",
    recipe: "lpips",
    settings: {},
    value: 0.5,
    direction: "lower",
    n: 4,
    counts: { pairs: 4 },
    details: { std: 0.2 },
    skipped: [],
    warnings: [],
  },
  perImage: [0.7, 0.1, Number.NaN, 0.6, 0.6].map((value, index) => ({ name: String(index), value })),
  interval: { low: 0.4, high: 0.6, level: 0.95, method: "bootstrap", resamples: 10, seed: 0 },
};

describe("judgeThreshold", () => {
  it.each([
    ["lpips<0.6", true],
    ["lpips<0.5", false],
    ["lpips<=0.5", true],
    ["lpips>0.5", false],
    ["lpips>=0.5", true],
    ["lpips.high<0.6", false],
    ["lpips.high<=0.6", true],
    ["lpips.min<0.2", true],
    ["lpips.max<0.7", false],
    ["lpips.median<0.61", true],
    ["lpips.n>=4", true],
    ["lpips.std<0.3", true],
  ])("%s: %s", (rule, passed) => {
    expect(judgeThreshold(parseThreshold(rule), result)).toMatchObject({ kind: "threshold", passed, rule });
  });

  it("takes the median of what is defined", () => {
    expect(quantityOf(result, "median")).toBe(0.6);
  });

  it("never passes what is not a number, in either direction", () => {
    for (const rule of ["lpips<1", "lpips>0", "lpips<=1", "lpips>=0"]) {
      expect(judgeThreshold(parseThreshold(rule), { ...result, value: Number.NaN }).passed).toBe(false);
    }
  });

  it("refuses a quantity that the result does not have, and lists those that it has", () => {
    expect(() => quantityOf(result, "recall")).toThrow(/expected one of high, low, max, median, min, n, std, value, got "recall"/);
    expect(() => quantityOf(result, "toString")).toThrow(ArgumentError);
  });
});
