import type { Image, Size } from "@refadgen/image";
import { gaussianTaps } from "./blur.js";
import { convolveSeparable } from "./convolution.js";
import { applyLight } from "./light-map.js";
import { colourChannels, isFloat, type Picture, withData } from "./picture.js";
import type { Point } from "./warp.js";

/** Something drawn that lies over a picture; of the picture's size. */
export interface Layer {
  /** sRGB 0 to 1, `[H, W, 3]`; not premultiplied. */
  readonly colours: Float32Array;
  /** 0 to 1, `[H, W]`. */
  readonly cover: Float32Array;
}

/** A layer with nothing on it. */
export function emptyLayer({ width, height }: Size): Layer {
  return { colours: new Float32Array(width * height * 3), cover: new Float32Array(width * height) };
}

export interface LayerShadow {
  /** Where the shadow lies, seen from what throws it, px. */
  readonly offset: Point;
  /** Standard deviation of its edge, px. */
  readonly blur: number;
  /** Share of linear light that it takes, 0 to 1. */
  readonly opacity: number;
}

/** Lays a layer over a picture, its shadow first. */
export function layOver<P extends Picture>(picture: P, { colours, cover }: Layer, shadow: LayerShadow): P {
  const lit = applyLight(picture, {
    amount: shadowOf(cover, picture, shadow),
    gain: [1 - shadow.opacity, 1 - shadow.opacity, 1 - 0.92 * shadow.opacity],
  });
  const { channels } = picture;
  const data = lit.data;
  const [full, half] = isFloat(picture) ? [1, 0] : [255, 0.5];
  const grey = colourChannels(picture) === 1;
  for (let pixel = 0; pixel < cover.length; pixel++) {
    const share = cover[pixel]!;
    if (share === 0) continue;
    const at = pixel * channels;
    const own = pixel * 3;
    if (grey) {
      const luma = 0.299 * colours[own]! + 0.587 * colours[own + 1]! + 0.114 * colours[own + 2]!;
      data[at] = data[at]! + share * (luma * full - data[at]!) + half;
    } else for (let c = 0; c < 3; c++) data[at + c] = data[at + c]! + share * (colours[own + c]! * full - data[at + c]!) + half;
    if (channels === 2 || channels === 4) data[at + channels - 1] = data[at + channels - 1]! + share * (full - data[at + channels - 1]!) + half;
  }
  return withData(picture, data);
}

/** The part of a mask that a layer leaves visible. */
export function uncovered(mask: Image, { cover }: Layer): Image {
  return withData(
    mask,
    mask.data.map((value, i) => Math.round(value * (1 - cover[i]!))),
  );
}

function shadowOf(cover: Float32Array, { width, height }: Size, { offset, blur }: LayerShadow): Float32Array {
  // In 8 bits, which the eye cannot tell in a soft shadow, and which blurs much faster.
  const plane: Image = { width, height, channels: 1, data: new Uint8Array(cover.length) };
  const [dx, dy] = offset.map(Math.round) as [number, number];
  for (let y = Math.max(dy, 0); y < Math.min(height + dy, height); y++) {
    for (let x = Math.max(dx, 0); x < Math.min(width + dx, width); x++) plane.data[y * width + x] = 255 * cover[(y - dy) * width + x - dx]!;
  }
  const { data } = blur < 0.3 ? plane : convolveSeparable(plane, gaussianTaps(2 * Math.ceil(2.5 * blur) + 1, blur));
  const amount = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) amount[i] = data[i]! / 255;
  return amount;
}
