import type { Image } from "@refadgen/image";

/** How near a picture of an object comes to the true one. */
export interface ViewScore {
  /** Over the frame, dB. */
  readonly psnr: number;
  /** Over the pixels that the true object touches, dB. */
  readonly psnr_object: number;
  /** Mean over those pixels; Gaussian window of sigma 1.5, 11 × 11, range 1. */
  readonly ssim_object: number;
  /** Of the masks at one half. */
  readonly mask_iou: number;
}

export function scoreView(image: Image, mask: Image, truth: Image, trueMask: Image): ViewScore {
  const { width, height } = truth;
  const pixels = width * height;
  let [total, within, touched, both, either] = [0, 0, 0, 0, 0];
  for (let i = 0; i < pixels; i++) {
    let error = 0;
    for (let c = 0; c < 3; c++) error += ((image.data[i * 3 + c]! - truth.data[i * 3 + c]!) / 255) ** 2 / 3;
    total += error;
    if (trueMask.data[i]! > 0) {
      within += error;
      touched++;
    }
    const [a, b] = [mask.data[i]! >= 127.5, trueMask.data[i]! >= 127.5];
    if (a && b) both++;
    if (a || b) either++;
  }
  let similarity = 0;
  for (let c = 0; c < 3; c++) {
    const x = Float64Array.from({ length: pixels }, (_, i) => image.data[i * 3 + c]! / 255);
    const y = Float64Array.from({ length: pixels }, (_, i) => truth.data[i * 3 + c]! / 255);
    const smooth = (values: Float64Array): Float64Array => windowMean(values, width, height);
    const [mx, my] = [smooth(x), smooth(y)];
    const [mxx, myy, mxy] = [smooth(x.map((v) => v * v)), smooth(y.map((v) => v * v)), smooth(x.map((v, i) => v * y[i]!))];
    for (let i = 0; i < pixels; i++) {
      if (!(trueMask.data[i]! > 0)) continue;
      const [a, b] = [mx[i]!, my[i]!];
      const [vx, vy, cov] = [mxx[i]! - a * a, myy[i]! - b * b, mxy[i]! - a * b];
      similarity += ((2 * a * b + 1e-4) * (2 * cov + 9e-4)) / ((a * a + b * b + 1e-4) * (vx + vy + 9e-4)) / 3;
    }
  }
  const decibel = (error: number): number => (error === 0 ? 99 : -10 * Math.log10(error));
  return { psnr: decibel(total / pixels), psnr_object: decibel(within / touched), ssim_object: similarity / touched, mask_iou: both / either };
}

/** scipy's gaussian filter as scikit-image calls it: truncated at 5 pixels, mirrored at the border with the edge repeated. */
function windowMean(values: Float64Array, width: number, height: number): Float64Array {
  const taps = Array.from({ length: 11 }, (_, i) => Math.exp(-((i - 5) ** 2) / 4.5));
  const sum = taps.reduce((a, b) => a + b, 0);
  const mirrored = (i: number, n: number): number => (i < 0 ? -i - 1 : i >= n ? 2 * n - 1 - i : i);
  const pass = (from: Float64Array, step: number, length: number, lines: number, lineStep: number): Float64Array => {
    const to = new Float64Array(from.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        let mean = 0;
        for (let k = -5; k <= 5; k++) mean += (taps[k + 5]! / sum) * from[line * lineStep + mirrored(i + k, length) * step]!;
        to[line * lineStep + i * step] = mean;
      }
    }
    return to;
  };
  return pass(pass(values, 1, width, height, width), width, height, width, 1);
}
