import { ArgumentError } from "@refadgen/errors";
import type { Rectangle, Size } from "@refadgen/image";

/** A mask of 0 and 1, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  /** `[H, W]`, 1 where the product is. */
  readonly data: Uint8Array;
}

export function emptyMask({ width, height }: Size): Mask {
  return { width, height, data: new Uint8Array(width * height) };
}

/** 1 where a level `[H, W]` is `threshold` or above. */
export function thresholdMask({ width, height }: Size, levels: ArrayLike<number>, threshold = 128): Mask {
  const data = new Uint8Array(width * height);
  for (let index = 0; index < data.length; index++) if (levels[index]! >= threshold) data[index] = 1;
  return { width, height, data };
}

/** Number of ones. */
export function maskArea({ data }: Mask): number {
  let area = 0;
  for (const value of data) area += value;
  return area;
}

/** The smallest box around the ones; undefined for an empty mask. */
export function maskBox({ width, height, data }: Mask): Rectangle | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  return right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Intersection over union of two masks of one size; 1 for two empty ones. */
export function maskIoU(first: Mask, second: Mask): number {
  if (first.width !== second.width || first.height !== second.height) {
    throw new ArgumentError(`maskIoU: expected masks of one size, got ${first.width} × ${first.height} and ${second.width} × ${second.height}`);
  }
  let [both, either] = [0, 0];
  for (let index = 0; index < first.data.length; index++) {
    both += first.data[index]! & second.data[index]!;
    either += first.data[index]! | second.data[index]!;
  }
  return either === 0 ? 1 : both / either;
}

/** Intersection over union of two boxes. */
export function boxIoU(first: Rectangle, second: Rectangle): number {
  const overlap = (from: number, length: number, otherFrom: number, otherLength: number) =>
    Math.max(0, Math.min(from + length, otherFrom + otherLength) - Math.max(from, otherFrom));
  const both = overlap(first.left, first.width, second.left, second.width) * overlap(first.top, first.height, second.top, second.height);
  return both === 0 ? 0 : both / (first.width * first.height + second.width * second.height - both);
}

/** @throws ArgumentError unless the mask is whole and holds 0 and 1 only; 0 and 255 is the usual mistake */
export function assertMask(name: string, { width, height, data }: Mask): void {
  if (!(data instanceof Uint8Array) || data.length !== width * height) {
    throw new ArgumentError(`${name}: expected a mask of ${width} × ${height} bytes, got ${data?.length}`);
  }
  const other = data.find((value) => value > 1);
  if (other !== undefined) throw new ArgumentError(`${name}: expected a mask of 0 and 1, got ${other}`);
}
