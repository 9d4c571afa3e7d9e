import { GraphError } from "../error.js";
import { type Operand, shape, type Value } from "../graph.js";

export interface Conv2dOptions {
  /** Step between windows, both directions; default 1. */
  readonly stride?: number;
  /** Zeros added on every side, or `[top, left, bottom, right]`; default 0. */
  readonly padding?: number | readonly [number, number, number, number];
  /** Groups of channels that do not see each other; default 1. */
  readonly groups?: number;
}

/**
 * 2-D convolution, as `torch.nn.functional.conv2d`.
 *
 * @param x `[B, C, H, W]`
 * @param weight `[K, C / groups, kH, kW]`
 * @param bias `[K]`
 * @returns `[B, K, H', W']`
 * @throws GraphError when sizes do not fit.
 */
export function conv2d(x: Value, weight: Operand, bias: Operand | undefined, options: Conv2dOptions = {}): Value {
  const { stride = 1, padding = 0, groups = 1 } = options;
  const pads = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  if (x.dims.length !== 4 || weight.dims.length !== 4 || x.dims[1] !== weight.dims[1]! * groups) {
    throw new GraphError(
      `conv2d: expected x [B, ${weight.dims[1]! * groups}, H, W] for weight ${weight.name} ${shape(weight.dims)}, got ${shape(x.dims)}`,
    );
  }
  if (bias && String(bias.dims) !== String([weight.dims[0]]))
    throw new GraphError(`conv2d: expected bias [${weight.dims[0]}], got ${bias.name} ${shape(bias.dims)}`);
  if (weight.dims[0]! % groups !== 0) throw new GraphError(`conv2d: expected outputs in ${groups} groups, got ${weight.name} ${shape(weight.dims)}`);
  if (x.dtype !== weight.dtype) throw new GraphError(`conv2d: expected x ${weight.dtype}, got ${x.dtype}`);
  if (!Number.isInteger(stride) || stride < 1) throw new GraphError(`conv2d: expected a stride of at least 1, got ${stride}`);
  if (pads.length !== 4 || !pads.every((size) => Number.isInteger(size) && size >= 0))
    throw new GraphError(`conv2d: expected padding of at least 0, got ${shape(pads)}`);
  const [batch, , height, width] = x.dims as [number, number, number, number];
  const [channels, , kernelHeight, kernelWidth] = weight.dims as [number, number, number, number];
  const outHeight = Math.floor((height + pads[0]! + pads[2]! - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + pads[1]! + pads[3]! - kernelWidth) / stride) + 1;
  if (outHeight < 1 || outWidth < 1)
    throw new GraphError(`conv2d: ${shape(x.dims)} is smaller than the kernel of ${weight.name} ${shape(weight.dims)}`);
  const attributes = {
    kernel_shape: [BigInt(kernelHeight), BigInt(kernelWidth)],
    strides: [BigInt(stride), BigInt(stride)],
    pads: pads.map(BigInt),
    dilations: [1n, 1n],
    group: BigInt(groups),
  };
  const [out] = x.graph.add("Conv", [x, weight, bias], [{ dtype: x.dtype, dims: [batch, channels, outHeight, outWidth] }], {
    attributes,
    name: weight.name.replace(/\.weight$/, ""),
  });
  return out!;
}
