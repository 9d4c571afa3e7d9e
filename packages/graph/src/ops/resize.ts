import { GraphError } from "../error.js";
import { shape, type Value } from "../graph.js";
import { integers } from "./layout.js";

/**
 * Nearest-neighbour resize, as `torch.nn.functional.interpolate(mode="nearest")`: source index ⌊i · in / out⌋, the ratio in float32.
 *
 * @param x `[B, C, H, W]`
 * @returns `[B, C, height, width]`
 * @throws GraphError when sizes do not fit.
 */
export function resizeNearest(x: Value, { height, width }: { readonly height: number; readonly width: number }): Value {
  if (x.dims.length !== 4 || ![height, width].every((size) => Number.isInteger(size) && size >= 1))
    throw new GraphError(`resizeNearest: expected [B, C, H, W] and sizes above 0, got ${shape(x.dims)} to ${height} × ${width}`);
  const [batch, channels, fromHeight, fromWidth] = x.dims as [number, number, number, number];
  if (height === fromHeight && width === fromWidth) return x;
  const lines = sourceIndices(fromHeight, height);
  const columns = sourceIndices(fromWidth, width);
  if (!isRepeat(lines, fromHeight) || !isRepeat(columns, fromWidth)) return pick(pick(x, 2, lines), 3, columns);
  // Whole factors as scales: only these are turned into ONNX Runtime's blocked upsampling.
  const scales = x.graph.constant("float32", [4], Float32Array.of(1, 1, height / fromHeight, width / fromWidth));
  const [out] = x.graph.add("Resize", [x, undefined, scales], [{ dtype: x.dtype, dims: [batch, channels, height, width] }], {
    attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  });
  return out!;
}

/** PyTorch's `nearest_neighbor_compute_source_index`: ratio and product in float32, which now and then falls below a whole number. */
function sourceIndices(from: number, to: number): number[] {
  const ratio = Math.fround(from / to);
  return Array.from({ length: to }, (_, index) => Math.min(from - 1, Math.floor(Math.fround(index * ratio))));
}

/** Whether every source comes equally often, in order. */
function isRepeat(indices: readonly number[], from: number): boolean {
  const factor = indices.length / from;
  return Number.isInteger(factor) && indices.every((source, index) => source === Math.floor(index / factor));
}

/** Lines or columns by their indices. Not ONNX's Resize to given sizes: ONNX Runtime divides by a rounded ratio there and takes wrong ones (49 to 14). */
function pick(x: Value, axis: number, indices: readonly number[]): Value {
  if (indices.length === x.dims[axis] && indices.every((source, index) => source === index)) return x;
  const [out] = x.graph.add("Gather", [x, integers(x.graph, indices)], [{ dtype: x.dtype, dims: x.dims.with(axis, indices.length) }], {
    attributes: { axis: BigInt(axis) },
  });
  return out!;
}
