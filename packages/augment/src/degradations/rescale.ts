import { ArgumentError } from "@refadgen/errors";
import { type ResizeFilter, resizeFloatImage, resizeImage, type Size } from "@refadgen/image";
import { premultiplied } from "./alpha.js";
import { shrinkByArea, stretchLinearly } from "./area-resize.js";
import { checkNumber, checkPicture, isFloat, type Picture } from "./picture.js";

export interface RescaleParams {
  /** Of the small picture, in shares of width and height: 0.01 to 1. */
  readonly factor: number;
  /** One of Pillow's filters, or `"area"` (default): the mean of the area that each pixel stands for, as OpenCV has it. */
  readonly down?: ResizeFilter | "area";
  /** One of Pillow's filters, or `"linear"` (default): bilinear as OpenCV has it, which is much faster. */
  readonly up?: ResizeFilter | "linear";
}

/** A thumbnail that was enlarged again. 8-bit pictures are rounded after each step. */
export function rescale<P extends Picture>(picture: P, params: RescaleParams): P {
  checkPicture("rescale", picture);
  const { down = "area", up = "linear" } = params;
  const small = rescaledSize(picture, params);
  const shrunk =
    down === "area" ? premultiplied(picture, (plain) => shrinkByArea(plain, small)) : pillow(picture, small, checkedFilter("down", down));
  return up === "linear" ? premultiplied(shrunk, (plain) => stretchLinearly(plain, picture)) : pillow(shrunk, picture, checkedFilter("up", up));
}

const filters: readonly ResizeFilter[] = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"];

function checkedFilter(field: string, filter: ResizeFilter): ResizeFilter {
  if (!filters.includes(filter))
    throw new ArgumentError(`rescale: expected ${field} to be ${filters.join(", ")}, area or linear, got ${String(filter)}`);
  return filter;
}

/** The same kind of picture comes back, which the types of `image` cannot say. */
function pillow<P extends Picture>(picture: P, size: Size, filter: ResizeFilter): P {
  return (isFloat(picture) ? resizeFloatImage(picture, size, { filter }) : resizeImage(picture, size, { filter })) as P;
}

/** Size of the small picture: rounded, halves to even, at least 1. */
export function rescaledSize({ width, height }: Size, { factor }: RescaleParams): Size {
  checkNumber("rescale", "factor", factor, 0.01, 1);
  return { width: roundedSide(width * factor), height: roundedSide(height * factor) };
}

function roundedSide(length: number): number {
  const rounded = Math.round(length);
  return Math.max(1, rounded - length === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded);
}
