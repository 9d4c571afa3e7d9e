import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { gaussianTaps } from "./blur.js";
import { checkPicture } from "./picture.js";

/**
 * Structural similarity, the mean over pixels and channels: Gaussian window of sigma 1.5 (11 × 11), population statistics, 8-bit range,
 * a border of 5 pixels left out. As scikit-image's `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`.
 *
 * @throws ArgumentError unless both are of one size, at least 11 × 11
 */
export function ssim(a: Image, b: Image): number {
  checkPair("ssim", a, b);
  const { width, height, channels } = a;
  if (width < 11 || height < 11) throw new ArgumentError(`ssim: expected at least 11 × 11 pixels, got ${width} × ${height}`);
  const taps = gaussianTaps(11, 1.5);
  const area = width * height;
  let total = 0;
  const [x, y, xx, yy, xy] = Array.from({ length: 5 }, () => new Float32Array(area)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < area; i++) {
      const [u, v] = [a.data[i * channels + c]!, b.data[i * channels + c]!];
      x[i] = u;
      y[i] = v;
      xx[i] = u * u;
      yy[i] = v * v;
      xy[i] = u * v;
    }
    const [mx, my, mxx, myy, mxy] = [x, y, xx, yy, xy].map((values) => smoothed(values, width, height, taps)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
    let sum = 0;
    for (let row = 5; row < height - 5; row++) {
      for (let i = row * width + 5; i < (row + 1) * width - 5; i++) {
        const product = mx[i]! * my[i]!;
        const squares = mx[i]! ** 2 + my[i]! ** 2;
        sum += ((2 * product + c1) * (2 * (mxy[i]! - product) + c2)) / ((squares + c1) * (mxx[i]! + myy[i]! - squares + c2));
      }
    }
    total += sum / ((width - 10) * (height - 10));
  }
  return total / channels;
}

/** Peak signal-to-noise ratio of 8-bit pictures, dB; infinite where they are equal. */
export function psnr(a: Image, b: Image): number {
  checkPair("psnr", a, b);
  let squares = 0;
  for (let i = 0; i < a.data.length; i++) squares += (a.data[i]! - b.data[i]!) ** 2;
  return 10 * Math.log10((255 * 255 * a.data.length) / squares);
}

function checkPair(name: string, a: Image, b: Image): void {
  checkPicture(name, a);
  checkPicture(name, b);
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels)
    throw new ArgumentError(
      `${name}: expected pictures of one size, got ${a.width} × ${a.height} × ${a.channels} and ${b.width} × ${b.height} × ${b.channels}`,
    );
}

/** Only what lies 5 pixels or more inside is right. */
function smoothed(values: Float32Array, width: number, height: number, taps: Float64Array): Float64Array {
  const between = new Float64Array(values.length);
  const out = new Float64Array(values.length);
  // The window is symmetric: pairs of neighbours share a weight.
  const [t0, t1, t2, t3, t4, t5] = taps as unknown as readonly [number, number, number, number, number, number];
  const pass = (from: ArrayLike<number>, to: Float64Array, step: number, start: number, end: number) => {
    for (let i = start; i < end; i++) {
      to[i] =
        t5 * from[i]! +
        t4 * (from[i - step]! + from[i + step]!) +
        t3 * (from[i - 2 * step]! + from[i + 2 * step]!) +
        t2 * (from[i - 3 * step]! + from[i + 3 * step]!) +
        t1 * (from[i - 4 * step]! + from[i + 4 * step]!) +
        t0 * (from[i - 5 * step]! + from[i + 5 * step]!);
    }
  };
  pass(values, between, 1, 5, values.length - 5);
  pass(between, out, width, 5 * width, (height - 5) * width);
  return out;
}
