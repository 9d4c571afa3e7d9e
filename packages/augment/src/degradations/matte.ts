import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { farAway, lowerEnvelope } from "../lift/parabolas.js";
import { elasticWarp } from "./displacement.js";
import {
  checkInteger,
  checkMask,
  checkNumber,
  checkNumbers,
  checkPicture,
  colourChannels,
  isFloat,
  type Picture,
  toByte,
  withData,
} from "./picture.js";

export interface MatteErrorParams {
  /** `erode`: the product's rim is cut away; `dilate`: a strip of the old backdrop is left on; `halo`: it fades into the old backdrop. */
  readonly kind: "erode" | "dilate" | "halo";
  /** Width of the strip, px, 0 to 200. */
  readonly reach: number;
  /** Width of the soft edge, px, 0.1 to 100. */
  readonly softness: number;
  /** How far the wrong edge wanders, px, 0 to 100; default 0. */
  readonly roughness?: number;
  /** sRGB of the old backdrop, 0 to 1; not looked at by `erode`. Default a middle grey. */
  readonly fringe?: readonly [number, number, number];
  /** Which wandering, 0 to 2^32 - 1; default 0. */
  readonly seed?: number;
}

/** A product cut out badly, with the matte it was cut out by. */
export interface MatteResult<P extends Picture> {
  readonly picture: P;
  /** The wrong mask. */
  readonly mask: Image;
}

/**
 * Cuts the product out anew by a wrong mask and lays it on its own surroundings.
 *
 * @throws ArgumentError for a mask of another size, or parameters outside what is said there. An empty mask stays empty.
 */
export function matteError<P extends Picture>(picture: P, mask: Image, params: MatteErrorParams): MatteResult<P> {
  const { kind, reach, softness, roughness = 0, fringe = [0.5, 0.5, 0.5], seed = 0 } = params;
  checkPicture("matteError", picture);
  checkMask("matteError", mask, picture);
  if (!["erode", "dilate", "halo"].includes(kind)) throw new ArgumentError(`matteError: expected kind erode, dilate or halo, got ${String(kind)}`);
  checkNumber("matteError", "reach", reach, 0, 200);
  checkNumber("matteError", "softness", softness, 0.1, 100);
  checkNumber("matteError", "roughness", roughness, 0, 100);
  checkNumbers("matteError", "fringe", fringe, 3, 0, 1);
  checkInteger("matteError", "seed", seed, 0, 0xffff_ffff);
  const inside = insideDistance(mask);
  if (!inside) return { picture: withData(picture, picture.data.slice()), mask: withData(mask, mask.data.slice()) };
  if (roughness > 0) wander(inside, mask, roughness, seed);

  const { channels } = picture;
  const colours = colourChannels(picture);
  const full = isFloat(picture) ? 1 : 255;
  const behind = backdrop(picture, mask);
  const old = colours === 1 ? [0.299 * fringe[0] + 0.587 * fringe[1] + 0.114 * fringe[2]] : fringe;
  const data = picture.data.slice();
  const wrong = new Uint8Array(mask.data.length);
  const half = isFloat(picture) ? 0 : 0.5;
  for (let pixel = 0; pixel < wrong.length; pixel++) {
    const distance = inside[pixel]!;
    // Halos are strongest at the product and fade over the whole reach.
    const cover =
      kind === "halo"
        ? smooth((distance + reach + softness) / (reach + softness))
        : smooth((distance + (kind === "erode" ? -reach : reach)) / softness + 0.5);
    const right = mask.data[pixel]! / 255;
    wrong[pixel] =
      kind === "erode" ? Math.min(mask.data[pixel]!, toByte(cover)) : Math.max(mask.data[pixel]!, toByte(kind === "halo" ? cover * 0.9 : cover));
    const gone = kind === "erode" ? right * (1 - cover) : 0;
    const left = kind === "erode" ? 0 : (1 - right) * cover;
    if (gone === 0 && left === 0) continue;
    for (let c = 0, i = pixel * channels; c < colours; c++, i++) {
      const own = data[i]!;
      data[i] = own + gone * (behind[c]! - own) + left * (old[c]! * full - own) + half;
    }
  }
  return { picture: withData(picture, data), mask: withData(mask, wrong) };
}

/** Distance to the outline, px: positive inside, negative outside; undefined for a mask without product or without surroundings. */
export function insideDistance({ width, height, data }: Image): Float32Array | undefined {
  const toOutside = new Float64Array(data.length);
  const toInside = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) (data[i]! < 128 ? toInside : toOutside)[i] = farAway;
  if (!toInside.includes(0)) return undefined;
  lowerEnvelope(toInside, width, height);
  if (toOutside.includes(0)) lowerEnvelope(toOutside, width, height);
  const distance = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) distance[i] = toOutside[i]! > 0 ? Math.sqrt(toOutside[i]!) - 0.5 : 0.5 - Math.sqrt(toInside[i]!);
  return distance;
}

function wander(distance: Float32Array, { width, height }: Image, roughness: number, seed: number): void {
  const shorter = Math.min(width, height);
  // The horizontal half of an elastic displacement is a smooth random field of known spread.
  const scale = Math.min(Math.max((4 * roughness + 4) / shorter, 0.01), 1);
  const { sourcesOfRow } = elasticWarp({ width, height }, { amount: Math.min(0.2, roughness / shorter), scale, seed });
  const xs = new Float64Array(width);
  const ys = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    sourcesOfRow?.(y, xs, ys);
    for (let x = 0; x < width; x++) distance[y * width + x]! += xs[x]! - x;
  }
}

/** Median of each colour where there is no product; white if it fills the picture. In the picture's own numbers. */
function backdrop(picture: Picture, mask: Image): number[] {
  const { data, channels } = picture;
  const full = isFloat(picture) ? 1 : 255;
  return Array.from({ length: colourChannels(picture) }, (_, c) => {
    const histogram = new Uint32Array(256);
    let total = 0;
    for (let pixel = 0; pixel < mask.data.length; pixel++) {
      if (mask.data[pixel]! > 10) continue;
      histogram[Math.min(Math.max(Math.round((data[pixel * channels + c]! / full) * 255), 0), 255)]!++;
      total++;
    }
    if (total === 0) return full;
    let seen = 0;
    const level = histogram.findIndex((count) => {
      seen += count;
      return seen * 2 >= total;
    });
    return (level / 255) * full;
  });
}

function smooth(t: number): number {
  const clipped = Math.min(Math.max(t, 0), 1);
  return clipped * clipped * (3 - 2 * clipped);
}
