import type { Camera } from "../render/camera.js";
import type { Silhouette } from "./silhouette.js";
import { addSplat, type SplatBuffer } from "./splat-buffer.js";

/** Front and back of a product as two height fields over the pixels of a silhouette, which meet at the outline. */
export interface TwoSidedRelief {
  /** [H, W] depth of the surface in which the outline lies, along the camera's axis, in the scene's unit. */
  readonly middle: Float32Array;
  /** [H, W] squares of how far the front lies before the middle, in the scene's unit. */
  readonly front: Float32Array;
  /** [H, W] the same for the back, behind the middle. */
  readonly back: Float32Array;
  /** Whether neighbours may lie far apart, near and far parts of the product; else the surface has no gaps. */
  readonly torn: boolean;
}

/** Colours, [H, W, 3], 0 to 1. */
export interface TwoSidedColour {
  readonly front: Float32Array;
  readonly back: Float32Array;
  /** What the colours fade to where the surface runs away from the camera. */
  readonly deep: Float32Array;
}

/** Longest extent of a splat in depth, in pixels: a view turned by 20° shows a third of it. */
const longestStep = 2.5;
/** Most splats that one pixel is split into where the surface runs away from the camera. */
const mostSteps = 24;
/** How far splats lie below the surface, in pixels: about as far as they reach beyond their centres, so that outlines come out in their places. */
const insetPixels = 0.5;
/** Pixels from the outline within which a surface has no gaps, however steep it is. */
const joinedRim = 3;
/** Parts of the way down between which a pixel's colour fades to that of the depth. */
const fadeFrom = 0.2;
const fadeTo = 0.5;
/** Pixels from the outline beyond which the back, which shows only through gaps or from behind, is drawn at half the resolution. */
const fineRim = 4;

/**
 * Covers one side with splats that lie in the surface: one per pixel, more where it runs steeply into the depth.
 *
 * @param options.camera of the photo: where the splats are put in its axes.
 * @param options.sigma standard deviation of a splat as a part of the distance to its neighbours.
 */
export function coverWithSplats(
  buffer: SplatBuffer,
  which: "front" | "back",
  silhouette: Silhouette,
  relief: TwoSidedRelief,
  colours: TwoSidedColour,
  { camera, sigma }: { readonly camera: Camera; readonly sigma: number },
): void {
  const { left, top, width, height, inside, distance } = silhouette;
  const { fx, fy, cx, cy } = camera;
  const { middle } = relief;
  const squares = relief[which];
  const colour = colours[which];
  const { deep } = colours;
  const direction = which === "front" ? -1 : 1;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!inside[i]) continue;
      const coarse = which === "back" && isInnerBlock(distance, width, x & ~1, y & ~1);
      if (coarse && ((x & 1) !== 0 || (y & 1) !== 0)) continue;
      const size = coarse ? 2 : 1;
      const pixel = middle[i]! / fx;
      const q = squares[i]!;
      const qx = slope(squares, inside, i, 1);
      const qy = slope(squares, inside, i, width);
      const mx = slope(middle, inside, i, 1);
      const my = slope(middle, inside, i, width);
      const rim = distance[i]! < 1;
      // (gx, gy) points downhill, towards the outline, and (-gy, gx) along it.
      let gx = -qx;
      let gy = -qy;
      let outer = 0.5 * size;
      if (rim) {
        gx = -slopeAcross(distance, i, 1);
        gy = -slopeAcross(distance, i, width);
        outer = Math.min(distance[i]!, 1);
      }
      const length = Math.sqrt(gx * gx + gy * gy);
      gx = length > 1e-20 ? gx / length : 1;
      gy = length > 1e-20 ? gy / length : 0;
      const inner = -0.5 * size;
      // On the outline the square falls to 0 from what it is half a pixel further in, wherever between the two the pixel's own lies.
      const drop = Math.max(-(qx * gx + qy * gy), 0);
      let uphill = q + (rim ? drop / 2 : -length * inner);
      let downhill = rim ? 0 : Math.max(q - length * outer, 0);
      if ((!relief.torn || distance[i]! < joinedRim) && length > pixel * pixel) {
        // Where neighbours meet, half way between them, both take the mean of the two.
        uphill = Math.max((q + along(squares, inside, width, i, -gx * size, -gy * size, 2 * uphill - q)) / 2, q);
        if (!rim) downhill = Math.min((q + along(squares, inside, width, i, gx * size, gy * size, 2 * downhill - q)) / 2, q);
      }
      const high = Math.sqrt(uphill);
      const low = Math.sqrt(Math.max(downhill, 0));
      const steps = Math.min(Math.max(Math.ceil((high - low) / (pixel * longestStep * size)), 1), mostSteps);
      const shift = coarse ? 0.5 : 0;
      // The square of the pixel's own place, unless that lies on the outline.
      const bend = rim ? (uphill * outer) / (outer - inner) : q;
      for (let step = 0; step < steps; step++) {
        // Even steps in depth.
        const z0 = high + ((low - high) * step) / steps;
        const z1 = high + ((low - high) * (step + 1)) / steps;
        const t0 = step === 0 ? inner : placeOf(z0, inner, outer, uphill, bend, low);
        const t1 = step === steps - 1 ? outer : placeOf(z1, inner, outer, uphill, bend, low);
        const t = (t0 + t1) / 2;
        const z =
          steps > 1 ? (z0 + z1) / 2 : Math.sqrt(Math.max(t < 0 ? bend + ((uphill - bend) * t) / inner : bend + ((low * low - bend) * t) / outer, 0));
        const du = t * gx + shift;
        const dv = t * gy + shift;
        const depth = middle[i]! + mx * du + my * dv + direction * z;
        const px = (left + x + 0.5 + du - cx) / fx;
        const py = (top + y + 0.5 + dv - cy) / fy;
        const run = t1 - t0;
        const dz = (mx * gx + my * gy) * run + direction * (z1 - z0);
        const dzAcross = (my * gx - mx * gy) * size;
        let red = colour[i * 3]!;
        let green = colour[i * 3 + 1]!;
        let blue = colour[i * 3 + 2]!;
        if (steps > 1) {
          const part = Math.min(Math.max((1 - z / high - fadeFrom) / (fadeTo - fadeFrom), 0), 1);
          red += part * (deep[i * 3]! - red);
          green += part * (deep[i * 3 + 1]! - green);
          blue += part * (deep[i * 3 + 2]! - blue);
        }
        const ax = (gx * run * depth) / fx + px * dz;
        const ay = (gy * run * depth) / fy + py * dz;
        const bx = (-gy * size * depth) / fx + px * dzAcross;
        const by = (gx * size * depth) / fy + py * dzAcross;
        // a × b points away from the camera on either side; inwards is that way on the front and back towards it on the back.
        const nx = ay * dzAcross - dz * by;
        const ny = dz * bx - ax * dzAcross;
        const nz = ax * by - ay * bx;
        const inset = (-direction * insetPixels * pixel) / Math.sqrt(nx * nx + ny * ny + nz * nz);
        addSplat(
          buffer,
          i,
          px * depth + inset * nx,
          py * depth + inset * ny,
          depth + inset * nz,
          ax,
          ay,
          dz,
          bx,
          by,
          dzAcross,
          sigma,
          red,
          green,
          blue,
        );
      }
    }
  }
}

