import type { Camera } from "../render/camera.js";
import type { Silhouette } from "./silhouette.js";
import { addSplat, type SplatBuffer } from "./splat-buffer.js";

/** Pixels of depth from which two neighbours may belong to different parts of the product. */
const leastJump = 3;
/** They do if the depth changes there so many times faster than on either side. */
const jumpOverSlope = 2.5;
/** Pixels from the outline within which a jump is that of a round side. */
const rim = 3;
/** Pixels beyond the jump, of which the nearest may see both parts, that tell where the farther part lies. */
const past = 2;
/** How much of the farther part a turn uncovers, per pixel of the jump. */
const uncovered = 0.25;
/** Where the curtain hangs: under the nearer pixel, so that the photo's own view does not show it. */
const under = 0.2;
/** Extent of a splat along the edge, pixels: strips of an edge that runs aslant overlap. */
const wide = 1.6;
/** Extent of a splat in depth, pixels, and most splats of one jump. */
const longestStep = 2.5;
const mostSteps = 32;

/**
 * Closes what opens when a product is turned whose depth jumps: behind each edge hangs a curtain, straight along the photo's rays from the nearer part
 * to the farther, and carries on the colours of the farther part.
 *
 * @param front [H, W] depth of what the photo shows, known everywhere inside.
 * @param colours [H, W, 3]
 */
export function closeTears(
  buffer: SplatBuffer,
  front: Float32Array,
  silhouette: Silhouette,
  colours: Float32Array,
  { camera: { fx, fy, cx, cy }, sigma }: { readonly camera: Camera; readonly sigma: number },
): void {
  const { left, top, width, inside, distance } = silhouette;
  for (let i = 0; i < front.length; i++) {
    if (!inside[i]) continue;
    for (const [dx, dy] of [
      [-1, 0],
      [1, 0],
      [0, -1],
      [0, 1],
    ] as const) {
      const step = dx + dy * width;
      const jump = jumpAt(front, silhouette, i, step, fx);
      if (jump === 0) continue;
      let far = i + step;
      for (let k = 1; k < past && inside[far + step] && distance[far + step]! >= rim; k++) far += step;
      const [z0, z1] = [front[i]!, Math.max(front[far]!, front[i + step]!)];
      const steps = Math.min(Math.max(Math.ceil(jump / longestStep), 2), mostSteps);
      const dz = (z1 - z0) / steps;
      const px = (left + (i % width) + 0.5 + (0.5 - under) * dx - cx) / fx;
      const py = (top + Math.floor(i / width) + 0.5 + (0.5 - under) * dy - cy) / fy;
      let [shown, reach] = [far, 0];
      for (let k = steps - 1; k >= 0; k--) {
        const z = z0 + (k + 0.5) * dz;
        // Mirrored at the edge, as long as the farther part goes on.
        const wanted = uncovered * jump * (1 - (k + 0.5) / steps);
        while (reach < wanted && inside[shown + step] && Math.abs(front[shown + step]! - z1) < 0.3 * (z1 - z0)) {
          shown += step;
          reach++;
        }
        if (reach < wanted - 1) [shown, reach] = [far, Number.POSITIVE_INFINITY];
        const c = shown * 3;
        addSplat(
          buffer,
          i,
          px * z,
          py * z,
          z,
          px * dz,
          py * dz,
          dz,
          (wide * dy * z) / fx,
          (wide * dx * z) / fy,
          0,
          sigma,
          colours[c]!,
          colours[c + 1]!,
          colours[c + 2]!,
        );
      }
    }
  }
}

/** By how many pixels of depth the neighbour lies behind a pixel, if the surface is torn between the two; else 0. */
function jumpAt(front: Float32Array, { inside, distance }: Silhouette, i: number, step: number, focal: number): number {
  const j = i + step;
  if (!inside[j] || distance[j]! < rim || distance[i]! < rim) return 0;
  const pixel = front[i]! / focal;
  const jump = (front[j]! - front[i]!) / pixel;
  if (!(jump > leastJump)) return 0;
  // A pixel of the jump itself may lie half way: slopes are taken one further out.
  const change = (a: number, b: number): number => (inside[a] && inside[b] ? Math.abs(front[a]! - front[b]!) / pixel : 0);
  const slopes = Math.max(change(i - step, i - 2 * step), change(j + step, j + 2 * step));
  return jump > jumpOverSlope * slopes ? jump : 0;
}
