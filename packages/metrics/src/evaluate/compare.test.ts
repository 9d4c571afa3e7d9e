import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { metricOf, sampleEvaluation } from "../report/evaluation.test-support.js";
import { compare, holm } from "./compare.js";
import { EvaluationError } from "./error.js";
import type { EvaluatedMetric, Evaluation } from "./evaluation.js";
import { pairScores } from "./significance.js";

const reportOf = (...metrics: readonly EvaluatedMetric[]): Evaluation => ({ ...sampleEvaluation([]), metrics });
const scores = (values: readonly number[], extension = "png") => values.map((value, index) => ({ name: `${index}.${extension}`, value }));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const scored = (metric: "lpips" | "clip-score", values: readonly number[], extension?: string) =>
  metricOf(metric, mean(values), metric === "lpips" ? "lower" : "higher", { perImage: scores(values, extension), n: values.length });

const base = Array.from({ length: 30 }, (_, index) => 0.5 + 0.3 * Math.sin(index));

describe("pairScores", () => {
  it("pairs by name without extension, and counts what only one has", () => {
    const pairs = pairScores(scored("lpips", [1, 2, Number.NaN]), { ...scored("lpips", [3, 4, 5, 6], "webp") });
    expect([pairs.a, pairs.b, pairs.onlyA, pairs.onlyB]).toEqual([[1, 2], [3, 4], [], ["2", "3"]]);
  });

  it("keeps the pairs of several references apart", () => {
    const perImage = [
      { name: "a.png [1]", value: 1 },
      { name: "a.png [2]", value: 2 },
    ];
    const metric = metricOf("lpips", 1.5, "lower", { perImage });
    expect(pairScores(metric, metric).names).toEqual(["a [1]", "a [2]"]);
  });
});

describe("compare", () => {
  it("finds a small difference that every picture shows, in the metric's direction", async () => {
    const [a, b] = [base, base.map((value, index) => value - 0.02 + 0.005 * Math.cos(index))];
    const { metrics } = await compare(reportOf(scored("lpips", a), scored("clip-score", a)), reportOf(scored("lpips", b), scored("clip-score", b)));
    expect(metrics.map(({ metric, verdict }) => [metric, verdict])).toEqual([
      ["lpips", "better"],
      ["clip-score", "worse"],
    ]);
    const [lpips] = metrics;
    expect(lpips!.test!.pairs).toBe(30);
    expect(lpips!.test!.meanDifference).toBeCloseTo(mean(b) - mean(a), 12);
    expect(lpips!.test!.low).toBeLessThan(lpips!.test!.meanDifference);
    expect(lpips!.test!.high).toBeGreaterThan(lpips!.test!.meanDifference);
    expect(lpips!.test!.high).toBeLessThan(0);
    expect(lpips!.test!.pValue).toBeLessThan(0.001);
    expect(lpips!.test!.adjustedPValue).toBeGreaterThanOrEqual(lpips!.test!.pValue);
  });

  it("takes chance for chance, and equal scores for equal", async () => {
    const noisy = base.map((value, index) => value + 0.2 * Math.sin(17.3 * index + 1));
    const shifted = noisy.map((value) => value - (mean(noisy) - mean(base)) + 0.001);
    expect((await compare(reportOf(scored("lpips", base)), reportOf(scored("lpips", shifted)))).metrics[0]!.verdict).toBe("unclear");
    const same = (await compare(reportOf(scored("lpips", base)), reportOf(scored("lpips", base)))).metrics[0]!;
    expect([same.verdict, same.difference, same.test?.pValue]).toEqual(["unclear", 0, 1]);
  });

  it("is repeatable", async () => {
    const other = base.map((value, index) => value + 0.01 * Math.sin(3 * index));
    const run = (seed: number) => compare(reportOf(scored("lpips", base)), reportOf(scored("lpips", other)), { seed });
    expect(await run(3)).toEqual(await run(3));
  });

  it("does not test metrics of whole sets, and lists metrics of one report", async () => {
    const fid = (value: number) => metricOf("fid", value, "lower");
    const { metrics, onlyA, onlyB } = await compare(reportOf(fid(50), metricOf("kid", 1, "lower")), reportOf(fid(40), metricOf("ssim", 1, "higher")));
    expect(metrics).toMatchObject([{ metric: "fid", difference: -10, verdict: "untested" }]);
    expect([metrics[0]!.test, onlyA, onlyB]).toEqual([undefined, ["kid"], ["ssim"]]);
  });

  it("refuses what cannot be compared", async () => {
    const [a, b] = [
      reportOf(scored("lpips", base)),
      reportOf({ ...scored("lpips", base), recipe: "lpips", networks: [{ name: "net", key: "other" }] }),
    ];
    await expect(compare(a, b)).rejects.toThrow(EvaluationError);
    await expect(compare(a, b)).rejects.toThrow(
      /lpips: recipe torchmetrics there, lpips here; lpips: weights net 0123456789ab there, net other here/,
    );
    await expect(compare(a, reportOf(metricOf("fid", 1, "lower")))).rejects.toThrow(/no metric in common/);
    await expect(compare(a, a, { alpha: 0 })).rejects.toThrow(ArgumentError);
  });
});

describe("holm", () => {
  it("is the step-down correction", () => {
    // Sorted .01 ×4, .02 ×3, .03 ×2, .5 ×1; never below an earlier one.
    expect(holm([0.03, 0.01, 0.5, 0.02])).toEqual([0.06, 0.04, 0.5, 0.06]);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});
