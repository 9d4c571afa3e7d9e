import { ArgumentError } from "@refadgen/errors";
import { assertSize, type Size } from "./image.js";

/**
 * - `nearest`: PyTorch's `interpolate(mode="nearest")`;
 * - `bilinear`: `interpolate(mode="bilinear", align_corners=False)`, two taps, no antialias (pytorch-fid);
 * - `bilinear-antialias`: the same with `antialias=True` (torchmetrics' FID);
 * - `tf1-bilinear`: TensorFlow 1's, without half-pixel centres (torch-fidelity);
 * - `area`: `interpolate(mode="area")`, the mean over the covered cells.
 */
export type TensorResizeMethod = "nearest" | "bilinear" | "bilinear-antialias" | "tf1-bilinear" | "area";

export interface TensorResizeOptions {
  readonly method: TensorResizeMethod;
}

/** One axis: `values` are `[out, stride]`; output i = Σ values[i, k] · input[index(i, k)]. */
interface Taps {
  readonly stride: number;
  readonly count: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float64Array;
}

const methods: Readonly<Record<TensorResizeMethod, (input: number, output: number) => Taps>> = {
  nearest: nearestTaps,
  bilinear: bilinearTaps,
  "bilinear-antialias": antialiasTaps,
  "tf1-bilinear": tf1Taps,
  area: areaTaps,
};

/**
 * Resizes float planes `[..., H, W]`, say `[C, H, W]` or `[B, C, H, W]`, as PyTorch or TensorFlow do. Positions and weights are
 * computed in float32 like theirs: in the last bits they decide which neighbour is taken.
 *
 * @param dims the tensor's dimensions; the last two are height and width
 * @returns `[..., size.height, size.width]`
 * @throws ArgumentError
 */
export function resizeTensor(data: Float32Array, dims: readonly number[], size: Size, options: TensorResizeOptions): Float32Array {
  assertSize("resizeTensor", size);
  const taps = Object.hasOwn(methods, options?.method) ? methods[options.method] : undefined;
  if (!taps) throw new ArgumentError(`resizeTensor: expected method ${Object.keys(methods).join(", ")}, got ${String(options?.method)}`);
  if (dims.length < 2 || !dims.every((dim) => Number.isInteger(dim) && dim > 0))
    throw new ArgumentError(`resizeTensor: expected dims [..., H, W], all positive, got [${dims.join(", ")}]`);
  const height = dims.at(-2)!;
  const width = dims.at(-1)!;
  const planes = dims.slice(0, -2).reduce((a, b) => a * b, 1);
  if (!(data instanceof Float32Array) || data.length !== planes * height * width) {
    throw new ArgumentError(
      `resizeTensor: expected a Float32Array of ${planes * height * width} values for [${dims.join(", ")}], got ${String(data?.length)}`,
    );
  }
  if (width === size.width && height === size.height) return data.slice();
  const horizontal = alongRows(data, planes * height, width, taps(width, size.width));
  return alongColumns(horizontal, planes, height, size.width, taps(height, size.height));
}

function alongRows(data: Float32Array, rows: number, width: number, taps: Taps): Float32Array {
  const { count, stride, indices, values } = taps;
  const outWidth = count.length;
  const out = new Float32Array(rows * outWidth);
  if (stride === 2 && count.every((taken) => taken === 2)) return twoAlongRows(data, width, taps, out);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = x * stride; k < x * stride + count[x]!; k++) sum += data[row * width + indices[k]!]! * values[k]!;
      out[row * outWidth + x] = sum;
    }
  }
  return out;
}

/** `alongRows` for two taps each, which is most of what is asked for, without the inner loop. */
function twoAlongRows(data: Float32Array, width: number, { count, indices, values }: Taps, out: Float32Array): Float32Array {
  const outWidth = count.length;
  for (let to = 0, row = 0; to < out.length; to += outWidth, row += width) {
    for (let x = 0, k = 0; x < outWidth; x++, k += 2) {
      out[to + x] = data[row + indices[k]!]! * values[k]! + data[row + indices[k + 1]!]! * values[k + 1]!;
    }
  }
  return out;
}

