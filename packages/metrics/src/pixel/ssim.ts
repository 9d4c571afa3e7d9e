import { ArgumentError } from "@refadgen/errors";
import { expectSameSize, type Planes } from "./planes.js";

/** What weighs a pixel's surroundings, `[rows, columns]`. */
export type SsimWindow =
  | { readonly kind: "gaussian"; readonly sigma: readonly [number, number]; readonly size: readonly [number, number] }
  | { readonly kind: "uniform"; readonly size: readonly [number, number] };

export interface SsimOptions {
  readonly window: SsimWindow;
  /** `reflect`: the map is as large as the picture; `valid`: only where the window lies inside. */
  readonly border: "reflect" | "valid";
  /** What the values span. */
  readonly range: number;
  readonly k1: number;
  readonly k2: number;
  /** Variances below zero, which rounding makes, become zero. */
  readonly clampVariances?: boolean;
  /** Covariances with ddof 1 over the window. */
  readonly sampleCovariance?: boolean;
}

/** Means over the map, one per channel. */
export interface SsimMeans {
  readonly similarity: Float64Array;
  /** Of the contrast term; with `reflect` without the border that the window overlaps. */
  readonly contrast: Float64Array;
}

/** A Gaussian window as torchmetrics sizes it: int(3.5 σ + 0.5) pixels to each side. */
export function gaussianWindow(sigma: number | readonly [number, number], size?: number): SsimWindow {
  const [down, across] = typeof sigma === "number" ? [sigma, sigma] : sigma;
  if (!(down > 0 && across > 0)) throw new ArgumentError(`ssim: expected sigma above 0, got ${String(sigma)}`);
  const sideOf = (value: number) => size ?? Math.trunc(3.5 * value + 0.5) * 2 + 1;
  return { kind: "gaussian", sigma: [down, across], size: [sideOf(down), sideOf(across)] };
}

/** Structural similarity of two pictures of one size (Wang et al. 2004), in float64. */
export function structuralSimilarity(a: Planes, b: Planes, options: SsimOptions): SsimMeans {
  expectSameSize("ssim", a, b);
  const { window, border, range, k1, k2, clampVariances = false, sampleCovariance = false } = options;
  const [rows, columns] = window.size;
  if (![rows, columns].every((side) => Number.isInteger(side) && side > 0 && side % 2 === 1))
    throw new ArgumentError(`ssim: expected windows with odd sides, got ${rows} × ${columns}`);
  const shortest = border === "valid" ? [rows, columns] : [(rows + 1) / 2, (columns + 1) / 2];
  if (a.height < shortest[0]! || a.width < shortest[1]!) {
    throw new ArgumentError(
      `ssim: expected pictures of at least ${shortest[1]} × ${shortest[0]} pixels for this window, got ${a.width} × ${a.height}`,
    );
  }
  const kernels = kernelsOf(window);
  const [c1, c2] = [(k1 * range) ** 2, (k2 * range) ** 2];
  const unbiased = sampleCovariance ? (rows * columns) / (rows * columns - 1) : 1;
  const area = a.height * a.width;
  const similarity = new Float64Array(a.channels);
  const contrast = new Float64Array(a.channels);
  for (let channel = 0; channel < a.channels; channel++) {
    const [x, y] = [a, b].map(({ data }) => padded(data.subarray(channel * area, (channel + 1) * area), a, window.size, border));
    const size = { height: x!.height, width: x!.width };
    const filter = (values: Float64Array) => filtered(values, size, kernels);
    const [xs, ys] = [x!.data, y!.data];
    const [meanX, meanY] = [filter(xs), filter(ys)];
    const [squareX, squareY, crossed] = [filter(products(xs, xs)), filter(products(ys, ys)), filter(products(xs, ys))];
    const [height, width] = [size.height - rows + 1, size.width - columns + 1];
    const skip = border === "reflect" ? ([(rows - 1) / 2, (columns - 1) / 2] as const) : ([0, 0] as const);
    let [total, contrasts, counted] = [0, 0, 0];
    for (let row = 0; row < height; row++) {
      const inner = row >= skip[0] && row < height - skip[0];
      for (let column = 0; column < width; column++) {
        const at = row * width + column;
        const [mx, my] = [meanX[at]!, meanY[at]!];
        let varianceX = (squareX[at]! - mx * mx) * unbiased;
        let varianceY = (squareY[at]! - my * my) * unbiased;
        if (clampVariances) {
          varianceX = Math.max(0, varianceX);
          varianceY = Math.max(0, varianceY);
        }
        const local = (2 * (crossed[at]! - mx * my) * unbiased + c2) / (varianceX + varianceY + c2);
        total += ((2 * mx * my + c1) / (mx * mx + my * my + c1)) * local;
        if (inner && column >= skip[1] && column < width - skip[1]) {
          contrasts += local;
          counted++;
        }
      }
    }
    similarity[channel] = total / (height * width);
    contrast[channel] = contrasts / counted;
  }
  return { similarity, contrast };
}

