import { ArgumentError } from "@refadgen/errors";
import { assertImage, assertSize, type Image, type Size } from "./image.js";

/** A rectangle in pixels; `left` and `top` may be negative and the rectangle may reach beyond the picture. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

export interface CenterCropOptions {
  /**
   * Which way an odd margin goes. `half-to-even` (default) is torchvision's CenterCrop: round((H − h) / 2), halves to the even
   * number. `floor` is that of transformers' slow CLIPImageProcessor: ⌊(H − h) / 2⌋. They part when the margin is 3, 7, 11…
   */
  readonly rounding?: "half-to-even" | "floor";
}

/**
 * The pixels inside a rectangle; what lies outside the picture is 0 (black, and transparent where there is alpha).
 *
 * @throws ArgumentError
 */
export function cropImage(image: Image, rectangle: Rectangle): Image {
  assertImage("cropImage", image);
  assertSize("cropImage", rectangle);
  const { left, top, width, height } = rectangle;
  if (!Number.isInteger(left) || !Number.isInteger(top))
    throw new ArgumentError(`cropImage: expected left and top to be integers, got ${String(left)}, ${String(top)}`);
  const { channels, data } = image;
  const out = new Uint8Array(width * height * channels);
  const fromX = Math.max(left, 0);
  const toX = Math.min(left + width, image.width);
  for (let y = Math.max(top, 0); y < Math.min(top + height, image.height) && fromX < toX; y++) {
    out.set(data.subarray((y * image.width + fromX) * channels, (y * image.width + toX) * channels), ((y - top) * width + fromX - left) * channels);
  }
  return { width, height, channels, data: out };
}

/**
 * The middle of a picture; one that is smaller is set into zeros, as torchvision and transformers both do.
 *
 * Source: pytorch/vision torchvision/transforms/functional.py center_crop; huggingface/transformers src/transformers/image_transforms.py center_crop.
 *
 * @throws ArgumentError
 */
export function centerCrop(image: Image, size: Size, options: CenterCropOptions = {}): Image {
  assertImage("centerCrop", image);
  assertSize("centerCrop", size);
  const rounding = options.rounding ?? "half-to-even";
  if (rounding !== "half-to-even" && rounding !== "floor")
    throw new ArgumentError(`centerCrop: expected rounding "half-to-even" or "floor", got ${String(rounding)}`);
  const offset = rounding === "floor" ? (excess: number) => Math.floor(excess / 2) : torchvisionOffset;
  return cropImage(image, { ...size, left: offset(image.width - size.width), top: offset(image.height - size.height) });
}

function torchvisionOffset(excess: number): number {
  if (excess < 0) return -Math.floor(-excess / 2); // padding: the smaller half comes first
  const half = Math.floor(excess / 2);
  return excess % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}
