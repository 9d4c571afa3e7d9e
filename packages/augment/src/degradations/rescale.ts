import { type ResizeFilter, resizeFloatImage, resizeImage, type Size } from "@refadgen/image";
import { checkNumber, checkPicture, isFloat, type Picture } from "./picture.js";

export interface RescaleParams {
  /** Of the small picture, in shares of width and height: 0.01 to 1. */
  readonly factor: number;
  /** Default `"bicubic"`. */
  readonly down?: ResizeFilter;
  /** Default `"bilinear"`. */
  readonly up?: ResizeFilter;
}

/** A thumbnail that was enlarged again. Both steps are Pillow's, rounded to 8 bits for 8-bit pictures. */
export function rescale<P extends Picture>(picture: P, params: RescaleParams): P {
  checkPicture("rescale", picture);
  const { down = "bicubic", up = "bilinear" } = params;
  const small = rescaledSize(picture, params);
  // Both are one kind of picture, which the type of the argument says.
  if (isFloat(picture)) return resizeFloatImage(resizeFloatImage(picture, small, { filter: down }), picture, { filter: up }) as P;
  return resizeImage(resizeImage(picture, small, { filter: down }), picture, { filter: up }) as P;
}

/** Size of the small picture: rounded, halves to even, at least 1. */
export function rescaledSize({ width, height }: Size, { factor }: RescaleParams): Size {
  checkNumber("rescale", "factor", factor, 0.01, 1);
  return { width: shrunk(width * factor), height: shrunk(height * factor) };
}

function shrunk(length: number): number {
  const rounded = Math.round(length);
  return Math.max(1, rounded - length === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded);
}