function products(a: Float64Array, b: Float64Array): Float64Array {
  const values = new Float64Array(a.length);
  for (let index = 0; index < values.length; index++) values[index] = a[index]! * b[index]!;
  return values;
}

function kernelsOf(window: SsimWindow): readonly [Float64Array, Float64Array] {
  const kernel = (axis: 0 | 1) => {
    const side = window.size[axis];
    if (window.kind === "uniform") return new Float64Array(side).fill(1 / side);
    const values = Float64Array.from({ length: side }, (_, index) => Math.exp(-(((index - (side - 1) / 2) / window.sigma[axis]) ** 2) / 2));
    const sum = values.reduce((total, value) => total + value, 0);
    return values.map((value) => value / sum);
  };
  return [kernel(0), kernel(1)];
}

interface Plane {
  readonly data: Float64Array;
  readonly height: number;
  readonly width: number;
}

/** Mirrors the picture at its borders, not repeating the outermost pixels. */
function padded(
  data: Float64Array,
  { height, width }: { readonly height: number; readonly width: number },
  [rows, columns]: readonly [number, number],
  border: "reflect" | "valid",
): Plane {
  if (border === "valid") return { data, height, width };
  const [up, left] = [(rows - 1) / 2, (columns - 1) / 2];
  const size = { height: height + 2 * up, width: width + 2 * left };
  const mirror = (index: number, length: number) => (index < 0 ? -index : index >= length ? 2 * (length - 1) - index : index);
  const from = Int32Array.from({ length: size.width }, (_, column) => mirror(column - left, width));
  const values = new Float64Array(size.height * size.width);
  for (let row = 0; row < size.height; row++) {
    const source = mirror(row - up, height) * width;
    for (let column = 0; column < size.width; column++) values[row * size.width + column] = data[source + from[column]!]!;
  }
  return { data: values, ...size };
}

/** Convolution with both kernels where they lie inside. */
function filtered(
  data: Float64Array,
  { height, width }: { readonly height: number; readonly width: number },
  [down, across]: readonly [Float64Array, Float64Array],
): Float64Array {
  const outWidth = width - across.length + 1;
  const outHeight = height - down.length + 1;
  const wide = new Float64Array(height * outWidth);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < outWidth; column++) {
      let sum = 0;
      const from = row * width + column;
      for (let k = 0; k < across.length; k++) sum += across[k]! * data[from + k]!;
      wide[row * outWidth + column] = sum;
    }
  }
  const out = new Float64Array(outHeight * outWidth);
  for (let row = 0; row < outHeight; row++) {
    for (let k = 0; k < down.length; k++) {
      const weight = down[k]!;
      const from = (row + k) * outWidth;
      const to = row * outWidth;
      for (let column = 0; column < outWidth; column++) out[to + column] = out[to + column]! + weight * wide[from + column]!;
    }
  }
  return out;
}
