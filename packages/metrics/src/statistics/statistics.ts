import { ArgumentError } from "@refadgen/errors";
import { meanOf } from "./moments.js";
import { addScatter, scatterRows } from "./scatter.js";

/** Mean and spread of one set's features: rows where they are few, else the covariance. */
export type FeatureStatistics = {
  readonly dimensions: number;
  /** How many rows stand behind it; absent where a file does not say. */
  readonly count?: number;
  /** `[dimensions]`. */
  readonly mean: Float64Array;
} & (
  | { readonly covariance: Float64Array /* [dimensions, dimensions], ddof 1 */ }
  | { readonly count: number; readonly rows: Float32Array /* [count, dimensions] */ }
);

/**
 * Statistics of features that are all at hand.
 *
 * @param rows `[count, dimensions]`
 * @throws ArgumentError below two rows
 */
export async function featureStatistics(rows: Float32Array, dimensions: number): Promise<FeatureStatistics> {
  const count = rows.length / dimensions;
  if (!Number.isInteger(count) || count < 2)
    throw new ArgumentError(`featureStatistics: expected at least 2 rows of ${dimensions} values, got ${rows.length} values`);
  const few: FeatureStatistics = { dimensions, count, mean: meanOf(rows, dimensions), rows };
  return count <= dimensions ? few : { dimensions, count, mean: few.mean, covariance: await covarianceOf(few) };
}

/** The covariance, ddof 1, `[dimensions, dimensions]`. */
export async function covarianceOf(statistics: FeatureStatistics, signal?: AbortSignal): Promise<Float64Array> {
  if ("covariance" in statistics) return statistics.covariance;
  const { rows, count, dimensions, mean } = statistics;
  const scatter = new Float64Array(dimensions * dimensions);
  for (let from = 0; from < count; from += scatterRows) {
    const block = rows.subarray(from * dimensions, (from + scatterRows) * dimensions);
    await addScatter(block, block.length / dimensions, mean, scatter, signal);
  }
  for (let i = 0; i < dimensions; i++) {
    for (let j = i; j < dimensions; j++) {
      const value = scatter[i * dimensions + j]! / (count - 1);
      scatter[i * dimensions + j] = value;
      scatter[j * dimensions + i] = value;
    }
  }
  return scatter;
}

/** The trace of the covariance: the sum of the variances. */
export function varianceOf(statistics: FeatureStatistics): number {
  const { dimensions, mean } = statistics;
  let sum = 0;
  if ("covariance" in statistics) {
    for (let k = 0; k < dimensions; k++) sum += statistics.covariance[k * dimensions + k]!;
    return sum;
  }
  const { rows, count } = statistics;
  for (let row = 0; row < count; row++) for (let k = 0; k < dimensions; k++) sum += (rows[row * dimensions + k]! - mean[k]!) ** 2;
  return sum / (count - 1);
}

/**
 * The factor F with F · Fᵀ = covariance that few rows give: `[count - 1, dimensions]`, transposed. Helmert's contrasts take the place of the
 * centred rows, which are one too many: their rank is `count - 1`, exactly.
 */
export function contrasts(rows: Float32Array, count: number, dimensions: number): Float64Array {
  const factor = new Float64Array((count - 1) * dimensions);
  const before = new Float64Array(dimensions);
  for (let row = 1; row < count; row++) {
    const scale = 1 / Math.sqrt(row * (row + 1) * (count - 1));
    for (let k = 0; k < dimensions; k++) {
      before[k] = before[k]! + rows[(row - 1) * dimensions + k]!;
      factor[(row - 1) * dimensions + k] = (row * rows[row * dimensions + k]! - before[k]!) * scale;
    }
  }
  return factor;
}
