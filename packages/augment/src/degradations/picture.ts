import { ArgumentError } from "@refadgen/errors";
import type { FloatImage, Image, Size } from "@refadgen/image";

/** What degradations take and give back: 8 bits, 0 to 255, or float32, 0 to 1 (not clipped on the way in). sRGB either way. */
export type Picture = Image | FloatImage;

/** Most pixels of a picture that is degraded. */
const maxPixels = 256_000_000;

export function isFloat(picture: Picture): picture is FloatImage {
  return picture.data instanceof Float32Array;
}

/**
 * Throws unless `picture` is what its type says.
 *
 * @param name the function that the message names
 * @throws ArgumentError
 */
export function checkPicture(name: string, picture: Picture): void {
  if (typeof picture !== "object" || picture === null) throw new ArgumentError(`${name}: expected a picture, got ${String(picture)}`);
  const { width, height, channels, data } = picture;
  for (const [side, value] of Object.entries({ width, height })) {
    if (!Number.isInteger(value) || value < 1) throw new ArgumentError(`${name}: expected ${side} to be a positive integer, got ${String(value)}`);
  }
  if (width * height > maxPixels) throw new ArgumentError(`${name}: expected at most ${maxPixels} pixels, got ${width} × ${height}`);
  if (![1, 2, 3, 4].includes(channels)) throw new ArgumentError(`${name}: expected 1 to 4 channels, got ${String(channels)}`);
  if (!(data instanceof Uint8Array || data instanceof Float32Array)) {
    throw new ArgumentError(`${name}: expected data to be a Uint8Array or a Float32Array, got ${Object.prototype.toString.call(data).slice(8, -1)}`);
  }
  if (data.length !== width * height * channels)
    throw new ArgumentError(`${name}: expected ${width * height * channels} values for ${width} × ${height} × ${channels}, got ${data.length}`);
}

/**
 * Throws unless `mask` has one channel, 8 bits, and the size of the picture.
 *
 * @throws ArgumentError
 */
export function checkMask(name: string, mask: Image, { width, height }: Size): void {
  if (typeof mask !== "object" || mask === null) throw new ArgumentError(`${name}: expected a mask, got ${String(mask)}`);
  checkPicture(`${name}: mask`, mask);
  if (!(mask.data instanceof Uint8Array)) throw new ArgumentError(`${name}: expected a mask of 8 bits, got float32`);
  if (mask.channels !== 1) throw new ArgumentError(`${name}: expected a mask of one channel, got ${mask.channels}`);
  if (mask.width !== width || mask.height !== height)
    throw new ArgumentError(`${name}: expected a mask of the picture's size, ${width} × ${height}, got ${mask.width} × ${mask.height}`);
}

/** Throws unless the number is finite and from `least` to `most`. */
export function checkNumber(name: string, field: string, value: unknown, least: number, most: number): void {
  if (typeof value !== "number" || !(value >= least && value <= most) || !Number.isFinite(value))
    throw new ArgumentError(`${name}: expected ${field} to be a number from ${least} to ${most}, got ${String(value)}`);
}

/** As `checkNumber`, for whole numbers. */
export function checkInteger(name: string, field: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most)
    throw new ArgumentError(`${name}: expected ${field} to be a whole number from ${least} to ${most}, got ${String(value)}`);
}

/** As `checkNumber`, for lists of a given length. */
export function checkNumbers(name: string, field: string, values: unknown, length: number, least: number, most: number): void {
  if (!Array.isArray(values) || values.length !== length)
    throw new ArgumentError(`${name}: expected ${field} to be ${length} numbers, got ${JSON.stringify(values) ?? String(values)}`);
  for (const [index, value] of values.entries()) checkNumber(name, `${field}[${index}]`, value, least, most);
}

/** How many of a picture's channels are colours; the rest is alpha. */
export function colourChannels({ channels }: Picture): 1 | 3 {
  return channels < 3 ? 1 : 3;
}

/** A picture of the same kind with other values. */
export function withData<P extends Picture>(picture: P, data: P["data"], size: Size = picture): P {
  return { ...picture, width: size.width, height: size.height, data };
}

/** 0 to 1 as 8 bits: floor(255 v + 0.5), clipped. */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 1 ? 255 : Math.floor(value * 255 + 0.5);
}
