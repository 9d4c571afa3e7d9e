import type { Image, Size } from "@refadgen/image";
import type { Kernel } from "./convolution.js";
import { place, taken, withKernel } from "./pixel-kernel.js";

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
  if (data.length > mostBytes) return undefined;
  // The middle counts twice in the kernel.
  const weights = Int16Array.from(quantised([taps[reach]! / 2, ...taps.subarray(reach + 1)], one / 2));
  const rows = 2 * reach + 1;
  return withKernel(
    [data.length, (width + 2 * reach) * channels * 2, (rowLength + 16) * 2 * rows, weights.byteLength, rows * 8],
    (kernel, bytes, line, ring, weightsAt, rowsAt) => {
      place(kernel, bytes, data);
      place(kernel, weightsAt, weights);
      kernel.convolveSeparably(bytes, width, height, channels, weightsAt, reach, line, ring, rowsAt);
      return taken(kernel, bytes, data.length);
    },
  );
}

/** Any kernel of positive weights, with exact sums; its weights are rounded to 15 bits. Undefined for what it is not made for. */
export function convolveBytes({ width, height, channels, data }: Image, kernel: Kernel): Uint8Array | undefined {
  const [reachX, reachY] = [(kernel.width - 1) / 2, (kernel.height - 1) / 2];
  const rowBytes = (width + 2 * reachX) * channels * 2;
  const planeBytes = rowBytes * (height + 2 * reachY);
  if (kernel.values.some((value) => value < 0) || planeBytes > mostBytes) return undefined;
  const taps = Array.from(kernel.values, (value, i) => ({
    value,
    offset: ((i % kernel.width) - reachX) * channels * 2 + (Math.trunc(i / kernel.width) - reachY) * rowBytes,
  })).filter(({ value }) => value > 1e-6);
  if (taps.length > 20_000 || taps.length < 2) return undefined;
  const count = width * channels;
  const symmetric = kernel.values.every((value, i) => Math.abs(value - kernel.values.at(-1 - i)!) < 1e-12);
  const own = taps.find(({ offset }) => offset === 0);
  const offsets = symmetric ? taps.filter(({ offset }) => offset > 0) : taps;
  // The kernel takes them in pairs.
  if (offsets.length % 2 === 1) offsets.push({ offset: 0, value: 0 });
  const values = offsets.map(({ value }) => value);
  const weights = symmetric ? quantised([(own?.value ?? 0) / 2, ...values], one / 2) : quantised(values, one);
  const middle = symmetric ? 2 * weights.shift()! : 0;
  if (middle >= one || weights.some((weight) => weight >= one)) return undefined;
  return withKernel([planeBytes, offsets.length * 4, weights.length * 2, data.length], (pixels, plane, offsetsAt, weightsAt, bytes) => {
    place(pixels, bytes, data);
    place(
      pixels,
      offsetsAt,
      Int32Array.from(offsets, ({ offset }) => offset),
    );
    place(pixels, weightsAt, Int16Array.from(weights));
    pixels.padded(bytes, plane, width, height, channels, reachX, reachY);
    const first = plane + reachY * rowBytes + reachX * channels * 2;
    if (symmetric) pixels.convolveSymmetrically(first, rowBytes, bytes, count, height, middle, offsetsAt, weightsAt, offsets.length);
    else pixels.convolveSparsely(first, rowBytes, bytes, count, height, offsetsAt, weightsAt, offsets.length);
    return taken(pixels, bytes, data.length);
  });
}

/**
 * The same filter along both axes of float32 values, sums in float64, for rows and columns that were padded by half the taps on each side before.
 *
 * @returns width - (taps - 1) by height - (taps - 1) pixels
 */
export function smoothPadded(values: Float32Array, { width, height }: Size, channels: number, taps: Float64Array): Float32Array {
  const columns = width - taps.length + 1;
  const rows = height - taps.length + 1;
  const count = columns * channels;
  const out = new Float32Array(count * rows);
  // A row too few or many: what lies behind an area may be read, and the last row's spare values are written there.
  return withKernel([values.byteLength, count * height * 4, taps.byteLength], (kernel, source, between, tapsAt) => {
    place(kernel, source, values);
    place(kernel, tapsAt, taps);
    for (let y = 0; y < height; y++)
      kernel.smoothFloats(source + y * width * channels * 4, between + y * count * 4, count, channels, tapsAt, taps.length);
    // Down all columns at once: a step is a row.
    kernel.smoothFloats(between, source, count * rows, count, tapsAt, taps.length);
    out.set(new Float32Array(kernel.memory.buffer, source, out.length));
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