/** Where between the inner and the outer edge of a pixel the surface is at a height: its square is linear from `uphill` to `bend`, and from there to `low`². */
function placeOf(z: number, inner: number, outer: number, uphill: number, bend: number, low: number): number {
  return z * z >= bend ? (inner * (z * z - bend)) / Math.max(uphill - bend, 1e-30) : (outer * (bend - z * z)) / Math.max(bend - low * low, 1e-30);
}

function isInnerBlock(distance: Float32Array, width: number, x: number, y: number): boolean {
  const i = y * width + x;
  return distance[i]! > fineRim && distance[i + 1]! > fineRim && distance[i + width]! > fineRim && distance[i + width + 1]! > fineRim;
}

/**
 * Change per pixel towards the neighbour `step` further on, from the inside only. Where the two sides disagree by far the surface
 * has an edge there, and the gentler side is the one that the pixel belongs to.
 */
function slope(values: Float32Array, inside: Uint8Array, i: number, step: number): number {
  const before = inside[i - step] ? values[i]! - values[i - step]! : undefined;
  const after = inside[i + step] ? values[i + step]! - values[i]! : undefined;
  if (before === undefined) return after ?? 0;
  if (after === undefined) return before;
  if (Math.abs(before) > 4 * Math.abs(after) || Math.abs(after) > 4 * Math.abs(before)) return Math.abs(before) < Math.abs(after) ? before : after;
  return (before + after) / 2;
}

/** The value at a pixel moved by less than a pixel and a half, weighted over those inside; `fallback` where none of them is. */
function along(values: Float32Array, inside: Uint8Array, width: number, i: number, dx: number, dy: number, fallback: number): number {
  const [x, y] = [Math.floor(dx), Math.floor(dy)];
  const [fx, fy] = [dx - x, dy - y];
  const j = i + x + y * width;
  const a = (1 - fx) * (1 - fy) * inside[j]!;
  const b = fx * (1 - fy) * inside[j + 1]!;
  const c = (1 - fx) * fy * inside[j + width]!;
  const d = fx * fy * inside[j + width + 1]!;
  const sum = a + b + c + d;
  return sum > 0.25 ? (a * values[j]! + b * values[j + 1]! + c * values[j + width]! + d * values[j + width + 1]!) / sum : fallback;
}

/** Change per pixel where 0 lies outside. */
function slopeAcross(values: Float32Array, i: number, step: number): number {
  return (values[i + step]! - values[i - step]!) / 2;
}
