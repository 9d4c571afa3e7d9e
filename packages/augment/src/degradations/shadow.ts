import { ArgumentError } from "@refadgen/errors";
import type { FloatImage, Image, Size } from "@refadgen/image";
import { gaussianTaps } from "./blur.js";
import { convolveSeparable } from "./convolution.js";
import { matrixWarp } from "./homography.js";
import { applyLight } from "./light-map.js";
import { checkMask, checkNumber, checkNumbers, checkPicture, type Picture, withData } from "./picture.js";
import { polygonCover } from "./polygon.js";
import { type Point, warpPicture } from "./warp.js";

export interface CastShadowParams {
  /** What lies in shadow: polygons in shares of width and height, which may reach beyond the picture. */
  readonly polygons: readonly (readonly Point[])[];
  /** Standard deviation of the soft edge, px, 0 to 200. */
  readonly penumbra: number;
  /** Gain of linear red, green and blue in full shadow, 0 to 1: shadows are a little bluer. */
  readonly gain: readonly [number, number, number];
}

/** The shadow of something that is not in the picture: a hand, a window frame, leaves. */
export function castShadow<P extends Picture>(picture: P, { polygons, penumbra, gain }: CastShadowParams): P {
  checkPicture("castShadow", picture);
  checkNumber("castShadow", "penumbra", penumbra, 0, 200);
  checkPolygons(polygons);
  return darken(picture, softCover(polygons, penumbra, picture), { gain });
}

/** The shadow whose depth, 0 to 1, is given per pixel `[H, W]`. */
export function darken<P extends Picture>(picture: P, amount: Float32Array, { gain }: { readonly gain: readonly [number, number, number] }): P {
  checkPicture("darken", picture);
  checkNumbers("darken", "gain", gain, 3, 0, 1);
  if (amount.length !== picture.width * picture.height)
    throw new ArgumentError(`darken: expected ${picture.width * picture.height} values, one per pixel, got ${amount.length}`);
  return applyLight(picture, { amount, gain });
}

function checkPolygons(polygons: unknown): void {
  if (!Array.isArray(polygons) || polygons.length > 1000)
    throw new ArgumentError(`castShadow: expected up to 1000 polygons, got ${JSON.stringify(polygons)?.slice(0, 80)}`);
  for (const [index, polygon] of polygons.entries()) {
    if (!Array.isArray(polygon) || polygon.length < 3 || polygon.length > 1000)
      throw new ArgumentError(`castShadow: expected polygons of 3 to 1000 points, got ${String(polygon?.length)}`);
    for (const point of polygon) checkNumbers("castShadow", `polygons[${index}]`, point, 2, -100, 100);
  }
}

/** Drawn small where the edge is soft anyway, then enlarged. */
function softCover(polygons: readonly (readonly Point[])[], penumbra: number, { width, height }: Size): Float32Array {
  const shrink = Math.max(1, Math.floor(penumbra / 2.5));
  const size: Size = { width: Math.ceil(width / shrink), height: Math.ceil(height / shrink) };
  const cover = polygonCover(
    polygons.map((polygon) => polygon.map(([x, y]): Point => [(x * width) / shrink, (y * height) / shrink])),
    size,
  );
  const sigma = penumbra / shrink;
  const plane: FloatImage = { ...size, channels: 1, data: cover };
  const soft = sigma > 0.1 ? convolveSeparable(plane, gaussianTaps(2 * Math.max(1, Math.round(3 * sigma)) + 1, sigma)) : plane;
  return enlarged(soft, shrink, { width, height });
}

function enlarged({ width, height, data }: FloatImage, factor: number, size: Size): Float32Array {
  if (factor === 1) return data;
  const out = new Float32Array(size.width * size.height);
  const place = (i: number, length: number) => Math.min(Math.max((i + 0.5) / factor - 0.5, 0), length - 1);
  for (let y = 0, to = 0; y < size.height; y++) {
    const sourceY = place(y, height);
    const y0 = Math.min(Math.floor(sourceY), Math.max(height - 2, 0));
    const fy = sourceY - y0;
    const below = Math.min(y0 + 1, height - 1) * width;
    for (let x = 0; x < size.width; x++, to++) {
      const sourceX = place(x, width);
      const x0 = Math.min(Math.floor(sourceX), Math.max(width - 2, 0));
      const fx = sourceX - x0;
      const x1 = Math.min(x0 + 1, width - 1);
      const top = data[y0 * width + x0]! * (1 - fx) + data[y0 * width + x1]! * fx;
      const bottom = data[below + x0]! * (1 - fx) + data[below + x1]! * fx;
      out[to] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

export interface ContactShadowParams {
  /** How flat the shadow lies: its height in shares of the product's, 0.01 to 2. */
  readonly squash: number;
  /** How far it leans to the right per pixel of height, -5 to 5. */
  readonly shear: number;
  /** Standard deviation of its edge, px, 0 to 100. */
  readonly blur: number;
  /** 0 to 1. */
  readonly opacity: number;
}

/** The shadow of the product on the ground it stands on. */
export function contactShadow<P extends Picture>(picture: P, mask: Image, params: ContactShadowParams): P {
  checkPicture("contactShadow", picture);
  checkMask("contactShadow", mask, picture);
  checkNumber("contactShadow", "opacity", params.opacity, 0, 1);
  const amount = contactShadowMap(mask, params);
  for (let i = 0; i < amount.length; i++) amount[i]! *= 1 - mask.data[i]! / 255;
  const gain = 1 - params.opacity;
  return applyLight(picture, { amount, gain: [gain, gain, gain] });
}

/**
 * The mask sheared and squashed onto the lowest row it reaches, and blurred (zero outside): 0 to 1, `[H, W]`.
 */
export function contactShadowMap(mask: Image, { squash, shear, blur }: Omit<ContactShadowParams, "opacity">): Float32Array {
  checkMask("contactShadow", mask, mask);
  checkNumber("contactShadow", "squash", squash, 0.01, 2);
  checkNumber("contactShadow", "shear", shear, -5, 5);
  checkNumber("contactShadow", "blur", blur, 0, 100);
  const { width, height } = mask;
  const last = mask.data.findLastIndex((value) => value > 0);
  if (last < 0) return new Float32Array(width * height);
  const base = Math.trunc(last / width);
  // A point of the product at (x, y) falls on (x - shear·(y - base)·…): y' = base + (y - base)·squash, x' = x + shear·(base - y).
  const plane: FloatImage = { width, height, channels: 1, data: Float32Array.from(mask.data, (value) => value / 255) };
  const flat = warpPicture(plane, matrixWarp([1, -shear, shear * base, 0, squash, base - base * squash, 0, 0, 1], mask), { border: "zero" });
  const reach = Math.round(3 * blur);
  if (reach === 0) return flat.data;
  const wide = width + 2 * reach;
  const padded: FloatImage = { width: wide, height: height + 2 * reach, channels: 1, data: new Float32Array(wide * (height + 2 * reach)) };
  for (let y = 0; y < height; y++) padded.data.set(flat.data.subarray(y * width, (y + 1) * width), (y + reach) * wide + reach);
  const soft = convolveSeparable(padded, gaussianTaps(2 * reach + 1, blur)).data;
  const out = withData(flat, new Float32Array(width * height)).data;
  for (let y = 0; y < height; y++) out.set(soft.subarray((y + reach) * wide + reach, (y + reach) * wide + reach + width), y * width);
  return out;
}
