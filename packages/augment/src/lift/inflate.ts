import { describeOutline, type Outline } from "./outline.js";
import { farAway, lowerEnvelope } from "./parabolas.js";
import type { ShapePrior } from "./shape.js";
import type { Silhouette } from "./silhouette.js";

/** How far a product is taken to reach towards the camera, from its outline alone. */
export interface Inflation {
  /** What `auto` came to. */
  readonly shape: Exclude<ShapePrior, "auto">;
  /** Whether the outline tells its shape, or the caller did: a rectangle and a body of revolution do, a garment's or a shoe's is a guess. */
  readonly certain: boolean;
  /**
   * [H, W] squares of the distance from the plane of the outline to the surface, in pixels: 0 on the outline.
   * Squares, because they are smooth where a round surface meets its outline and the distance itself is not.
   */
  readonly relief: Float32Array;
}

/** Part of a box's shorter side that is taken for its half depth. */
const boxDepth = 0.16;
/** The same for a card. */
const cardDepth = 0.012;
/** How much of its full roundness an irregular outline gets: garments, shoes and bags are flatter than they are wide. */
const irregularRoundness = 0.62;

/** The shape that an outline suggests: a rectangle seen straight on or from the side has four corners, a can's ends bulge. */
function chooseShape({ rectangularity, fourCorners, solidity }: Outline): Exclude<ShapePrior, "auto"> {
  return (rectangularity > 0.955 || fourCorners > 0.95) && solidity > 0.985 ? "box" : "round";
}

/** Whether an outline is that of a body of revolution seen from the side. */
function isTurned({ solidity, asymmetry }: Outline): boolean {
  return solidity > 0.965 && asymmetry < 0.06;
}

/** Gives an outline a third dimension. */
export function inflate(silhouette: Silhouette, prior: ShapePrior): Inflation {
  const outline = describeOutline(silhouette);
  const shape = prior === "auto" ? chooseShape(outline) : prior;
  const symmetric = isTurned(outline);
  const certain = prior !== "auto" || shape === "box" || symmetric;
  if (shape === "round") return { shape, certain, relief: symmetric ? turned(silhouette, outline) : balls(silhouette) };
  const depth = Math.max(1, (shape === "box" ? boxDepth : cardDepth) * shorterSide(outline));
  return { shape, certain, relief: slab(silhouette, depth, Math.max(1, Math.min(depth, 0.02 * shorterSide(outline)))) };
}

function shorterSide({ start, end, halfWidth }: Outline): number {
  return Math.min(end - start + 1, 2 * halfWidth.reduce((widest, half) => Math.max(widest, half), 0));
}

/** A body turned on a lathe: circles about the axis, closed at the ends by flat lids with a rounded edge. */
function turned({ width, height, inside, distance }: Silhouette, { axis, centre, start, middle, halfWidth }: Outline): Float32Array {
  const relief = new Float32Array(width * height);
  const smoothHalf = smooth(halfWidth);
  const smoothMiddle = smooth(middle);
  const widest = halfWidth.reduce((most, half) => Math.max(most, half), 0);
  const bevel = Math.max(1.5, 0.06 * widest);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!inside[i]) continue;
      const [dx, dy] = [x - centre[0], y - centre[1]];
      const s = axis[0] * dx + axis[1] * dy - start;
      const k = Math.min(Math.max(Math.floor(s), 0), halfWidth.length - 1);
      const next = Math.min(k + 1, halfWidth.length - 1);
      const part = Math.min(Math.max(s - k, 0), 1);
      const half = smoothHalf[k]! * (1 - part) + smoothHalf[next]! * part;
      const off = axis[0] * dy - axis[1] * dx - smoothMiddle[k]! * (1 - part) - smoothMiddle[next]! * part;
      const circle = half * half - off * off;
      // Near the outline the distance to it is the better measure of how far the circle is from its end.
      const near = distance[i]! * (2 * half - Math.min(distance[i]!, half));
      const lid = rounded(distance[i]! / bevel) * half * half;
      relief[i] = Math.max(0, Math.min(Math.max(circle, Math.min(near, 4 * half)), lid));
    }
  }
  return relief;
}

/** Moving average over five lines, which takes the steps of the pixel grid out of a profile. */
function smooth(profile: Float32Array): Float32Array {
  return profile.map((_, k) => {
    let sum = 0;
    let weights = 0;
    for (let j = Math.max(k - 2, 0); j <= Math.min(k + 2, profile.length - 1); j++) {
      const weight = 3 - Math.abs(j - k);
      sum += weight * profile[j]!;
      weights += weight;
    }
    return sum / weights;
  });
}

/** The hull of all balls that fit into the outline: tubes become round, discs become balls; then smoothed, since its ridges have creases. */
function balls({ width, height, inside, distance }: Silhouette): Float32Array {
  const negative = new Float64Array(width * height);
  let widest = 0;
  for (let i = 0; i < negative.length; i++) {
    negative[i] = inside[i] ? -distance[i]! * distance[i]! : farAway;
    widest = Math.max(widest, distance[i]!);
  }
  lowerEnvelope(negative, width, height);
  const relief = new Float32Array(width * height);
  for (let i = 0; i < relief.length; i++) if (inside[i]) relief[i] = Math.max(0, -negative[i]!);
  const radius = Math.round(0.12 * widest);
  if (radius >= 1) for (let pass = 0; pass < 2; pass++) blurInside(relief, inside, width, height, radius);
  for (let i = 0; i < relief.length; i++) {
    if (!inside[i]) continue;
    // Smoothing lifts the outline off its plane; no ball of the widest radius rises faster than this.
    const limit = distance[i]! * (2 * widest - Math.min(distance[i]!, widest));
    relief[i] = Math.min(relief[i]!, limit) * irregularRoundness ** 2;
  }
  return relief;
}

/** A slab of this half depth with edges rounded over `bevel` pixels. */
function slab({ inside, distance }: Silhouette, depth: number, bevel: number): Float32Array {
  return distance.map((d, i) => (inside[i] ? depth * depth * rounded(d / bevel) : 0));
}

/** Square of the height of a quarter circle of radius 1 at distance t from its end; 1 beyond. */
function rounded(t: number): number {
  const left = 1 - Math.min(t, 1);
  return 1 - left * left;
}

/** Mean over squares of (2·radius + 1)² pixels, of the pixels inside only. */
export function blurInside(values: Float32Array, inside: Uint8Array, width: number, height: number, radius: number): void {
  const longest = Math.max(width, height);
  const sums = new Float64Array(longest + 1);
  const counts = new Float64Array(longest + 1);
  // The mean of a row of means weighs short rows too much; sums and counts are carried through both passes instead.
  const weights = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    weights[i] = inside[i]!;
    if (!inside[i]) values[i] = 0;
  }
  const pass = (start: number, step: number, length: number): void => {
    for (let k = 0; k < length; k++) {
      sums[k + 1] = sums[k]! + values[start + k * step]!;
      counts[k + 1] = counts[k]! + weights[start + k * step]!;
    }
    for (let k = 0; k < length; k++) {
      const [a, b] = [Math.max(k - radius, 0), Math.min(k + radius + 1, length)];
      values[start + k * step] = sums[b]! - sums[a]!;
      weights[start + k * step] = counts[b]! - counts[a]!;
    }
  };
  for (let y = 0; y < height; y++) pass(y * width, 1, width);
  for (let x = 0; x < width; x++) pass(x, width, height);
  for (let i = 0; i < values.length; i++) values[i] = inside[i] ? values[i]! / weights[i]! : 0;
}
