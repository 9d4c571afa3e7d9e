import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { applyLight } from "./light-map.js";
import { checkMask, checkNumber, checkNumbers, checkPicture, type Picture } from "./picture.js";
import type { Point } from "./warp.js";

/** A patch of reflected light. */
export interface LightSpot {
  /** In shares of width and height, -1 to 2. */
  readonly centre: Point;
  /** Of its bright core across the direction, in shares of the shorter side: 0.001 to 2. */
  readonly radius: number;
  /** Length by width, 1 to 100: a lamp is 1, a softbox or a seam of foil more. */
  readonly stretch: number;
  /** Of its length, from +x towards -y (up). */
  readonly degrees: number;
  /** Linear light added in the core, 0 to 4. */
  readonly intensity: number;
}

export interface GlareParams {
  /** Up to 100. */
  readonly spots: readonly LightSpot[];
  /** 0 to 1: light scattered in the lens, which greys everything. Default 0. */
  readonly haze?: number;
  /** Colour of the light, linear, 0 to 1. Default a neutral 1, 0.98, 0.94. */
  readonly colour?: readonly [number, number, number];
}

/** Lamps that shine into the lens or are mirrored by what lies before the product: spots with a glow, and a veil of scattered light. */
export function glare<P extends Picture>(picture: P, { spots, haze = 0, colour = [1, 0.98, 0.94] }: GlareParams): P {
  checkPicture("glare", picture);
  checkNumber("glare", "haze", haze, 0, 1);
  checkNumbers("glare", "colour", colour, 3, 0, 1);
  const amount = spotMap("glare", picture, spots, 0.35);
  const veiled =
    haze === 0 ? picture : applyLight(picture, { amount: new Float32Array(amount.length).fill(haze), gain: [0, 0, 0], add: [0.6, 0.6, 0.6] });
  return applyLight(veiled, { amount, add: colour });
}

export interface HighlightParams {
  /** Up to 100. */
  readonly spots: readonly LightSpot[];
}

/** Highlights burnt into a glossy product: like `glare`, with hard edges, and on the product only. */
export function highlight<P extends Picture>(picture: P, mask: Image | undefined, { spots }: HighlightParams): P {
  checkPicture("highlight", picture);
  if (mask) checkMask("highlight", mask, picture);
  const amount = spotMap("highlight", picture, spots, 0.08);
  if (mask) for (let i = 0; i < amount.length; i++) amount[i]! *= mask.data[i]! / 255;
  return applyLight(picture, { amount, add: [1, 1, 1] });
}

/** @param glow how much light the surroundings of the core get */
function spotMap(name: string, { width, height }: Picture, spots: readonly LightSpot[], glow: number): Float32Array {
  if (!Array.isArray(spots) || spots.length > 100) throw new ArgumentError(`${name}: expected up to 100 spots, got ${String(spots?.length)}`);
  const amount = new Float32Array(width * height);
  const shorter = Math.min(width, height);
  for (const [index, spot] of (spots as readonly LightSpot[]).entries()) {
    const { centre, radius, stretch, degrees, intensity } = spot;
    const field = `spots[${index}]`;
    checkNumbers(name, `${field}.centre`, centre, 2, -1, 2);
    checkNumber(name, `${field}.radius`, radius, 0.001, 2);
    checkNumber(name, `${field}.stretch`, stretch, 1, 100);
    checkNumber(name, `${field}.degrees`, degrees, -3600, 3600);
    checkNumber(name, `${field}.intensity`, intensity, 0, 4);
    const across = 1 / (radius * shorter);
    const along = across / stretch;
    const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), -Math.sin((degrees * Math.PI) / 180)];
    const profile = spotProfile(glow);
    for (let y = 0, i = 0; y < height; y++) {
      const dy = y - centre[1] * (height - 1);
      for (let x = 0; x < width; x++, i++) {
        const dx = x - centre[0] * (width - 1);
        const u = (dx * cos + dy * sin) * along;
        const v = (dy * cos - dx * sin) * across;
        const squared = u * u + v * v;
        if (squared < profileReach) amount[i]! += intensity * profile[(squared * profileSteps) | 0]!;
      }
    }
  }
  return amount;
}

/** The profile is kept along the squared distance, in units of the core's radius. */
const profileReach = 16;
const profileSteps = 512;

/** A flat core with an edge a third of the radius wide, and around it a glow that ends at four radii. */
function spotProfile(glow: number): Float32Array {
  return Float32Array.from({ length: profileReach * profileSteps + 1 }, (_, i) => {
    const distance = Math.sqrt(i / profileSteps);
    const t = Math.min(Math.max((distance - 0.7) / 0.5, 0), 1);
    const core = 1 - t * t * (3 - 2 * t);
    const fade = 1 - distance / Math.sqrt(profileReach);
    return Math.min(1, core + glow * Math.max(fade, 0) ** 3);
  });
}
