import { ArgumentError } from "@refadgen/errors";
import { toRgb, toRgba } from "./color.js";
import { assertImage, type Image } from "./image.js";

/** Red, green, blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

export interface CompositeOptions {
  /** Where the foreground's left edge lies on the background, in pixels; may be negative. Default 0. */
  readonly left?: number;
  /** Where its top edge lies. Default 0. */
  readonly top?: number;
}

/**
 * Lays a picture over another, or over a colour, by its alpha; parts that lie outside the background are cut off. Over an opaque
 * background this is Pillow's `paste` with the alpha as mask, over one with alpha its `alpha_composite`, byte for byte.
 *
 * @param background a colour (the result then has the foreground's size and place, so that `left` and `top` make no sense) or a picture
 * @returns RGB, or RGBA if the background has alpha; of the background's size
 * @throws ArgumentError
 */
export function composite(foreground: Image, background: Image | Color, options: CompositeOptions = {}): Image {
  assertImage("composite", foreground);
  const left = options.left ?? 0;
  const top = options.top ?? 0;
  if (!Number.isInteger(left) || !Number.isInteger(top))
    throw new ArgumentError(`composite: expected left and top to be integers, got ${String(left)}, ${String(top)}`);
  if (isColor(background)) {
    if (left !== 0 || top !== 0) throw new ArgumentError(`composite: expected left and top only with a picture as background, got ${left}, ${top}`);
    return composite(foreground, filled(foreground, background));
  }
  assertImage("composite", background);

  const over = toRgba(foreground);
  const hasAlpha = background.channels === 2 || background.channels === 4;
  const under = hasAlpha ? toRgba(background) : toRgb(background);
  const blend = hasAlpha ? blendWithAlpha : blendOpaque;
  const data = under.data.slice();
  const fromX = Math.max(left, 0);
  const toX = Math.min(left + over.width, under.width);
  for (let y = Math.max(top, 0); y < Math.min(top + over.height, under.height); y++) {
    for (let x = fromX; x < toX; x++) blend(data, (y * under.width + x) * under.channels, over.data, ((y - top) * over.width + x - left) * 4);
  }
  return { ...under, data };
}

/** Pillow src/libImaging/ImagingUtils.h, BLEND. */
function blendOpaque(under: Uint8Array, to: number, over: Uint8Array, from: number): void {
  const alpha = over[from + 3]!;
  for (let c = 0; c < 3; c++) under[to + c] = divideBy255(under[to + c]! * (255 - alpha) + over[from + c]! * alpha + 128);
}

/** Pillow src/libImaging/AlphaComposite.c: 7 more bits inside. */
function blendWithAlpha(under: Uint8Array, to: number, over: Uint8Array, from: number): void {
  const alpha = over[from + 3]!;
  if (alpha === 0) return;
  const outAlpha = alpha * 255 + under[to + 3]! * (255 - alpha);
  const weight = Math.trunc((alpha * 255 * 255 * 128) / outAlpha);
  const rest = 255 * 128 - weight;
  for (let c = 0; c < 3; c++) under[to + c] = divideBy255(over[from + c]! * weight + under[to + c]! * rest + (128 << 7)) >> 7;
  under[to + 3] = divideBy255(outAlpha + 128);
}

/** Rounded division, exact for what 8-bit products give, once 128 is added. */
function divideBy255(value: number): number {
  return ((value >> 8) + value) >> 8;
}

function isColor(background: Image | Color): background is Color {
  if (!Array.isArray(background)) return false;
  if (background.length !== 3 || !background.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)) {
    throw new ArgumentError(`composite: expected a colour of three integers from 0 to 255, got [${background.join(", ")}]`);
  }
  return true;
}

function filled({ width, height }: Image, color: Color): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set(color, i);
  return { width, height, channels: 3, data };
}