function alongColumns(data: Float32Array, planes: number, height: number, width: number, { count, stride, indices, values }: Taps): Float32Array {
  const outHeight = count.length;
  const out = new Float32Array(planes * outHeight * width);
  const sums = new Float64Array(width);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < outHeight; y++) {
      const to = (plane * outHeight + y) * width;
      if (count[y] === 2) {
        const [upper, lower] = [(plane * height + indices[y * stride]!) * width, (plane * height + indices[y * stride + 1]!) * width];
        const [above, below] = [values[y * stride]!, values[y * stride + 1]!];
        for (let x = 0; x < width; x++) out[to + x] = data[upper + x]! * above + data[lower + x]! * below;
        continue;
      }
      sums.fill(0);
      for (let k = y * stride; k < y * stride + count[y]!; k++) {
        const from = (plane * height + indices[k]!) * width;
        const weight = values[k]!;
        for (let x = 0; x < width; x++) sums[x]! += data[from + x]! * weight;
      }
      for (let x = 0; x < width; x++) out[to + x] = sums[x]!;
    }
  }
  return out;
}

function makeTaps(output: number, stride: number): Taps {
  return { stride, count: new Int32Array(output), indices: new Int32Array(output * stride), values: new Float64Array(output * stride) };
}

function twoTaps(input: number, output: number, position: (i: number, scale: number) => number): Taps {
  const taps = makeTaps(output, 2);
  const scale = Math.fround(input / output);
  for (let i = 0; i < output; i++) {
    const source = position(i, scale);
    const low = Math.min(Math.floor(source), input - 1);
    const fraction = Math.fround(Math.min(source - low, 1));
    taps.count[i] = 2;
    taps.indices.set([low, Math.min(low + 1, input - 1)], i * 2);
    taps.values.set([Math.fround(1 - fraction), fraction], i * 2);
  }
  return taps;
}

/** Source position (i + ½)·scale − ½, not below 0 (pytorch/pytorch aten/src/ATen/native/UpSample.h, area_pixel_compute_source_index). */
function bilinearTaps(input: number, output: number): Taps {
  return twoTaps(input, output, (i, scale) => Math.max(Math.fround(Math.fround(scale * (i + 0.5)) - 0.5), 0));
}

/** Source position i·scale (toshas/torch-fidelity torch_fidelity/interpolate_compat_tensorflow.py). */
function tf1Taps(input: number, output: number): Taps {
  return twoTaps(input, output, (i, scale) => Math.fround(i * scale));
}

/** floor(i·scale) in float32: for 93 → 21 this is not ⌊93·i / 21⌋ everywhere. */
function nearestTaps(input: number, output: number): Taps {
  const taps = makeTaps(output, 1);
  const scale = Math.fround(input / output);
  for (let i = 0; i < output; i++) {
    taps.count[i] = 1;
    taps.indices[i] = Math.min(Math.floor(Math.fround(i * scale)), input - 1);
    taps.values[i] = 1;
  }
  return taps;
}

/** Pillow's bilinear in float32 (pytorch/pytorch aten/src/ATen/native/cpu/UpSampleKernel.cpp, _compute_indices_min_size_weights_aa). */
function antialiasTaps(input: number, output: number): Taps {
  const scale = Math.fround(input / output);
  const support = Math.max(scale, 1);
  const inverse = scale >= 1 ? Math.fround(1 / scale) : 1;
  const taps = makeTaps(output, Math.ceil(support) * 2 + 1);
  for (let i = 0; i < output; i++) {
    const center = Math.fround(scale * (i + 0.5));
    const from = Math.max(Math.trunc(Math.fround(Math.fround(center - support) + 0.5)), 0);
    const n = Math.min(Math.trunc(Math.fround(Math.fround(center + support) + 0.5)), input) - from;
    const weights = new Float32Array(n);
    let sum = 0;
    for (let k = 0; k < n; k++) {
      weights[k] = Math.max(1 - Math.abs(Math.fround(Math.fround(Math.fround(k + from - center) + 0.5) * inverse)), 0);
      sum = Math.fround(sum + weights[k]!);
    }
    taps.count[i] = n;
    for (let k = 0; k < n; k++) {
      taps.indices[i * taps.stride + k] = from + k;
      taps.values[i * taps.stride + k] = Math.fround(weights[k]! / sum);
    }
  }
  return taps;
}

/** Cells ⌊i·in/out⌋ up to ⌈(i+1)·in/out⌉, all alike (adaptive average pooling). */
function areaTaps(input: number, output: number): Taps {
  const taps = makeTaps(output, Math.ceil(input / output) + 1);
  for (let i = 0; i < output; i++) {
    const from = Math.floor((i * input) / output);
    const n = Math.ceil(((i + 1) * input) / output) - from;
    taps.count[i] = n;
    for (let k = 0; k < n; k++) {
      taps.indices[i * taps.stride + k] = from + k;
      taps.values[i * taps.stride + k] = 1 / n;
    }
  }
  return taps;
}
