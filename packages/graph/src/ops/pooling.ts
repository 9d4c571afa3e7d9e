import { GraphError } from "../error.js";
import { shape, type Value } from "../graph.js";
import { integers } from "./layout.js";

export interface MaxPool2dOptions {
  /** Side of the window, in pixels. */
  readonly kernel: number;
  /** Step between windows; default: the window's side. */
  readonly stride?: number;
  /** Border added on every side, which never wins; at most half the window. Default 0. */
  readonly padding?: number;
  /** Whether a window that reaches beyond the end still counts (`ceil_mode`); default false. */
  readonly ceil?: boolean;
}

export interface AveragePool2dOptions {
  readonly kernel: number;
  readonly stride?: number;
  /** Zeros added on every side; at most half the window. Default 0. */
  readonly padding?: number;
  /** Whether the zeros of the padding count in the mean (`count_include_pad`); default true, as in PyTorch. */
  readonly countPadding?: boolean;
}

/**
 * The maximum of each window, as `torch.nn.functional.max_pool2d`.
 *
 * @param x `[B, C, H, W]`
 * @throws GraphError when sizes do not fit.
 */
export function maxPool2d(x: Value, { kernel, stride = kernel, padding = 0, ceil = false }: MaxPool2dOptions): Value {
  const dims = pooled("maxPool2d", x, { kernel, stride, padding, ceil });
  const attributes = { ...windows(kernel, stride, padding), ceil_mode: ceil ? 1n : 0n };
  const [out] = x.graph.add("MaxPool", [x], [{ dtype: x.dtype, dims }], { attributes });
  return out!;
}

/**
 * The mean of each window, as `torch.nn.functional.avg_pool2d`.
 *
 * @param x `[B, C, H, W]`
 * @throws GraphError when sizes do not fit.
 */
export function averagePool2d(x: Value, { kernel, stride = kernel, padding = 0, countPadding = true }: AveragePool2dOptions): Value {
  const dims = pooled("averagePool2d", x, { kernel, stride, padding, ceil: false });
  const attributes = { ...windows(kernel, stride, padding), count_include_pad: countPadding ? 1n : 0n };
  const [out] = x.graph.add("AveragePool", [x], [{ dtype: x.dtype, dims }], { attributes });
  return out!;
}

/** The mean over some axes, which are left out of the result. Axes are counted from 0. */
export function mean(x: Value, axes: readonly number[]): Value {
  return reduce("ReduceMean", x, axes);
}

/** The sum of squares over some axes, which stay with size 1. Axes are counted from 0. */
export function sumOfSquares(x: Value, axes: readonly number[]): Value {
  return reduce("ReduceSumSquare", x, axes, { keep: true });
}

function reduce(op: "ReduceMean" | "ReduceSumSquare", x: Value, axes: readonly number[], { keep = false }: { readonly keep?: boolean } = {}): Value {
  const known =
    axes.length > 0 && new Set(axes).size === axes.length && axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < x.dims.length);
  if (!known) throw new GraphError(`${op}: expected different axes of ${shape(x.dims)}, got ${shape(axes)}`);
  const dims = x.dims.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
  const [out] = x.graph.add(op, [x, integers(x.graph, axes)], [{ dtype: x.dtype, dims }], { attributes: { keepdims: keep ? 1n : 0n } });
  return out!;
}

interface Windows {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceil: boolean;
}

function pooled(where: string, x: Value, { kernel, stride, padding, ceil }: Windows): number[] {
  if (x.dims.length !== 4) throw new GraphError(`${where}: expected x [B, C, H, W], got ${shape(x.dims)}`);
  if (![kernel, stride].every((size) => Number.isInteger(size) && size >= 1))
    throw new GraphError(`${where}: expected a window and a stride of at least 1, got ${kernel} and ${stride}`);
  if (!Number.isInteger(padding) || padding < 0 || padding > kernel / 2)
    throw new GraphError(`${where}: expected a padding of 0 to half the window of ${kernel}, got ${padding}`);
  const along = (size: number): number => {
    const steps = (size + 2 * padding - kernel) / stride;
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A last window that would begin in the padding beyond the end is left out.
    return ceil && (count - 1) * stride >= size + padding ? count - 1 : count;
  };
  const [batch, channels, height, width] = x.dims as [number, number, number, number];
  const dims = [batch, channels, along(height), along(width)];
  if (dims.some((size) => size < 1)) throw new GraphError(`${where}: ${shape(x.dims)} is smaller than the window of ${kernel}`);
  return dims;
}

function windows(kernel: number, stride: number, padding: number): Record<string, bigint[]> {
  const [side, step, border] = [kernel, stride, padding].map(BigInt) as [bigint, bigint, bigint];
  return { kernel_shape: [side, side], strides: [step, step], pads: [border, border, border, border] };
}
