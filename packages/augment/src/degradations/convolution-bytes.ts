import type { Image } from "@refadgen/image";
import { reflect101 } from "./border.js";
import type { Kernel } from "./convolution.js";
import { withKernel } from "./pixel-kernel.js";

/** Beyond this, roundings of sixteen-bit sums add up to half a level. */
const longestReach = 30;
/** Memory of the kernel that one picture may take. */
const mostBytes = 1 << 29;
const one = 32_768;

/**
 * A symmetric filter along both axes, on 16-bit numbers: within one level of exact rounding. Undefined for what it is not made for:
 * long or asymmetric filters, huge pictures.
 */
export function convolveBytesSeparably({ width, height, channels, data }: Image, taps: Float64Array): Uint8Array | undefined {
  const reach = (taps.length - 1) / 2;
  if (reach > longestReach || reach < 1 || !taps.every((tap, i) => tap >= 0 && Math.abs(tap - taps.at(-1 - i)!) < 1e-12)) return undefined;
  const rowLength = width * channels;
  const paddedLength = (width + 2 * reach) * channels;
  if ((height + 2 * reach) * rowLength * 2 + data.length > mostBytes) return undefined;
  // The middle counts twice in the kernel.
  const weights = quantised([taps[reach]! / 2, ...taps.subarray(reach + 1)], one / 2);
  return withKernel(
    [data.length, paddedLength * 2, rowLength * 2 * (height + 2 * reach), weights.length * 2, rowLength * 2],
    (kernel, bytes, line, planes, weightsAt, sums) => {
      const { buffer } = kernel.memory;
      new Uint8Array(buffer, bytes, data.length).set(data);
      new Int16Array(buffer, weightsAt, weights.length).set(weights);
      const padded = new Int16Array(buffer, line, paddedLength);
      const plane = new Int16Array(buffer, planes, rowLength * (height + 2 * reach));
      for (let y = 0; y < height; y++) {
        // Into the middle of the line, then its ends; widening may write past the row, which the ends then overwrite.
        kernel.widen(bytes + y * rowLength, line + reach * channels * 2, rowLength, 6);
        for (let x = 0; x < reach; x++) {
          const left = reflect101(x - reach, width) * channels;
          const right = reflect101(width + x, width) * channels;
          for (let c = 0; c < channels; c++) {
            padded[x * channels + c] = data[y * rowLength + left + c]! << 6;
            padded[(reach + width + x) * channels + c] = data[y * rowLength + right + c]! << 6;
          }
        }
        // What is written past a row, the next one overwrites.
        kernel.symmetricPass(line + reach * channels * 2, planes + (y + reach) * rowLength * 2, rowLength, channels, weightsAt, reach);
      }
      for (let y = 0; y < reach; y++) {
        plane.copyWithin(y * rowLength, (reach + reflect101(y - reach, height)) * rowLength, (reach + reflect101(y - reach, height) + 1) * rowLength);
        const below = reach + reflect101(height + y, height);
        plane.copyWithin((reach + height + y) * rowLength, below * rowLength, (below + 1) * rowLength);
      }
      const out = new Uint8Array(data.length);
      const narrowed = new Uint8Array(buffer, bytes, rowLength);
      for (let y = 0; y < height; y++) {
        kernel.symmetricPass(planes + (y + reach) * rowLength * 2, sums, rowLength, rowLength, weightsAt, reach);
        kernel.narrow(sums, bytes, rowLength, 6);
        out.set(narrowed, y * rowLength);
      }
      return out;
    },
  );
}

/** Any kernel of positive weights, with exact sums; its weights are rounded to 15 bits. Undefined for what it is not made for. */
export function convolveBytes({ width, height, channels, data }: Image, kernel: Kernel): Uint8Array | undefined {
  const taps = Array.from(kernel.values, (value, i) => ({ value, x: i % kernel.width, y: Math.trunc(i / kernel.width) })).filter(
    ({ value }) => value > 1e-6,
  );
  const [reachX, reachY] = [(kernel.width - 1) / 2, (kernel.height - 1) / 2];
  const rowLength = width * channels;
  const paddedLength = (width + 2 * reachX) * channels;
  const rows = height + 2 * reachY;
  if (taps.length > 20_000 || taps.length < 2 || kernel.values.some((value) => value < 0) || paddedLength * rows * 2 > mostBytes) return undefined;
  // The kernel takes them in pairs.
  if (taps.length % 2 === 1) taps.push({ ...taps[0]!, value: 0 });
  const weights = quantised(
    taps.map(({ value }) => value),
    one,
  );
  if (weights.some((weight) => weight >= one)) return undefined;
  return withKernel([paddedLength * rows * 2, taps.length * 4, taps.length * 2, rowLength], (pixels, plane, offsetsAt, weightsAt, bytes) => {
    const { buffer } = pixels.memory;
    const padded = new Int16Array(buffer, plane, paddedLength * rows);
    for (let y = 0; y < height; y++) {
      const start = (y + reachY) * paddedLength;
      for (let i = 0; i < rowLength; i++) padded[start + reachX * channels + i] = data[y * rowLength + i]!;
      for (let x = 0; x < reachX; x++) {
        const left = y * rowLength + reflect101(x - reachX, width) * channels;
        const right = y * rowLength + reflect101(width + x, width) * channels;
        for (let c = 0; c < channels; c++) {
          padded[start + x * channels + c] = data[left + c]!;
          padded[start + (reachX + width + x) * channels + c] = data[right + c]!;
        }
      }
    }
    for (let y = 0; y < reachY; y++) {
      const above = reachY + reflect101(y - reachY, height);
      padded.copyWithin(y * paddedLength, above * paddedLength, (above + 1) * paddedLength);
      const below = reachY + reflect101(height + y, height);
      padded.copyWithin((reachY + height + y) * paddedLength, below * paddedLength, (below + 1) * paddedLength);
    }
    new Int32Array(buffer, offsetsAt, taps.length).set(taps.map(({ x, y }) => (y * paddedLength + x * channels) * 2));
    new Int16Array(buffer, weightsAt, taps.length).set(weights);
    const out = new Uint8Array(data.length);
    const narrowed = new Uint8Array(buffer, bytes, rowLength);
    for (let y = 0; y < height; y++) {
      pixels.sparsePass(plane + y * paddedLength * 2, bytes, rowLength, offsetsAt, weightsAt, taps.length);
      out.set(narrowed, y * rowLength);
    }
    return out;
  });
}

/** Whole numbers in proportion to the values whose sum is exactly `total`: what rounding takes from one goes to the next. */
function quantised(values: readonly number[], total: number): number[] {
  const scale = total / values.reduce((sum, value) => sum + value, 0);
  let [wanted, given] = [0, 0];
  return values.map((value) => {
    wanted += value * scale;
    const whole = Math.round(wanted) - given;
    given += whole;
    return whole;
  });
}
