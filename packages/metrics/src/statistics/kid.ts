import { ArgumentError } from "@refadgen/errors";
import { Graph, matMul, transpose, type Value } from "@refadgen/graph";
import { runArithmetic } from "./linear-algebra/graphs.js";

/** Rows of features. */
export interface FeatureRows {
  /** `[count, dimensions]`. */
  readonly rows: Float32Array;
  readonly count: number;
  readonly dimensions: number;
}

/** Which rows of both sets make up one subset; as many of one as of the other. */
export interface Subset {
  readonly first: Int32Array;
  readonly second: Int32Array;
}

export interface KernelDistanceOptions {
  /** Degree of the kernel. Default 3. */
  readonly degree?: number;
  /** Its constant term. Default 1. */
  readonly coefficient?: number;
  /** Its factor. Default 1 / dimensions. */
  readonly gamma?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Up to this many values of all three kernel matrices they are computed once and subsets look them up. */
const keptValues = 3.2e7;
const smallKernel = 2e7;

/**
 * KID: the unbiased squared maximum mean discrepancy under k(x, y) = (γ x·y + c)^degree, one value per subset, in float64.
 * Slightly negative values are valid.
 *
 * @throws ArgumentError when dimensions differ or a subset has fewer than two rows
 */
export async function kernelDistances(
  first: FeatureRows,
  second: FeatureRows,
  subsets: readonly Subset[],
  options: KernelDistanceOptions = {},
): Promise<Float64Array> {
  const { dimensions } = first;
  if (second.dimensions !== dimensions)
    throw new ArgumentError(`kernelDistances: expected features of equal dimensions, got ${dimensions} and ${second.dimensions}`);
  const wrong = subsets.find((subset) => subset.first.length !== subset.second.length || subset.first.length < 2);
  if (wrong)
    throw new ArgumentError(
      `kernelDistances: expected equally large subsets of at least 2 rows, got ${wrong.first.length} and ${wrong.second.length}`,
    );
  const { signal, onProgress } = options;
  const size = subsets[0]?.first.length ?? 0;
  const whole = first.count ** 2 + second.count ** 2 + first.count * second.count;
  const results = new Float64Array(subsets.length);
  const kept = whole <= keptValues && whole < subsets.length * 3 * size * size ? await kernelsOf(first, second, options) : undefined;
  for (const [index, subset] of subsets.entries()) {
    signal?.throwIfAborted();
    const { xx, yy, xy } = kept ?? (await kernelsOf(picked(first, subset.first), picked(second, subset.second), options));
    const [x, y] = kept ? [subset.first, subset.second] : [range(subset.first.length), range(subset.second.length)];
    const m = x.length;
    results[index] = (sumOffDiagonal(xx, x) + sumOffDiagonal(yy, y)) / (m * (m - 1)) - (2 * sumOf(xy, x, y)) / (m * m);
    onProgress?.(index + 1, subsets.length);
    // A million look-ups take some milliseconds; others want a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return results;
}

interface Kernel {
  readonly values: Float64Array;
  readonly columns: number;
}

interface Kernels {
  readonly xx: Kernel;
  readonly yy: Kernel;
  readonly xy: Kernel;
}

async function kernelsOf(x: FeatureRows, y: FeatureRows, options: KernelDistanceOptions): Promise<Kernels> {
  return { xx: await kernel(x, x, options), yy: await kernel(y, y, options), xy: await kernel(x, y, options) };
}

async function kernel(x: FeatureRows, y: FeatureRows, options: KernelDistanceOptions): Promise<Kernel> {
  const { degree = 3, coefficient = 1, gamma = 1 / x.dimensions, signal } = options;
  const values = await innerProducts(x, y, signal);
  // The cube by itself: general powers take ten times as long.
  for (let index = 0; index < values.length; index++) {
    const base = gamma * values[index]! + coefficient;
    values[index] = degree === 3 ? base * base * base : base ** degree;
  }
  return { values, columns: y.count };
}

/** x · yᵀ in float64. */
export async function innerProducts(x: FeatureRows, y: FeatureRows, signal?: AbortSignal): Promise<Float64Array> {
  const { dimensions } = x;
  if (x.count * y.count * dimensions <= smallKernel) return plainInnerProducts(x, y);
  const build = () => {
    const graph = new Graph("inner-products");
    const left = wide(graph, graph.input("x", "float32", [x.count, dimensions]));
    const right = wide(graph, graph.input("y", "float32", [y.count, dimensions]));
    graph.output("products", matMul(left, transpose(right, [1, 0])));
    return graph;
  };
  const feed = ({ rows, count }: FeatureRows) => ({ dtype: "float32", dims: [count, dimensions], data: rows }) as const;
  const results = await runArithmetic(`inner products ${x.count} ${y.count} ${dimensions}`, build, { x: feed(x), y: feed(y) }, signal);
  return results.products!.data as Float64Array;
}

function wide(graph: Graph, value: Value): Value {
  return graph.add("Cast", [value], [{ dtype: "float64", dims: value.dims }], { attributes: { to: 11n } })[0]!;
}

function plainInnerProducts(x: FeatureRows, y: FeatureRows): Float64Array {
  const { dimensions } = x;
  const values = new Float64Array(x.count * y.count);
  for (let i = 0; i < x.count; i++) {
    for (let j = 0; j < y.count; j++) {
      let sum = 0;
      for (let k = 0; k < dimensions; k++) sum += x.rows[i * dimensions + k]! * y.rows[j * dimensions + k]!;
      values[i * y.count + j] = sum;
    }
  }
  return values;
}

function picked({ rows, dimensions }: FeatureRows, indices: Int32Array): FeatureRows {
  const chosen = new Float32Array(indices.length * dimensions);
  for (const [to, from] of indices.entries()) chosen.set(rows.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions);
  return { rows: chosen, count: indices.length, dimensions };
}

function range(length: number): Int32Array {
  return Int32Array.from({ length }, (_, index) => index);
}

function sumOffDiagonal({ values, columns }: Kernel, indices: Int32Array): number {
  let sum = 0;
  for (const i of indices) {
    let row = 0;
    for (const j of indices) row += values[i * columns + j]!;
    sum += row - values[i * columns + i]!;
  }
  return sum;
}

function sumOf({ values, columns }: Kernel, rows: Int32Array, others: Int32Array): number {
  let sum = 0;
  for (const i of rows) {
    let row = 0;
    for (const j of others) row += values[i * columns + j]!;
    sum += row;
  }
  return sum;
}
