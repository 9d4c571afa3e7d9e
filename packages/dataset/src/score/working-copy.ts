import { type Image, resizeImage, toRgb } from "@refadgen/image";
import type { ProductMask } from "./product-mask.js";

/** Pixels of the copy that detectors look at; larger pictures are reduced to it, so that what they see does not depend on the camera's resolution. */
const workingArea = 163_840;

/** A reduced copy of a picture, in planes. */
export interface WorkingCopy {
  readonly width: number;
  readonly height: number;
  /** Side of the copy over side of the picture, at most 1. */
  readonly scale: number;
  /** `[H, W, 3]` */
  readonly rgb: Uint8Array;
  /** `[H, W]`, 0 to 255: Rec. 601 luma. */
  readonly luma: Float32Array;
}

export function workingCopy(image: Image, area: number = workingArea): WorkingCopy {
  const scale = Math.min(1, Math.sqrt(area / (image.width * image.height)));
  const size = { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) };
  const rgb = toRgb(scale === 1 ? image : resizeImage(toRgb(image), size, { filter: "bilinear" })).data;
  return { ...size, scale, rgb, luma: lumaOf(rgb) };
}

/** Rec. 601 luma of `[H, W, 3]`. */
export function lumaOf(rgb: Uint8Array): Float32Array {
  const luma = new Float32Array(rgb.length / 3);
  for (let pixel = 0, from = 0; pixel < luma.length; pixel++, from += 3)
    luma[pixel] = 0.299 * rgb[from]! + 0.587 * rgb[from + 1]! + 0.114 * rgb[from + 2]!;
  return luma;
}

/** The mask on the copy's canvas: 1 where at least half of a pixel is the product. */
export function workingMask(mask: ProductMask, { width, height }: WorkingCopy): Uint8Array {
  if (mask.width === width && mask.height === height) return mask.data;
  const levels = new Uint8Array(mask.data.length);
  for (let pixel = 0; pixel < levels.length; pixel++) levels[pixel] = mask.data[pixel]! * 255;
  const { data } = resizeImage({ width: mask.width, height: mask.height, channels: 1, data: levels }, { width, height }, { filter: "box" });
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = data[pixel]! >= 128 ? 1 : 0;
  return data;
}
