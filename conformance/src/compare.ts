import type { CaseResult } from "./case.js";
import type { Recording } from "./recording.js";

/** What is allowed: absolute, or as a share of the recorded values' standard deviation. Where both are absent, values must be equal. */
export interface Tolerance {
  readonly max?: number;
  readonly rms?: number;
  /** Whether `max` and `rms` are shares of the standard deviation; default false. */
  readonly relative?: boolean;
}

/** One comparison: its worst error in units of what is allowed, and words for the table. */
export interface Comparison {
  readonly name: string;
  readonly error: number;
  readonly detail: string;
}

/** Compares values with what was recorded under `name`: whole, or as a sample with mean, standard deviation and absolute maximum. */
export async function compareRecorded(
  recording: Recording<unknown>,
  name: string,
  actual: ArrayLike<number>,
  tolerance: Tolerance,
): Promise<Comparison[]> {
  if (recording.has(name)) return [compareValues(name, actual, await recording.values(name), tolerance)];
  const sampled = recording.names.find((key) => key.startsWith(`${name}.sample_every_`));
  const statistics = `${name}.mean_std_absmax`;
  if (sampled === undefined || !recording.has(statistics)) throw new Error(`${name} is not recorded`);
  const step = Number(sampled.slice(`${name}.sample_every_`.length));
  const expected = await recording.values(sampled);
  const [mean, std, absMax] = (await recording.values(statistics)) as unknown as [number, number, number];
  const sample = Float64Array.from({ length: expected.length }, (_, index) => actual[index * step]!);
  const found = summary(actual);
  const scaled = tolerance.relative ? std : 1;
  const worst = Math.max(
    Math.abs(found.mean - mean) / ((tolerance.rms ?? 0) * scaled),
    Math.abs(found.std - std) / ((tolerance.rms ?? 0) * scaled),
    Math.abs(found.absMax - absMax) / ((tolerance.max ?? 0) * scaled),
  );
  return [
    compareValues(name, sample, expected, tolerance, std),
    { name: statistics, error: orInfinite(worst), detail: `${statistics} ${worst.toExponential(1)} of allowed` },
  ];
}

/** Compares two lists of numbers. NaN never agrees. */
export function compareValues(
  name: string,
  actual: ArrayLike<number>,
  expected: Float64Array,
  tolerance: Tolerance,
  std: number = summary(expected).std,
): Comparison {
  if (actual.length !== expected.length)
    return { name, error: Number.POSITIVE_INFINITY, detail: `${name}: expected ${expected.length} values, got ${actual.length}` };
  let [max, squares] = [0, 0];
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(actual[index]! - value);
    if (!(difference <= max)) max = difference;
    squares += difference * difference;
  }
  const rms = Math.sqrt(squares / Math.max(1, expected.length));
  const unit = tolerance.relative ? std : 1;
  const parts = [
    { word: "max", found: max, allowed: tolerance.max },
    { word: "rms", found: rms, allowed: tolerance.rms },
  ].filter(({ allowed }) => allowed !== undefined);
  if (parts.length === 0)
    return { name, error: max === 0 ? 0 : Number.POSITIVE_INFINITY, detail: max === 0 ? `${name} exact` : `${name} differs by ${max}` };
  const error = Math.max(...parts.map(({ found, allowed }) => orInfinite(found / (allowed! * unit))));
  const words = parts.map(
    ({ word, found, allowed }) => `${word} ${(found / unit).toExponential(1)} of ${allowed}${tolerance.relative ? "·std" : ""}`,
  );
  return { name, error, detail: `${name} ${words.join(", ")}` };
}

/** One row of the table from all comparisons of a case: the worst decides. */
export function result(name: string, comparisons: readonly Comparison[]): CaseResult {
  const worst = comparisons.reduce((a, b) => (b.error > a.error ? b : a), { name: "", error: -1, detail: "nothing was compared" });
  return {
    name,
    error: Math.max(0, worst.error),
    detail: `${worst.detail} (${comparisons.length} compared)`,
    passed: comparisons.length > 0 && worst.error <= 1,
  };
}

/** The row of a case that could not be run. */
export function failure(name: string, error: unknown): CaseResult {
  return { name, error: Number.POSITIVE_INFINITY, detail: error instanceof Error ? error.message : String(error), passed: false };
}

function summary(values: ArrayLike<number>): { readonly mean: number; readonly std: number; readonly absMax: number } {
  let [sum, absMax] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    sum += values[index]!;
    absMax = Math.max(absMax, Math.abs(values[index]!));
  }
  const mean = sum / values.length;
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += (values[index]! - mean) ** 2;
  return { mean, std: Math.sqrt(squares / values.length), absMax };
}

function orInfinite(value: number): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}
