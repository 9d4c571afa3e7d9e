import { ArgumentError } from "@refadgen/errors";
import type { PillowMode } from "./container.js";
import { assertFloatImage, assertImage, assertSize, type FloatImage, type Image, type Size } from "./image.js";
import { nearestSources, type ResampleWeights, type ResizeFilter, resampleWeights, resizeFilters } from "./resample-weights.js";

export interface ResizeOptions {
  /** Default "bicubic", as Pillow's `Image.resize`. */
  readonly filter?: ResizeFilter;
}

/**
 * Resizes as `Image.resize` of Pillow 13 does, byte for byte: antialiased, 22-bit integer weights, one pass along rows and one
 * along columns, rounded to 8 bits in between. Alpha is multiplied into the colours around the resize, except for "nearest".
 * The aspect ratio is not kept: see `letterbox` and `torchvisionResize`.
 *
 * Source: python-pillow/Pillow src/libImaging/Resample.c, src/PIL/Image.py.
 *
 * @returns a new picture, also when the size is the same
 * @throws ArgumentError
 */
export function resizeImage(image: Image, size: Size, options: ResizeOptions = {}): Image {
  const filter = checked("resizeImage", size, options);
  assertImage("resizeImage", image);
  const { width, height } = size;
  if (width === image.width && height === image.height) return { ...image, data: image.data.slice() };
  if (filter === "nearest") return { ...image, width, height, data: nearest(image, size, new Uint8Array(width * height * image.channels)) };

  const hasAlpha = image.channels === 2 || image.channels === 4;
  const data = inTwoPasses<Uint8Array>(
    image,
    size,
    hasAlpha ? premultiplied(image) : image.data,
    (pixels, rows) => rows8(pixels, rows, image, quantised(resampleWeights(image.width, width, filter))),
    (pixels, columns) => columns8(pixels, columns * image.channels, quantised(resampleWeights(image.height, height, filter))),
  );
  if (hasAlpha) divideByAlpha(data, image.channels);
  return { width, height, channels: image.channels, data };
}

/**
 * Resizes as Pillow does in mode "F", each channel by itself: doubles inside, float32 after each pass, no rounding and no
 * clipping, so that bicubic and Lanczos overshoot. Alpha gets no special treatment. clean-fid's "clean" resize is this, bicubic, then clipped.
 *
 * @throws ArgumentError
 */
export function resizeFloatImage(image: FloatImage, size: Size, options: ResizeOptions = {}): FloatImage {
  const filter = checked("resizeFloatImage", size, options);
  assertFloatImage("resizeFloatImage", image);
  const { width, height } = size;
  if (width === image.width && height === image.height) return { ...image, data: image.data.slice() };
  if (filter === "nearest") return { ...image, width, height, data: nearest(image, size, new Float32Array(width * height * image.channels)) };
  const data = inTwoPasses(
    image,
    size,
    image.data,
    (values, rows) => rowsFloat(values, rows, image, resampleWeights(image.width, width, filter)),
    (values, columns) => columnsFloat(values, columns * image.channels, resampleWeights(image.height, height, filter)),
  );
  return { width, height, channels: image.channels, data };
}

/** The filter that Pillow uses for a file of this mode when `filter` is asked for: "nearest" for "1" and "P". */
export function pillowFilter(mode: PillowMode, filter: ResizeFilter): ResizeFilter {
  return mode === "1" || mode === "P" ? "nearest" : filter;
}

/**
 * Which pass comes first matters, because 8 bits (or float32) lie in between. In Pillow 12 it was nearly always the
 * horizontal one; version 13 begins with the vertical one when it takes away more than twice as many rows as the horizontal
 * one takes away columns (python-pillow/Pillow#9549; the factor found by comparing 4884 resizes of Pillow 13.0.0 with both orders).
 */
function inTwoPasses<T>(from: Size, to: Size, data: T, horizontal: (data: T, rows: number) => T, vertical: (data: T, columns: number) => T): T {
  if (from.width === to.width) return vertical(data, to.width);
  if (from.height === to.height) return horizontal(data, to.height);
  const fewerRows = from.height - to.height;
  if (fewerRows > 0 && fewerRows > 2 * (from.width - to.width)) return horizontal(vertical(data, from.width), to.height);
  return vertical(horizontal(data, from.height), to.width);
}

function checked(name: string, size: Size, options: ResizeOptions): ResizeFilter {
  assertSize(name, size);
  const filter = options.filter ?? "bicubic";
  if (!resizeFilters.includes(filter)) throw new ArgumentError(`${name}: expected filter ${resizeFilters.join(", ")}, got ${String(filter)}`);
  return filter;
}

function nearest<T extends Uint8Array | Float32Array>(image: { width: number; height: number; channels: number; data: T }, size: Size, out: T): T {
  const { channels, data } = image;
  const fromX = nearestSources(image.width, size.width);
  const fromY = nearestSources(image.height, size.height);
  let to = 0;
  for (let y = 0; y < size.height; y++) {
    const row = fromY[y]! * image.width;
    for (let x = 0; x < size.width; x++) {
      const from = (row + fromX[x]!) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c]!;
    }
  }
  return out;
}

