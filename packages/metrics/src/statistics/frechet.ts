import { ArgumentError } from "@refadgen/errors";
import { MetricError } from "../metrics/error.js";
import { type Matrix, product } from "./linear-algebra/product.js";
import { nuclearNorm } from "./linear-algebra/singular-values.js";
import { eigenvaluesOf, factorOf } from "./linear-algebra/task.js";
import { contrasts, type FeatureStatistics, varianceOf } from "./statistics.js";

export interface FrechetOptions {
  readonly signal?: AbortSignal;
}

/** Up to this many rows singular values are found without squaring them, to all digits. */
const smallNorm = 96;

/**
 * Fréchet distance of two sets, taken as normally distributed: |m₁ - m₂|² + Tr S₁ + Tr S₂ - 2 Tr (S₁ S₂)^½, in float64.
 *
 * With S = F · Fᵀ the last trace is the sum of the singular values of F₁ᵀ F₂, so that no root of a matrix is needed, nothing can become
 * complex, and singular covariances need no offset. F comes from the rows where they are few, else from a pivoted Cholesky factor.
 *
 * @throws ArgumentError when dimensions differ; MetricError `not-finite`
 */
export async function frechetDistance(first: FeatureStatistics, second: FeatureStatistics, { signal }: FrechetOptions = {}): Promise<number> {
  if (first.dimensions !== second.dimensions)
    throw new ArgumentError(`frechetDistance: expected features of equal dimensions, got ${first.dimensions} and ${second.dimensions}`);
  let difference = 0;
  for (let k = 0; k < first.dimensions; k++) difference += (first.mean[k]! - second.mean[k]!) ** 2;
  const traces = varianceOf(first) + varianceOf(second);
  if (!Number.isFinite(difference + traces))
    throw new MetricError("not-finite", "frechetDistance: expected finite statistics, got means or covariances that are not");
  return difference + traces - 2 * (await traceOfRoot(first, second, signal));
}

/** Tr (S₁ S₂)^½. */
async function traceOfRoot(first: FeatureStatistics, second: FeatureStatistics, signal: AbortSignal | undefined): Promise<number> {
  const [small, large] = rankBound(first) <= rankBound(second) ? [first, second] : [second, first];
  const factor = await transposedFactor(small, signal);
  if (factor.rows === 0) return 0;
  if (factor.rows <= smallNorm || "rows" in large) {
    const other = await transposedFactor(large, signal);
    const crossed = await product(factor, other, "b", signal);
    if (factor.rows <= smallNorm) return nuclearNorm(crossed.data, crossed.rows, crossed.columns);
    return rootsOf(await product(crossed, crossed, "b", signal), signal);
  }
  // F₁ᵀ S₂ F₁ has the squares of the singular values for eigenvalues.
  const half = await product(factor, { data: large.covariance, rows: large.dimensions, columns: large.dimensions }, "none", signal);
  return rootsOf(await product(half, factor, "b", signal), signal);
}

function rankBound(statistics: FeatureStatistics): number {
  return "rows" in statistics ? statistics.count - 1 : statistics.dimensions;
}

/** Fᵀ, `[rank, dimensions]`, where F · Fᵀ is the covariance. */
async function transposedFactor(statistics: FeatureStatistics, signal: AbortSignal | undefined): Promise<Matrix> {
  const { dimensions } = statistics;
  if ("rows" in statistics) {
    const { rows, count } = statistics;
    return { data: contrasts(rows, count, dimensions), rows: count - 1, columns: dimensions };
  }
  const { data, rank } = await factorOf(statistics.covariance, dimensions, signal);
  const transposed = new Float64Array(data.length);
  for (let i = 0; i < dimensions; i++) for (let k = 0; k < rank; k++) transposed[k * dimensions + i] = data[i * rank + k]!;
  return { data: transposed, rows: rank, columns: dimensions };
}

async function rootsOf({ data, rows }: Matrix, signal: AbortSignal | undefined): Promise<number> {
  const values = await eigenvaluesOf(data, rows, signal);
  // What rounding leaves below zero is zero.
  return values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
}
