import { ArgumentError } from "@refadgen/errors";
import { assertImage, type Image } from "./image.js";

/**
 * The maximum over `size` × `size` pixels around each, channel by channel: grows the white parts of a mask by ⌊size / 2⌋ pixels.
 * At the border the edge counts as repeated, as in Pillow's `MaxFilter`.
 *
 * @param size odd
 * @throws ArgumentError
 */
export function maxFilter(image: Image, size: number): Image {
  assertImage("maxFilter", image);
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0)
    throw new ArgumentError(`maxFilter: expected size to be an odd positive integer, got ${String(size)}`);
  const { width, height, channels } = image;
  const reach = (size - 1) / 2;
  const data = new Uint8Array(image.data.length);
  const between = new Uint8Array(image.data.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) runningMaximum(image.data, between, y * width * channels + c, channels, width, reach);
    for (let x = 0; x < width; x++) runningMaximum(between, data, x * channels + c, width * channels, height, reach);
  }
  return { width, height, channels, data };
}

/** The maximum over 2·reach + 1 neighbours along one line; beyond its ends nothing can be larger than what is inside. */
function runningMaximum(source: Uint8Array, target: Uint8Array, start: number, step: number, length: number, reach: number): void {
  for (let i = 0; i < length; i++) {
    const last = Math.min(i + reach, length - 1);
    let most = 0;
    for (let k = Math.max(i - reach, 0); k <= last; k++) {
      const value = source[start + k * step]!;
      if (value > most) most = value;
    }
    target[start + i * step] = most;
  }
}