const fractionBits = 22; // 32 - 8 bits of pixel - 2 bits for sums beyond 1

interface IntegerWeights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly stride: number;
  readonly values: Int32Array;
}

function quantised({ first, count, stride, values }: ResampleWeights): IntegerWeights {
  // Half away from zero; the conversion to Int32Array truncates.
  return { first, count, stride, values: Int32Array.from(values, (weight) => weight * 2 ** fractionBits + (weight < 0 ? -0.5 : 0.5)) };
}

/** `[height, image.width, C]` to `[height, out, C]`. */
function rows8(data: Uint8Array, height: number, image: Image, weights: IntegerWeights): Uint8Array {
  const { channels } = image;
  const { first, count, stride, values } = weights;
  const width = first.length;
  const out = new Uint8ClampedArray(height * width * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * image.width * channels;
    for (let x = 0; x < width; x++) {
      const from = row + first[x]! * channels;
      const k0 = x * stride;
      const k1 = k0 + count[x]!;
      if (channels === 3) {
        let red = 1 << (fractionBits - 1);
        let green = red;
        let blue = red;
        for (let k = k0, i = from; k < k1; k++, i += 3) {
          const weight = values[k]!;
          red = (red + Math.imul(data[i]!, weight)) | 0;
          green = (green + Math.imul(data[i + 1]!, weight)) | 0;
          blue = (blue + Math.imul(data[i + 2]!, weight)) | 0;
        }
        out[to++] = red >> fractionBits;
        out[to++] = green >> fractionBits;
        out[to++] = blue >> fractionBits;
      } else {
        for (let c = 0; c < channels; c++) {
          let sum = 1 << (fractionBits - 1);
          for (let k = k0, i = from + c; k < k1; k++, i += channels) sum = (sum + Math.imul(data[i]!, values[k]!)) | 0;
          out[to++] = sum >> fractionBits;
        }
      }
    }
  }
  return new Uint8Array(out.buffer);
}

/** `[inHeight, rowLength]` to `[out, rowLength]`; row by row, which is how the memory lies. */
function columns8(data: Uint8Array, rowLength: number, weights: IntegerWeights): Uint8Array {
  const { first, count, stride, values } = weights;
  const height = first.length;
  const out = new Uint8ClampedArray(height * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (fractionBits - 1));
    for (let k = 0; k < count[y]!; k++) {
      const weight = values[y * stride + k]!;
      const row = data.subarray((first[y]! + k) * rowLength, (first[y]! + k + 1) * rowLength);
      for (let i = 0; i < rowLength; i++) sums[i] = (sums[i]! + Math.imul(row[i]!, weight)) | 0;
    }
    const target = out.subarray(y * rowLength, (y + 1) * rowLength);
    for (let i = 0; i < rowLength; i++) target[i] = sums[i]! >> fractionBits;
  }
  return new Uint8Array(out.buffer);
}

function rowsFloat(data: Float32Array, height: number, image: FloatImage, weights: ResampleWeights): Float32Array {
  const { channels } = image;
  const { first, count, stride, values } = weights;
  const width = first.length;
  const out = new Float32Array(height * width * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * image.width * channels;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0, i = row + first[x]! * channels + c; k < count[x]!; k++, i += channels) sum += data[i]! * values[x * stride + k]!;
        out[to++] = sum;
      }
    }
  }
  return out;
}

function columnsFloat(data: Float32Array, rowLength: number, weights: ResampleWeights): Float32Array {
  const { first, count, stride, values } = weights;
  const height = first.length;
  const out = new Float32Array(height * rowLength);
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < count[y]!; k++) {
      const weight = values[y * stride + k]!;
      const row = data.subarray((first[y]! + k) * rowLength, (first[y]! + k + 1) * rowLength);
      for (let i = 0; i < rowLength; i++) sums[i]! += row[i]! * weight;
    }
    out.set(sums, y * rowLength);
  }
  return out;
}

/** Colours times alpha, rounded (Pillow src/libImaging/Convert.c, rgbA2rgba; MULDIV255). */
function premultiplied({ channels, data }: Image): Uint8Array {
  const out = data.slice();
  for (let i = 0; i < out.length; i += channels) {
    const alpha = out[i + channels - 1]!;
    for (let c = 0; c < channels - 1; c++) {
      const product = out[i + c]! * alpha + 128;
      out[i + c] = ((product >> 8) + product) >> 8;
    }
  }
  return out;
}

/** The way back, truncated as Pillow does it (rgba2rgbA); in place. */
function divideByAlpha(data: Uint8Array, channels: number): void {
  for (let i = 0; i < data.length; i += channels) {
    const alpha = data[i + channels - 1]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let c = 0; c < channels - 1; c++) data[i + c] = Math.min(Math.trunc((255 * data[i + c]!) / alpha), 255);
  }
}
