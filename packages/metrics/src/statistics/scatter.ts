import { Graph, type Tensor } from "@refadgen/graph";
import { runArithmetic } from "./linear-algebra/graphs.js";

/** Rows that are multiplied at once. */
export const scatterRows = 2048;

/** Rows of a panel of the result, which begins at the diagonal: what lies left of it is not computed. */
const panelRows = 256;
/** Rows that are transposed together, so that what is read and what is written stay in the processor's cache. */
const transposedRows = 16;
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
  // Sizes are fixed: missing rows are zeros.
  const centred = new Float64Array(dimensions * scatterRows);
  for (let first = 0; first < count; first += transposedRows) {
    const last = Math.min(first + transposedRows, count);
    for (let k = 0; k < dimensions; k++) {
      for (let row = first; row < last; row++) centred[k * scatterRows + row] = rows[row * dimensions + k]! - mean[k]!;
    }
  }
  const part = (from: number, to: number): Tensor => ({
    dtype: "float64",
    dims: [to - from, scatterRows],
    data: centred.subarray(from * scatterRows, to * scatterRows),
  });
  const edges = panels(dimensions);
  const feeds = Object.fromEntries(
    edges.flatMap(([top, bottom]) => [
      [`left ${top}`, part(top, bottom)],
      [`right ${top}`, part(top, dimensions)],
    ]),
  );
  const results = await runArithmetic(`scatter ${dimensions}`, () => scatterGraph(dimensions, edges), feeds, signal);
  for (const [top, bottom] of edges) {
    const panel = results[top]!.data as Float64Array;
    const width = dimensions - top;
    for (let y = top; y < bottom; y++) {
      const from = (y - top) * width - top;
      const to = y * dimensions;
      for (let x = y; x < dimensions; x++) scatter[to + x] = scatter[to + x]! + panel[from + x]!;
    }
  }
}

function panels(dimensions: number): readonly (readonly [top: number, bottom: number])[] {
  const count = Math.ceil(dimensions / panelRows);
  return Array.from({ length: count }, (_, index) => [index * panelRows, Math.min(dimensions, (index + 1) * panelRows)] as const);
}

/** Each panel by itself, from parts of one matrix that are passed as they lie: to cut them out would take a third of the time. */
function scatterGraph(dimensions: number, edges: readonly (readonly [top: number, bottom: number])[]): Graph {
  const graph = new Graph("scatter");
  for (const [top, bottom] of edges) {
    const left = graph.input(`left ${top}`, "float64", [bottom - top, scatterRows]);
    const right = graph.input(`right ${top}`, "float64", [dimensions - top, scatterRows]);
    const [panel] = graph.add("Gemm", [left, right], [{ dtype: "float64", dims: [bottom - top, dimensions - top] }], { attributes: { transB: 1n } });
    graph.output(String(top), panel!);
  }
  return graph;
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
