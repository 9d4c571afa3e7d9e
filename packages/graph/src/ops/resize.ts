import { GraphError } from "../error.js";
import { shape, type Value } from "../graph.js";
import { integers } from "./layout.js";

/**
 * Nearest-neighbour resize, as `torch.nn.functional.interpolate(mode="nearest")`: source index ⌊i · in / out⌋.
 *
 * @param x `[B, C, H, W]`
 * @returns `[B, C, height, width]`
 */
export function resizeNearest(x: Value, { height, width }: { readonly height: number; readonly width: number }): Value {
  if (x.dims.length !== 4 || ![height, width].every((size) => Number.isInteger(size) && size >= 1)) throw new GraphError(`resizeNearest: expected [B, C, H, W] and sizes above 0, got ${shape(x.dims)} to ${height} × ${width}`);
  const [batch, channels, fromHeight, fromWidth] = x.dims as [number, number, number, number];
  if (height === fromHeight && width === fromWidth) return x;
  const { graph } = x;
  const whole = height % fromHeight === 0 && width % fromWidth === 0;
  // Whole factors as scales: only these are turned into ONNX Runtime's blocked upsampling.
  const size = whole
    ? [graph.constant("float32", [4], Float32Array.of(1, 1, height / fromHeight, width / fromWidth))]
    : [undefined, integers(graph, [batch, channels, height, width])];
  const [out] = graph.add("Resize", [x, undefined, ...size], [{ dtype: x.dtype, dims: [batch, channels, height, width] }], {
    attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  });
  return out!;
}
