import { Graph, multiply, slice, subtract, type Value } from "@refadgen/graph";
import { runArithmetic } from "./linear-algebra/graphs.js";

/** Rows that are multiplied at once. */
export const scatterRows = 1024;

/** Columns of a tile: only tiles on and above the diagonal are computed. */
const tileColumns = 512;
const smallScatter = 4e7;

/**
 * Adds Σ (row - mean)ᵀ (row - mean) of some rows to the upper triangle of `scatter`, in float64.
 *
 * @param rows `[count, dimensions]`, at most `scatterRows` of them
 * @param mean `[dimensions]`
 * @param scatter `[dimensions, dimensions]`; below the diagonal it is left as it is
 */
export async function addScatter(rows: Float32Array, count: number, mean: Float64Array, scatter: Float64Array, signal?: AbortSignal): Promise<void> {
  const dimensions = mean.length;
  if (count * dimensions * dimensions <= smallScatter) return addPlainly(rows, count, mean, scatter);
  // Sizes are fixed: missing rows weigh nothing.
  const padded = new Float32Array(scatterRows * dimensions);
  padded.set(rows.subarray(0, count * dimensions));
  const weights = new Float64Array(scatterRows).fill(1, 0, count);
  const edges = tiles(dimensions);
  const results = await runArithmetic(
    `scatter ${dimensions}`,
    () => scatterGraph(dimensions, edges),
    {
      rows: { dtype: "float32", dims: [scatterRows, dimensions], data: padded },
      mean: { dtype: "float64", dims: [1, dimensions], data: mean },
      weights: { dtype: "float64", dims: [scatterRows, 1], data: weights },
    },
    signal,
  );
  for (const [i, [top, bottom]] of edges.entries()) {
    for (const [j, [left, right]] of edges.entries()) {
      if (j < i) continue;
      const tile = results[`${i},${j}`]!.data as Float64Array;
      const width = right - left;
      for (let y = top; y < bottom; y++) {
        const from = (y - top) * width;
        const to = y * dimensions + left;
        for (let x = i === j ? y - top : 0; x < width; x++) scatter[to + x] = scatter[to + x]! + tile[from + x]!;
      }
    }
  }
}

function tiles(dimensions: number): readonly (readonly [number, number])[] {
  const count = Math.ceil(dimensions / tileColumns);
  return Array.from({ length: count }, (_, index) => [index * tileColumns, Math.min(dimensions, (index + 1) * tileColumns)] as const);
}

function scatterGraph(dimensions: number, edges: readonly (readonly [number, number])[]): Graph {
  const graph = new Graph("scatter");
  const rows = graph.input("rows", "float32", [scatterRows, dimensions]);
  const mean = graph.input("mean", "float64", [1, dimensions]);
  const weights = graph.input("weights", "float64", [scatterRows, 1]);
  const [wide] = graph.add("Cast", [rows], [{ dtype: "float64", dims: rows.dims }], { attributes: { to: 11n } });
  const centred = multiply(subtract(wide!, mean), weights);
  const columns = edges.map(([from, to]) => (edges.length === 1 ? centred : slice(centred, 1, from, to)));
  for (const [i, first] of columns.entries()) {
    for (const [j, second] of columns.entries()) if (j >= i) graph.output(`${i},${j}`, transposedProduct(first, second));
  }
  return graph;
}

function transposedProduct(a: Value, b: Value): Value {
  const [out] = a.graph.add("Gemm", [a, b], [{ dtype: a.dtype, dims: [a.dims[1]!, b.dims[1]!] }], { attributes: { transA: 1n } });
  return out!;
}

function addPlainly(rows: Float32Array, count: number, mean: Float64Array, scatter: Float64Array): void {
  const dimensions = mean.length;
  const centred = new Float64Array(dimensions);
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < dimensions; k++) centred[k] = rows[row * dimensions + k]! - mean[k]!;
    for (let i = 0; i < dimensions; i++) {
      const value = centred[i]!;
      if (value === 0) continue;
      const to = i * dimensions;
      for (let j = i; j < dimensions; j++) scatter[to + j] = scatter[to + j]! + value * centred[j]!;
    }
  }
}
