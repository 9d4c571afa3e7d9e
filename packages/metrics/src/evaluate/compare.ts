import { ArgumentError } from "@refadgen/errors";
import type { Direction, MetricName } from "../metrics/contract.js";
import type { PairedTest } from "../statistics/paired-test.js";
import { EvaluationError } from "./error.js";
import type { EvaluatedMetric, Evaluation } from "./evaluation.js";
import { pairScores, testPairs } from "./significance.js";

export interface CompareOptions {
  /** Significance level after Holm's correction. Default 0.05. */
  readonly alpha?: number;
  /** Of the resamples. Default 0. */
  readonly seed?: number;
}

/** Two evaluations side by side. */
export interface Comparison {
  readonly format: "refadgen-metrics-comparison";
  readonly version: 1;
  readonly a: { readonly label: string; readonly createdAt: string };
  readonly b: { readonly label: string; readonly createdAt: string };
  readonly alpha: number;
  readonly metrics: readonly ComparedMetric[];
  /** Metrics that only one report has. */
  readonly onlyA: readonly MetricName[];
  readonly onlyB: readonly MetricName[];
}

export interface ComparedMetric {
  readonly metric: MetricName;
  readonly direction: Direction;
  readonly recipe: string;
  readonly a: number;
  readonly b: number;
  /** b − a, of the values. */
  readonly difference: number;
  /** Only for metrics with scores per picture, and at least two pictures in both reports. */
  readonly test?: PairedTest & {
    /** Holm's, over all metrics that are tested. */
    readonly adjustedPValue: number;
  };
  /** Pictures that only one report has a score for. */
  readonly unpaired: { readonly a: number; readonly b: number };
  /** `better`, `worse`: B against A, significant at alpha. `unclear`: tested, and not significant. `untested`: no scores per picture. */
  readonly verdict: "better" | "worse" | "unclear" | "untested";
}

/**
 * Compares two models that were judged on the same pictures. The test is paired: it looks at each picture's difference.
 *
 * @throws EvaluationError `report` when recipes, settings or weights differ, or no metric is in both; ArgumentError
 */
export async function compare(a: Evaluation, b: Evaluation, { alpha = 0.05, seed = 0 }: CompareOptions = {}): Promise<Comparison> {
  if (!(alpha > 0 && alpha < 1)) throw new ArgumentError(`compare: expected alpha between 0 and 1, got ${alpha}`);
  const shared = a.metrics.flatMap((first) => {
    const second = b.metrics.find(({ metric }) => metric === first.metric);
    return second ? [[first, second] as const] : [];
  });
  const names = (evaluation: Evaluation) => evaluation.metrics.map(({ metric }) => metric);
  if (shared.length === 0)
    throw new EvaluationError("report", `the reports have no metric in common: ${names(a).join(", ")} there, ${names(b).join(", ")} here`);
  const reasons = shared.flatMap(([first, second]) => differences(first, second).map((difference) => `${first.metric}: ${difference}`));
  if (reasons.length > 0)
    throw new EvaluationError("report", `the reports were made in different ways and cannot be compared: ${reasons.join("; ")}`);

  const tested = await Promise.all(
    shared.map(async ([first, second]) => {
      const pairs = pairScores(first, second);
      return { first, second, pairs, test: await testPairs(pairs, { seed, level: 1 - alpha }) };
    }),
  );
  const adjusted = holm(tested.flatMap(({ test }) => (test ? [test.pValue] : [])));
  let next = 0;
  return {
    format: "refadgen-metrics-comparison",
    version: 1,
    a: { label: a.label, createdAt: a.createdAt },
    b: { label: b.label, createdAt: b.createdAt },
    alpha,
    metrics: tested.map(({ first, second, pairs, test }): ComparedMetric => {
      const adjustedPValue = test ? adjusted[next++]! : Number.NaN;
      const significant = adjustedPValue < alpha && test!.meanDifference !== 0;
      return {
        metric: first.metric,
        direction: first.direction,
        recipe: first.recipe,
        a: first.value,
        b: second.value,
        difference: second.value - first.value,
        ...(test && { test: { ...test, adjustedPValue } }),
        unpaired: { a: pairs.onlyA.length, b: pairs.onlyB.length },
        verdict: !test ? "untested" : !significant ? "unclear" : test.meanDifference > 0 === (first.direction === "higher") ? "better" : "worse",
      };
    }),
    onlyA: names(a).filter((metric) => !names(b).includes(metric)),
    onlyB: names(b).filter((metric) => !names(a).includes(metric)),
  };
}

/** Why values of the two must not be compared; empty when they may. */
export function differences(first: EvaluatedMetric, second: EvaluatedMetric): string[] {
  const found: string[] = [];
  const note = (what: string, one: unknown, other: unknown) => {
    if (one !== other) found.push(`${what} ${String(one ?? "absent")} there, ${String(other ?? "absent")} here`);
  };
  note("recipe", first.recipe, second.recipe);
  for (const key of new Set([...Object.keys(first.settings), ...Object.keys(second.settings)])) note(key, first.settings[key], second.settings[key]);
  const keys = ({ networks }: EvaluatedMetric) => networks.map(({ name, key }) => `${name} ${key.slice(0, 12)}`).join(" + ");
  note("weights", keys(first), keys(second));
  return found;
}

/** Holm's step-down correction: p-values that keep the chance of any false alarm among all of them. */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((_, index) => index).sort((i, j) => pValues[i]! - pValues[j]!);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  for (const [rank, index] of order.entries()) {
    least = Math.max(least, Math.min(1, pValues[index]! * (pValues.length - rank)));
    adjusted[index] = least;
  }
  return adjusted;
}
