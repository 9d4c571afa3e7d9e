import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import type { Direction, MetricName } from "../metrics/contract.js";
import { EvaluationError } from "./error.js";
import type { EvaluatedMetric, Evaluation } from "./evaluation.js";
import { historyAfter, judgeRegression, parseRegression } from "./regression.js";

function metricOf(metric: MetricName, value: number, direction: Direction, more: Partial<EvaluatedMetric> = {}): EvaluatedMetric {
  const rest = { recipe: "r", settings: { level: 2048 }, n: 3, counts: {}, details: {}, skipped: [], warnings: [] };
  return { metric, value, direction, ...rest, networks: [{ name: "net", key: "k1" }], seconds: 0, cached: 0, ...more };
}

function reportOf(metrics: readonly EvaluatedMetric[], label = "earlier"): Evaluation {
  return {
    ...{ format: "refadgen-metrics", version: 1, createdAt: "2030-01-01T00:00:00.000Z", tool: { name: "@refadgen/metrics", version: "0" }, label },
    ...{
      inputs: {},
      counts: {},
      metrics,
      notRun: [],
      gates: [],
      passed: true,
      unmatched: [],
      skipped: [],
      items: [],
      history: [],
      warnings: [],
      seconds: 1,
    },
  };
}

const judge = (now: EvaluatedMetric, before: EvaluatedMetric, limits: readonly string[], p?: number, significance?: number) =>
  judgeRegression(now, reportOf([before]), {
    limits: limits.map(parseRegression),
    test: async () => p,
    ...(significance !== undefined && { significance }),
  });

describe("parseRegression", () => {
  it.each([
    ["2%", { amount: 0.02, relative: true }],
    ["0.01", { amount: 0.01, relative: false }],
    ["fid=5 %", { metric: "fid", amount: 0.05, relative: true }],
    ["lpips:.5", { metric: "lpips", amount: 0.5, relative: false }],
    ["0", { amount: 0, relative: false }],
  ])("reads %j", (text, expected) => {
    expect(parseRegression(text)).toEqual({ ...expected, rule: text });
  });

  it.each(["", "-2%", "two", "2%%", "fod=2%", "fid=", "NaN"])("refuses %j", (text) => {
    expect(() => parseRegression(text)).toThrow(ArgumentError);
  });
});

describe("judgeRegression", () => {
  it.each([
    // lower is better: 50 + 2 % = 51
    ["fid", "lower", 50, 51, true],
    ["fid", "lower", 50, 51.01, false],
    ["fid", "lower", 50, 10, true],
    // higher is better: 30 − 2 % = 29.4
    ["clip-score", "higher", 30, 29.4, true],
    ["clip-score", "higher", 30, 29.3, false],
    ["clip-score", "higher", 30, 40, true],
    // below zero the share is of the absolute value: −0.5 − 0.01
    ["image-reward", "higher", -0.5, -0.51, true],
    ["image-reward", "higher", -0.5, -0.52, false],
    // nothing is a share of zero
    ["kid", "lower", 0, 1e-9, false],
    ["kid", "lower", 0, 0, true],
    ["psnr", "higher", 30, Number.NaN, false],
    ["psnr", "higher", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true],
    ["psnr", "higher", Number.POSITIVE_INFINITY, 50, false],
  ] as const)("%s (%s is better) from %d to %d: %s", async (metric, direction, before, now, passed) => {
    expect((await judge(metricOf(metric, now, direction), metricOf(metric, before, direction), ["2%"]))?.passed).toBe(passed);
  });

  it("prefers a metric's own limit, takes absolute ones, and judges nothing without any", async () => {
    const [now, before] = [metricOf("fid", 52, "lower"), metricOf("fid", 50, "lower")];
    expect((await judge(now, before, ["fid=5%", "2%"]))?.passed).toBe(true);
    expect(await judge(now, before, ["2"])).toMatchObject({ passed: true, limit: 52, baseline: 50 });
    expect((await judge(now, before, ["1.9"]))?.passed).toBe(false);
    expect(await judge(now, before, ["lpips=1%"])).toBeUndefined();
    expect(
      await judgeRegression(metricOf("lpips", 1, "lower"), reportOf([before]), { limits: [parseRegression("2%")], test: async () => undefined }),
    ).toBeUndefined();
  });

  it("excuses what is not significant only when asked to, and only where there is a test", async () => {
    const [now, before] = [metricOf("lpips", 0.6, "lower"), metricOf("lpips", 0.5, "lower")];
    expect(await judge(now, before, ["2%"], 0.3)).toMatchObject({ passed: false, pValue: 0.3 });
    expect((await judge(now, before, ["2%"], 0.3, 0.05))?.passed).toBe(true);
    expect((await judge(now, before, ["2%"], 0.01, 0.05))?.passed).toBe(false);
    expect((await judge(now, before, ["2%"], undefined, 0.05))?.passed).toBe(false);
  });

  it.each([
    ["recipe", { recipe: "other" }, /recipe r there, other here/],
    ["settings", { settings: { level: 64 } }, /level 2048 there, 64 here/],
    ["a setting that one does not have", { settings: {} }, /level 2048 there, absent here/],
    ["weights", { networks: [{ name: "net", key: "k2" }] }, /weights net k1 there, net k2 here/],
  ] as const)("refuses a baseline of another %s", async (_, more, message) => {
    const act = judge(metricOf("fid", 50, "lower", more), metricOf("fid", 50, "lower"), ["2%"]);
    await expect(act).rejects.toThrow(EvaluationError);
    await expect(act).rejects.toThrow(message);
  });
});

describe("historyAfter", () => {
  it("appends the baseline and forgets the oldest", () => {
    let report = reportOf([metricOf("fid", 1, "lower")], "run 1");
    for (let run = 2; run <= 5; run++)
      report = { ...reportOf([metricOf("fid", run, "lower")], `run ${run}`), history: historyAfter(report, { longest: 3 }) };
    expect(historyAfter(report, { longest: 3 }).map(({ label, values }) => [label, values.fid])).toEqual([
      ["run 3", 3],
      ["run 4", 4],
      ["run 5", 5],
    ]);
  });
});
