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
/** Parts of the way down between which a pixel's colour fades to that of the depth. */
const fadeFrom = 1 / 3;
const fadeTo = 2 / 3;
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
      const fall = rim ? (q + drop / 2) / (outer - inner) : length;
      const own = rim ? fall * outer : q;
      const high = Math.sqrt(Math.max(own - fall * inner, 0));
      const low = rim ? 0 : Math.sqrt(Math.max(q - fall * outer, 0));
      const steps = Math.min(Math.max(Math.ceil((high - low) / (pixel * longestStep * size)), 1), mostSteps);
      const shift = coarse ? 0.5 : 0;
      for (let step = 0; step < steps; step++) {
        // Even steps in depth; the place follows from the square of the depth, which is linear across the pixel.
        const z0 = high + ((low - high) * step) / steps;
        const z1 = high + ((low - high) * (step + 1)) / steps;
        const t0 = steps === 1 ? inner : (own - z0 * z0) / fall;
        const t1 = steps === 1 ? outer : (own - z1 * z1) / fall;
        const t = (t0 + t1) / 2;
        const z = steps === 1 ? Math.sqrt(Math.max(own - fall * t, 0)) : (z0 + z1) / 2;
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
        addSplat(buffer, i, px * depth + inset * nx, py * depth + inset * ny, depth + inset * nz, ax, ay, dz, bx, by, dzAcross, sigma, red, green, blue);
      }
    }
  }
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

/** Change per pixel where 0 lies outside. */
function slopeAcross(values: Float32Array, i: number, step: number): number {
  return (values[i + step]! - values[i - step]!) / 2;
}
