import type { Image } from "@refadgen/image";
import type { MiniMask } from "../triplet.js";
import type { Ink } from "./layer.js";

/** Relative light (sRGB weights, linear in level) of the pixels in a box, 0 to 255. */
export function lightOf({ width, height, channels, data }: Image, [left, top, right, bottom]: readonly [number, number, number, number]): number {
  const [x0, x1] = [Math.max(0, Math.floor(left)), Math.min(width, Math.ceil(right))];
  const [y0, y1] = [Math.max(0, Math.floor(top)), Math.min(height, Math.ceil(bottom))];
  let sum = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const at = (y * width + x) * channels;
      sum += 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
    }
  }
  return sum / Math.max(1, (x1 - x0) * (y1 - y0));
}

export function inkLight([red, green, blue]: Ink): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/** Share of a box that is the product. */
export function productShare({ width, height, data }: MiniMask, [left, top, right, bottom]: readonly [number, number, number, number]): number {
  const [x0, x1] = [Math.max(0, Math.floor(left)), Math.min(width, Math.ceil(right))];
  const [y0, y1] = [Math.max(0, Math.floor(top)), Math.min(height, Math.ceil(bottom))];
  let own = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) own += data[y * width + x]!;
  return own / Math.max(1, (x1 - x0) * (y1 - y0));
}

/** `[left, top, right, bottom]` around what a mask marks, ends excluded; undefined where it marks nothing. */
export function markedBox({ width, height, data }: MiniMask): readonly [left: number, top: number, right: number, bottom: number] | undefined {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      if (data[pixel] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
    }
  }
  return right === 0 ? undefined : [left, top, right, bottom];
}

export function markedCount({ data }: MiniMask): number {
  let count = 0;
  for (let pixel = 0; pixel < data.length; pixel++) count += data[pixel]!;
  return count;
}
