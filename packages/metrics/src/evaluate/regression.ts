import { ArgumentError } from "@refadgen/errors";
import { type MetricName, metricNames } from "../metrics/contract.js";
import { differences } from "./compare.js";
import { EvaluationError } from "./error.js";
import type { EvaluatedMetric, Evaluation, Gate, HistoryEntry } from "./evaluation.js";

/** How much worse than the baseline a metric may be. */
export interface RegressionLimit {
  /** Absent: every metric without a limit of its own. */
  readonly metric?: MetricName;
  readonly amount: number;
  /** Whether `amount` is a share of the baseline's absolute value, else it is in the metric's own unit. */
  readonly relative: boolean;
  /** As it was written. */
  readonly rule: string;
}

const form = /^\s*(?:([a-z][a-z-]*)\s*[=:]\s*)?(\d+\.?\d*|\.\d+)\s*(%?)\s*$/;

/**
 * Reads `2%`, `0.01`, or one metric's own limit `fid=5%`.
 *
 * @throws ArgumentError for anything else; limits below zero do not exist
 */
export function parseRegression(text: string): RegressionLimit {
  const [, metric, number, percent] = form.exec(text) ?? [];
  if (number === undefined)
    throw new ArgumentError(`parseRegression: expected a share such as 2%, an amount such as 0.01, or METRIC=2%, got ${JSON.stringify(text)}`);
  if (metric !== undefined && !(metricNames as readonly string[]).includes(metric))
    throw new ArgumentError(`parseRegression: expected one of ${metricNames.join(", ")}, got "${metric}"`);
  const relative = percent === "%";
  return {
    ...(metric !== undefined && { metric: metric as MetricName }),
    amount: Number(number) / (relative ? 100 : 1),
    relative,
    rule: text.trim(),
  };
}

/** The p-value of a two-sided test of paired scores; undefined when there is nothing to pair. */
export type PValue = (a: EvaluatedMetric, b: EvaluatedMetric) => Promise<number | undefined>;

export interface RegressionOptions {
  readonly limits: readonly RegressionLimit[];
  /** A regression counts only when its p-value is below this; metrics without scores per picture count always. Default: counts always. */
  readonly significance?: number;
  readonly test: PValue;
}

/**
 * Judges a metric against an earlier report. Undefined when the report does not have the metric, or no limit is meant for it.
 *
 * @throws EvaluationError `baseline` when the report's value was computed in another way and the two cannot be compared
 */
export async function judgeRegression(result: EvaluatedMetric, baseline: Evaluation, options: RegressionOptions): Promise<Gate | undefined> {
  const limit = limitFor(result.metric, options.limits);
  const earlier = baseline.metrics.find(({ metric }) => metric === result.metric);
  if (!limit || !earlier) return undefined;
  expectComparable(earlier, result);
  const sign = result.direction === "higher" ? 1 : -1;
  const allowed = earlier.value - sign * (limit.relative ? limit.amount * Math.abs(earlier.value) : limit.amount);
  // Written so that what is not a number fails; equal pictures have an infinite PSNR in both.
  const within = result.value === earlier.value || (sign > 0 ? result.value >= allowed : result.value <= allowed);
  const pValue = await options.test(earlier, result);
  const excused = !within && options.significance !== undefined && pValue !== undefined && pValue >= options.significance;
  const change = result.value - earlier.value;
  const share = earlier.value === 0 || !Number.isFinite(change / earlier.value) ? "" : ` (${signed((100 * change) / Math.abs(earlier.value))} %)`;
  const chance =
    pValue === undefined ? "" : `; p = ${pValue < 0.001 ? "less than 0.001" : format(pValue)}${excused ? ", which is not significant" : ""}`;
  const message =
    `${result.metric} went from ${format(earlier.value)} to ${format(result.value)}${share}; ` +
    `${limit.rule.replace(/^.*[=:]/, "")} for the worse is allowed${earlier.n === result.n ? "" : `; n was ${earlier.n} and is ${result.n}`}${chance}`;
  return {
    kind: "regression",
    metric: result.metric,
    quantity: "value",
    rule: limit.rule,
    actual: result.value,
    limit: allowed,
    baseline: earlier.value,
    ...(pValue !== undefined && { pValue }),
    passed: within || excused,
    message,
  };
}

/** Refuses to compare values of different recipes, settings or networks. */
function expectComparable(earlier: EvaluatedMetric, now: EvaluatedMetric): void {
  const reasons = differences(earlier, now);
  if (reasons.length > 0) {
    throw new EvaluationError(
      "baseline",
      `${now.metric}: the baseline's value was computed in another way (${reasons.join("; ")}). Make a new baseline, or use its recipe and weights`,
    );
  }
}

function limitFor(metric: MetricName, limits: readonly RegressionLimit[]): RegressionLimit | undefined {
  return limits.findLast((limit) => limit.metric === metric) ?? limits.findLast((limit) => limit.metric === undefined);
}

/** What the next report remembers: all that the baseline remembered, and the baseline. */
export function historyAfter(baseline: Evaluation, { longest = 50 }: { readonly longest?: number } = {}): readonly HistoryEntry[] {
  const values = Object.fromEntries(baseline.metrics.map(({ metric, value }) => [metric, value]));
  return [...baseline.history, { label: baseline.label, createdAt: baseline.createdAt, values }].slice(-longest);
}

function signed(value: number): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${format(Math.abs(value))}`;
}

function format(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}
