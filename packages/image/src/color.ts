import { ArgumentError } from "@refadgen/errors";
import { assertImage, type Image } from "./image.js";

/** Pillow's `convert("RGB")`: grey is repeated, alpha is dropped (not blended: see `composite`). A picture that is RGB already is handed back. */
export function toRgb(image: Image): Image {
  assertImage("toRgb", image);
  const { width, height, channels, data } = image;
  if (channels === 3) return image;
  const out = new Uint8Array(width * height * 3);
  const [green, blue] = channels === 4 ? [1, 2] : [0, 0];
  for (let from = 0, to = 0; to < out.length; from += channels, to += 3) {
    out[to] = data[from]!;
    out[to + 1] = data[from + green]!;
    out[to + 2] = data[from + blue]!;
  }
  return { width, height, channels: 3, data: out };
}

/** RGB with alpha: that of the picture, or 255 if it has none. */
export function toRgba(image: Image): Image {
  assertImage("toRgba", image);
  return image.channels === 4 ? image : withAlpha(image, alphaOf(image) ?? opaque(image));
}

/** Pillow's `convert("L")`: (19595 R + 38470 G + 7471 B + 32768) >> 16 (src/libImaging/Convert.c); alpha is dropped. */
export function toGrey(image: Image): Image {
  assertImage("toGrey", image);
  const { width, height, channels, data } = image;
  if (channels === 1) return image;
  const out = new Uint8Array(width * height);
  for (let to = 0, from = 0; to < out.length; to++, from += channels) {
    out[to] = channels === 2 ? data[from]! : (19595 * data[from]! + 38470 * data[from + 1]! + 7471 * data[from + 2]! + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}

/** The alpha channel as a grey picture, or undefined if there is none. */
export function alphaOf(image: Image): Image | undefined {
  assertImage("alphaOf", image);
  const { width, height, channels, data } = image;
  if (channels === 1 || channels === 3) return undefined;
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = data[i * channels + channels - 1]!;
  return { width, height, channels: 1, data: out };
}

/**
 * A picture's colours (RGB) with another picture's grey values as alpha, 255 opaque.
 *
 * @throws ArgumentError unless `alpha` has one channel and the same size
 */
export function withAlpha(image: Image, alpha: Image): Image {
  assertImage("withAlpha", image);
  assertImage("withAlpha", alpha);
  const { width, height } = image;
  if (alpha.channels !== 1 || alpha.width !== width || alpha.height !== height) {
    throw new ArgumentError(`withAlpha: expected an alpha of ${width} × ${height} × 1, got ${alpha.width} × ${alpha.height} × ${alpha.channels}`);
  }
  const { data } = toRgb(image);
  const out = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    out[i * 4] = data[i * 3]!;
    out[i * 4 + 1] = data[i * 3 + 1]!;
    out[i * 4 + 2] = data[i * 3 + 2]!;
    out[i * 4 + 3] = alpha.data[i]!;
  }
  return { width, height, channels: 4, data: out };
}

function opaque({ width, height }: Image): Image {
  return { width, height, channels: 1, data: new Uint8Array(width * height).fill(255) };
}
