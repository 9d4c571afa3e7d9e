import { ArgumentError } from "@refadgen/errors";
import { reflect101 } from "./border.js";
import { convolveBytes, convolveBytesSeparably, smoothPadded } from "./convolution-bytes.js";
import { isFloat, type Picture, withData } from "./picture.js";

/** A kernel of odd sides, its centre in the middle. */
export interface Kernel {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`. */
  readonly values: Float64Array;
}

/**
 * Weighs the neighbourhood of every value (correlation, as OpenCV's filter2D); at the border the picture is reflected.
 * All channels alike.
 */
export function convolve<P extends Picture>(picture: P, kernel: Kernel): P {
  if (!isFloat(picture)) {
    const bytes = convolveBytes(picture, kernel);
    if (bytes) return withData(picture, bytes);
  }
  const { width, height, channels } = picture;
  const [reachX, reachY] = [(kernel.width - 1) / 2, (kernel.height - 1) / 2];
  const { padded, rowLength } = padRows(picture, reachX);
  const rows = width * channels;
  const sums = new Float64Array(rows);
  const out = isFloat(picture) ? new Float32Array(picture.data.length) : new Uint8ClampedArray(picture.data.length);
  const taps = tapsOf(kernel, channels);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (const { row, offset, weight } of taps) {
      const start = reflect101(y + row - reachY, height) * rowLength + offset;
      for (let i = 0, from = start; i < rows; i++, from++) sums[i]! += padded[from]! * weight;
    }
    store(sums, out, y * rows);
  }
  return withData(picture, finished(out) as P["data"]);
}

/** The same for a kernel that is `taps` along both axes, in two passes. */
export function convolveSeparable<P extends Picture>(picture: P, taps: Float64Array): P {
  if (!isFloat(picture)) {
    const bytes = convolveBytesSeparably(picture, taps);
    if (bytes) return withData(picture, bytes);
  }
  const { width, height, channels } = picture;
  const reach = (taps.length - 1) / 2;
  const { padded, rowLength } = padRows(picture, reach);
  // Rows reflected above and below too; then both passes see plain memory.
  const whole = new Float32Array(rowLength * (height + 2 * reach));
  for (let y = 0; y < height + 2 * reach; y++) {
    const from = reflect101(y - reach, height) * rowLength;
    whole.set(padded.subarray(from, from + rowLength), y * rowLength);
  }
  const smooth = smoothPadded(whole, { width: width + 2 * reach, height: height + 2 * reach }, channels, taps);
  if (isFloat(picture)) return withData(picture, smooth as P["data"]);
  const out = new Uint8ClampedArray(smooth.length);
  store(smooth, out, 0);
  return withData(picture, finished(out) as P["data"]);
}

/** Throws for kernels of even or no size. */
export function checkKernelSize(name: string, field: string, size: unknown): void {
  if (!Number.isSafeInteger(size) || Number(size) < 1 || Number(size) > 1023 || Number(size) % 2 === 0)
    throw new ArgumentError(`${name}: expected ${field} to be an odd whole number up to 1023, got ${String(size)}`);
}

/** Each row with the pixels reflected at its ends. */
function padRows(picture: Picture, reach: number): { readonly padded: Float32Array | Uint8Array; readonly rowLength: number } {
  const { width, height, channels, data } = picture;
  const rowLength = (width + 2 * reach) * channels;
  const padded = isFloat(picture) ? new Float32Array(rowLength * height) : new Uint8Array(rowLength * height);
  for (let y = 0; y < height; y++) {
    const start = y * rowLength;
    padded.set(data.subarray(y * width * channels, (y + 1) * width * channels), start + reach * channels);
    for (let x = -reach; x < width + reach; x++) {
      if (x === 0) x = width;
      if (x >= width + reach) break;
      const from = (y * width + reflect101(x, width)) * channels;
      for (let c = 0; c < channels; c++) padded[start + (x + reach) * channels + c] = data[from + c]!;
    }
  }
  return { padded, rowLength };
}

function tapsOf({ width, values }: Kernel, channels: number): { readonly row: number; readonly offset: number; readonly weight: number }[] {
  return Array.from(values, (weight, i) => ({ row: Math.trunc(i / width), offset: (i % width) * channels, weight })).filter(
    ({ weight }) => weight !== 0,
  );
}

function store(sums: Float64Array | Float32Array, out: Float32Array | Uint8ClampedArray, start: number): void {
  if (out instanceof Float32Array) out.set(sums, start);
  // Halves up, which the conversion would round to even.
  else for (let i = 0; i < sums.length; i++) out[start + i] = Math.floor(sums[i]! + 0.5);
}

function finished(out: Float32Array | Uint8ClampedArray): Float32Array | Uint8Array {
  return out instanceof Float32Array ? out : new Uint8Array(out.buffer);
}
