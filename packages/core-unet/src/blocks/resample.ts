import { conv2d, resizeNearest, type Value, type Weights } from "@refadgen/graph";

/**
 * Halves both sides by a strided convolution.
 *
 * @param x `[B, C, H, W]`
 * @param padding zeros around, or only below and to the right (`"end"`, as autoencoders do)
 */
export function downsample(x: Value, weights: Weights, { padding }: { readonly padding: number | "end" }): Value {
  const channels = x.dims[1]!;
  return conv2d(x, weights.get("conv.weight", [channels, channels, 3, 3]), weights.get("conv.bias", [channels]), {
    stride: 2,
    padding: padding === "end" ? [0, 0, 1, 1] : padding,
  });
}

/** Nearest-neighbour enlargement to `height` × `width` (the size of the skip that comes next), then a convolution. */
export function upsample(x: Value, weights: Weights, size: { readonly height: number; readonly width: number }): Value {
  const channels = x.dims[1]!;
  return conv2d(resizeNearest(x, size), weights.get("conv.weight", [channels, channels, 3, 3]), weights.get("conv.bias", [channels]), { padding: 1 });
}
