import { type Image, pillowFilter, resizeImage, toGrey, toRgb } from "@refadgen/image";
import type { Picture } from "../networks/contract.js";
import { modeOf, pillowImage } from "../networks/pictures.js";

/** A picture that is black where its mask is dark, and the mask: 255 inside, 0 outside. */
export interface Masked {
  readonly image: Image;
  readonly mask: Image;
}

/**
 * Brings picture and mask to `size` × `size` as the published code does (Pillow's bicubic, aspect ratio not kept, converted to RGB and L
 * afterwards), and blackens what is outside. Inside is where the resized mask is above 127.
 */
export function maskedPicture(picture: Picture, mask: Picture, size: number): Masked {
  const inside = toGrey(squared(mask, size));
  const image = toRgb(squared(picture, size));
  const flags = inside.data.map((value) => (value > 127 ? 255 : 0));
  const data = image.data.map((value, index) => (flags[Math.floor(index / 3)]! > 0 ? value : 0));
  return { image: { ...image, data }, mask: { ...inside, data: flags } };
}

function squared(picture: Picture, size: number): Image {
  return resizeImage(pillowImage(picture), { width: size, height: size }, { filter: pillowFilter(modeOf(picture), "bicubic") });
}
