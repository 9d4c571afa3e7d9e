import { ArgumentError } from "@refadgen/errors";
import { type Color, composite } from "./composite.js";
import type { Rectangle } from "./crop.js";
import { assertImage, assertSize, type Image, type Size } from "./image.js";
import { type ResizeOptions, resizeImage } from "./resize.js";

/** The size of a picture whose short side is scaled to `shortSide`: the long side is truncated, not rounded. */
export function torchvisionSize(size: Size, shortSide: number): Size {
  assertSize("torchvisionSize", size);
  if (!Number.isInteger(shortSide) || shortSide < 1)
    throw new ArgumentError(`torchvisionSize: expected shortSide to be a positive integer, got ${String(shortSide)}`);
  const { width, height } = size;
  return width <= height
    ? { width: shortSide, height: Math.trunc((shortSide * height) / width) }
    : { width: Math.trunc((shortSide * width) / height), height: shortSide };
}

/**
 * Resizes so that the short side becomes `shortSide`, the aspect ratio kept: torchvision's `Resize(int)` on a PIL picture, and
 * the resize of transformers' slow CLIPImageProcessor.
 *
 * @throws ArgumentError
 */
export function torchvisionResize(image: Image, shortSide: number, options: ResizeOptions = {}): Image {
  assertImage("torchvisionResize", image);
  return resizeImage(image, torchvisionSize(image, shortSide), options);
}

/** Where a picture of `size` lies when it is scaled to touch the frame from inside and centred in it. */
export function fitInside(size: Size, frame: Size): Rectangle {
  assertSize("fitInside", size);
  assertSize("fitInside", frame);
  const scale = Math.min(frame.width / size.width, frame.height / size.height);
  const width = Math.min(Math.max(Math.round(size.width * scale), 1), frame.width);
  const height = Math.min(Math.max(Math.round(size.height * scale), 1), frame.height);
  return { left: Math.floor((frame.width - width) / 2), top: Math.floor((frame.height - height) / 2), width, height };
}

export interface LetterboxOptions extends ResizeOptions {
  /** The bars around the picture, and what shows through its alpha. Default white. */
  readonly background?: Color;
}

/**
 * Scales a picture to fit into `size` whole, aspect ratio kept, and centres it on a background; `fitInside` says where it lies.
 *
 * @returns RGB
 * @throws ArgumentError
 */
export function letterbox(image: Image, size: Size, options: LetterboxOptions = {}): Image {
  assertImage("letterbox", image);
  const place = fitInside(image, size);
  const [red, green, blue] = options.background ?? [255, 255, 255];
  const canvas = new Uint8Array(size.width * size.height * 3);
  for (let i = 0; i < canvas.length; i += 3) canvas.set([red, green, blue], i);
  const resized = resizeImage(image, place, { filter: options.filter ?? "bicubic" });
  return composite(resized, { width: size.width, height: size.height, channels: 3, data: canvas }, place);
}
