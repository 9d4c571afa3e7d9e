import { ArgumentError } from "@refadgen/errors";
import { expectSameSize, type Planes } from "./planes.js";

/** Mean squared difference over all values. */
export function meanSquaredError(a: Planes, b: Planes): number {
  expectSameSize("meanSquaredError", a, b);
  let sum = 0;
  for (let index = 0; index < a.data.length; index++) sum += (a.data[index]! - b.data[index]!) ** 2;
  return sum / a.data.length;
}

/**
 * Peak signal-to-noise ratio in decibels; infinite for equal pictures.
 *
 * @param range what the values span, for instance 255
 */
export function peakSignalToNoise(meanSquared: number, range: number): number {
  if (!(range > 0)) throw new ArgumentError(`peakSignalToNoise: expected a range above 0, got ${range}`);
  return 10 * Math.log10((range * range) / meanSquared);
}

/** piq's PSNR of one pair: 1e-8 is added to the error on the scale of 0 to 1, so equal pictures have 80 dB. Source: piq/psnr.py. */
export function piqSignalToNoise(meanSquared: number, range: number): number {
  return -10 * Math.log10(meanSquared / (range * range) + 1e-8);
}
