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
  for (let c = 0; c < channels; c++) {
    const x = Float64Array.from({ length: area }, (_, i) => a.data[i * channels + c]!);
    const y = Float64Array.from({ length: area }, (_, i) => b.data[i * channels + c]!);
    const mean = (of: (i: number) => number) =>
      smoothed(
        Float64Array.from({ length: area }, (_, i) => of(i)),
        width,
        height,
        taps,
      );
    const [mx, my] = [mean((i) => x[i]!), mean((i) => y[i]!)];
    const [xx, yy, xy] = [mean((i) => x[i]! ** 2), mean((i) => y[i]! ** 2), mean((i) => x[i]! * y[i]!)];
    const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
    let sum = 0;
    for (let row = 5; row < height - 5; row++) {
      for (let i = row * width + 5; i < (row + 1) * width - 5; i++) {
        const product = mx[i]! * my[i]!;
        const squares = mx[i]! ** 2 + my[i]! ** 2;
        sum += ((2 * product + c1) * (2 * (xy[i]! - product) + c2)) / ((squares + c1) * (xx[i]! + yy[i]! - squares + c2));
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
function smoothed(values: Float64Array, width: number, height: number, taps: Float64Array): Float64Array {
  const between = new Float64Array(values.length);
  const out = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 5; x < width - 5; x++) {
      let sum = 0;
      for (let k = 0; k < 11; k++) sum += taps[k]! * values[y * width + x + k - 5]!;
      between[y * width + x] = sum;
    }
  }
  for (let y = 5; y < height - 5; y++) {
    for (let k = 0; k < 11; k++) {
      const weight = taps[k]!;
      const from = (y + k - 5) * width;
      for (let x = 0; x < width; x++) out[y * width + x]! += weight * between[from + x]!;
    }
  }
  return out;
}
