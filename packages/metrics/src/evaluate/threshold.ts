import { ArgumentError } from "@refadgen/errors";
import { type MetricName, type MetricResult, metricNames } from "../metrics/contract.js";
import type { Gate } from "./evaluation.js";

export type ThresholdOperator = "<" | "<=" | ">" | ">=";

/** `lpips<0.6`, taken apart. */
export interface Threshold {
  readonly metric: MetricName;
  /** `value`; a detail of the metric (`recall`, `std`, …); or `low`, `high` (ends of the interval), `min`, `max`, `median`, `n`. */
  readonly quantity: string;
  readonly operator: ThresholdOperator;
  readonly limit: number;
  /** As it was written. */
  readonly rule: string;
}

const form = /^\s*([a-z][a-z-]*)(?:\.([A-Za-z][\w-]*))?\s*(<=|>=|<|>|≤|≥)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*$/;

/**
 * Reads `METRIC[.QUANTITY] OPERATOR NUMBER`: `lpips<0.6`, `precision-recall.recall >= .4`, `lpips.high < 0.6`. It says what has to hold.
 *
 * @throws ArgumentError for anything else, and for metrics that do not exist
 */
export function parseThreshold(text: string): Threshold {
  const [, metric, quantity = "value", sign, number] = form.exec(text) ?? [];
  if (metric === undefined || sign === undefined || number === undefined) {
    throw new ArgumentError(`parseThreshold: expected METRIC, one of < <= > >=, and a number, as in lpips<0.6, got ${JSON.stringify(text)}`);
  }
  if (!(metricNames as readonly string[]).includes(metric)) {
    throw new ArgumentError(`parseThreshold: expected one of ${metricNames.join(", ")}, got "${metric}" in ${JSON.stringify(text)}`);
  }
  const operator = sign === "≤" ? "<=" : sign === "≥" ? ">=" : (sign as ThresholdOperator);
  const limit = Number(number);
  if (!Number.isFinite(limit)) throw new ArgumentError(`parseThreshold: expected a finite number, got ${JSON.stringify(text)}`);
  return { metric: metric as MetricName, quantity, operator, limit, rule: text.trim() };
}

/**
 * A number of a result by its name.
 *
 * @throws ArgumentError when the result has no such number; it lists those that it has
 */
export function quantityOf(result: MetricResult, quantity: string): number {
  const scores = (result.perImage ?? []).map(({ value }) => value).filter((value) => !Number.isNaN(value));
  const ordered = scores.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const available: Record<string, number> = { ...result.details, value: result.value, n: result.n };
  if (result.interval) Object.assign(available, { low: result.interval.low, high: result.interval.high });
  if (ordered.length > 0) Object.assign(available, { min: ordered[0], max: ordered.at(-1), median: median(ordered) });
  const found = Object.hasOwn(available, quantity) ? available[quantity] : undefined;
  if (found === undefined) {
    throw new ArgumentError(`${result.metric}: expected one of ${Object.keys(available).sort().join(", ")}, got "${quantity}"`);
  }
  return found;
}

/** Judges a result. What is not a number never passes. */
export function judgeThreshold(threshold: Threshold, result: MetricResult): Gate {
  const { metric, quantity, operator, limit, rule } = threshold;
  const actual = quantityOf(result, quantity);
  const passed = { "<": actual < limit, "<=": actual <= limit, ">": actual > limit, ">=": actual >= limit }[operator];
  const name = quantity === "value" ? metric : `${metric}.${quantity}`;
  const message = `${name} is ${format(actual)}, ${passed ? "as" : "not as"} required: ${operator} ${format(limit)}`;
  return { kind: "threshold", metric, quantity, rule, actual, limit, passed, message };
}

function median(ordered: readonly number[]): number {
  const middle = Math.floor(ordered.length / 2);
  return ordered.length % 2 === 1 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

function format(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);
}
