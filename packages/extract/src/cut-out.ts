import { ArgumentError } from "@refadgen/errors";
import { type Color, type Image, toRgb } from "@refadgen/image";
import { squaredDistance } from "./mask/distance.js";
import { assertMask, type Mask } from "./mask/mask.js";

export interface CutOutOptions {
  /** Default white, as RefAdGen was trained. */
  readonly background?: Color;
}

/**
 * The product alone, on the same canvas as the picture: product and picture keep sharing one coordinate system, which training crops rely on.
 *
 * @param image alpha is dropped
 * @param matte a mask (hard edge, as the authors') or the matte of an extraction (soft edge)
 * @returns RGB
 * @throws ArgumentError for another size
 */
export function cutOut(image: Image, matte: Mask | Uint8Array, { background = [255, 255, 255] }: CutOutOptions = {}): Image {
  const { width, height, data } = toRgb(image);
  const levels = matte instanceof Uint8Array ? matte : matteOf(matte, image);
  if (levels.length !== width * height) throw new ArgumentError(`cutOut: expected a matte of ${width} × ${height}, got ${levels.length} values`);
  const out = new Uint8Array(data.length);
  for (let pixel = 0; pixel < levels.length; pixel++) {
    const level = levels[pixel]!;
    for (let channel = 0; channel < 3; channel++) {
      const index = pixel * 3 + channel;
      out[index] = Math.round((data[index]! * level + background[channel]! * (255 - level)) / 255);
    }
  }
  return { width, height, channels: 3, data: out };
}

function matteOf(mask: Mask, { width, height }: Image): Uint8Array {
  assertMask("cutOut", mask);
  if (mask.width !== width || mask.height !== height) {
    throw new ArgumentError(`cutOut: expected a mask of ${width} × ${height}, got ${mask.width} × ${mask.height}`);
  }
  return mask.data.map((value) => value * 255);
}

/**
 * A soft edge for a hard mask: from 0 to 255 over `radius` pixels on either side of its outline, 128 and above inside.
 *
 * @throws ArgumentError for a radius below 0
 */
export function featherMask(mask: Mask, radius: number): Uint8Array {
  assertMask("featherMask", mask);
  if (!(radius >= 0 && Number.isFinite(radius))) throw new ArgumentError(`featherMask: expected a radius of at least 0, got ${radius}`);
  if (radius === 0) return mask.data.map((value) => value * 255);
  const [outward, inward] = [squaredDistance(mask, 1), squaredDistance(mask, 0)];
  return mask.data.map((value, index) => {
    // Outlines run between pixels, half a pixel from either centre.
    const signed = value === 1 ? Math.sqrt(inward[index]!) - 0.5 : 0.5 - Math.sqrt(outward[index]!);
    const level = Math.round(255 * Math.min(1, Math.max(0, 0.5 + signed / (2 * radius))));
    return value === 1 ? Math.max(128, level) : Math.min(127, level);
  });
}
