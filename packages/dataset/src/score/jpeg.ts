import type { Image } from "@refadgen/image";
import { toGrey } from "@refadgen/image";

/** Luminance quantisation of quality 50 in the order of the file, zigzag (ITU-T T.81, Annex K.1). */
const luminance = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92,
  78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
] as const;

/**
 * The quality, 1 to 100 on the scale of the Independent JPEG Group, whose tables are nearest to those of a file.
 *
 * @returns null for bytes that are no JPEG file or hold no table
 */
export function jpegQuality(bytes: Uint8Array): number | null {
  const table = firstTable(bytes);
  if (!table) return null;
  let scale = 0;
  // Values that the format clips to 1 or 255 say little.
  let count = 0;
  for (let index = 0; index < 64; index++) {
    if (table[index]! >= 255) continue;
    scale += (100 * table[index]!) / luminance[index]!;
    count++;
  }
  if (count === 0) return 1;
  scale /= count;
  const quality = scale <= 100 ? (200 - scale) / 2 : 5000 / scale;
  return Math.min(100, Math.max(1, Math.round(quality)));
}

function firstTable(bytes: Uint8Array): number[] | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return undefined;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
      continue;
    }
    const length = bytes[at + 2]! * 256 + bytes[at + 3]!;
    if (length < 2 || at + 2 + length > bytes.length) return undefined;
    if (marker === 0xdb) {
      const wide = bytes[at + 4]! >> 4 === 1;
      const start = at + 5;
      if (start + (wide ? 128 : 64) > at + 2 + length) return undefined;
      return Array.from({ length: 64 }, (_, index) =>
        wide ? bytes[start + 2 * index]! * 256 + bytes[start + 2 * index + 1]! : bytes[start + index]!,
      );
    }
    at += 2 + length;
  }
  return undefined;
}

/** Pixels looked at on each axis at most: blocks show everywhere alike. */
const window = 512;

/**
 * How much more neighbouring columns and rows differ every eighth pixel than in between, 0 (not at all) upwards; above 0.3 blocks are seen. It is taken
 * from the pixels at their own size, so it also tells of pictures that were saved as JPEG earlier and are PNG now, as long as they were not resized.
 */
export function blockiness(image: Image): number | null {
  const { width, height, data } = toGrey(image);
  const across = steps(data, width, height, 1, width);
  const down = steps(data, height, width, width, 1);
  if (across === null && down === null) return null;
  return Math.max(0, ((across ?? down!) + (down ?? across!)) / 2);
}

function steps(data: Uint8Array, length: number, lines: number, step: number, pitch: number): number | null {
  if (length < 24 || lines < 8) return null;
  const sums = new Float64Array(8);
  const counts = new Float64Array(8);
  const skip = Math.max(1, Math.floor(lines / window));
  const last = Math.min(length - 2, window + 1);
  for (let line = 0; line < lines; line += skip) {
    for (let at = 2; at < last; at++) {
      const pixel = line * pitch + at * step;
      const here = data[pixel]! - data[pixel - step]!;
      // A step beyond the slope on either side; capped, so that edges of things do not decide.
      const slope = (data[pixel - step]! - data[pixel - 2 * step]! + data[pixel + step]! - data[pixel]!) / 2;
      sums[at & 7]! += Math.min(24, Math.abs(here - slope));
      counts[at & 7]!++;
    }
  }
  const means = Array.from(sums, (sum, offset) => sum / Math.max(1, counts[offset]!));
  const most = Math.max(...means);
  const rest = [...means].sort((a, b) => a - b)[3]!;
  return (most - rest) / (rest + 0.35);
}
