import type { Image } from "@refadgen/image";
import type { RenderedView } from "./options.js";

/**
 * A picture as 8-bit RGB, rounded to the nearest level.
 *
 * With `alpha`: RGBA with straight (not premultiplied) colours, of a picture drawn on black.
 */
export function viewToImage({ width, height, rgb, alpha }: RenderedView, options: { readonly alpha?: boolean } = {}): Image {
  const pixels = width * height;
  if (!options.alpha) return { data: Uint8Array.from(rgb, level), width, height, channels: 3 };
  const data = new Uint8Array(pixels * 4);
  for (let i = 0; i < pixels; i++) {
    const cover = alpha[i]!;
    // Below half a level there is no colour left to speak of.
    const scale = cover > 1 / 510 ? 1 / cover : 0;
    for (let c = 0; c < 3; c++) data[i * 4 + c] = level(rgb[i * 3 + c]! * scale);
    data[i * 4 + 3] = level(cover);
  }
  return { data, width, height, channels: 4 };
}

function level(value: number): number {
  return Math.min(Math.max(Math.floor(value * 255 + 0.5), 0), 255);
}
