import { LiftError } from "./error.js";
import { blurInside, type Inflation } from "./inflate.js";
import { fillMembrane } from "./membrane.js";
import type { Silhouette } from "./silhouette.js";
import type { TwoSidedRelief } from "./surface.js";

/**
 * Front and back from a depth per pixel.
 *
 * The outline lies in the surface that its own depths span (a soap film). What the photo does not show is the front mirrored behind that film, but
 * nowhere thicker than the outline blown up: so balls close, and lids and boxes do not grow tails.
 *
 * @param depth [H, W] along the camera's axis, in the scene's unit; NaN where unknown.
 * @param round of the same outline, in pixels.
 * @param focal pixels.
 * @throws LiftError `no-depth` if the depth is nowhere known inside.
 */
export function measuredRelief(silhouette: Silhouette, depth: Float32Array, round: Inflation, focal: number): TwoSidedRelief {
  const { width, height, inside, distance } = silhouette;
  const front = fillUnknown(depth, silhouette);
  const middle = new Float32Array(front.length);
  const known = new Uint8Array(front.length);
  for (let i = 0; i < front.length; i++) {
    if (!inside[i] || distance[i]! >= 1) continue;
    known[i] = 1;
    middle[i] = outlineDepth(front, silhouette, i, focal);
  }
  evenOut(middle, known, width, height);
  fillMembrane(middle, known, inside, width, height);
  const frontSquares = new Float32Array(front.length);
  const backSquares = new Float32Array(front.length);
  const thickness = new Float32Array(front.length);
  for (let i = 0; i < front.length; i++) {
    if (!inside[i]) continue;
    // Where the front lies behind the film, a hollow, the film gives way.
    if (front[i]! > middle[i]!) middle[i] = front[i]!;
    const half = middle[i]! - front[i]!;
    frontSquares[i] = half * half;
    thickness[i] = Math.min(half, (Math.sqrt(round.relief[i]!) * front[i]!) / focal);
  }
  blurInside(thickness, inside, width, height, 1);
  for (let i = 0; i < front.length; i++) if (inside[i]) backSquares[i] = thickness[i]! ** 2;
  return { middle, front: frontSquares, back: backSquares };
}

/** Depths inside the silhouette, with what is unknown taken from the nearest known neighbours. */
function fillUnknown(depth: Float32Array, { width, inside, area }: Silhouette): Float32Array {
  const filled = new Float32Array(depth.length);
  let frontier: number[] = [];
  let unknown = 0;
  for (let i = 0; i < depth.length; i++) {
    filled[i] = inside[i] ? depth[i]! : 0;
    if (inside[i] && !(depth[i]! > 0 && Number.isFinite(depth[i]!))) {
      filled[i] = Number.NaN;
      unknown++;
    }
  }
  if (unknown === area) throw new LiftError("no-depth", "lift: expected a depth map with depths inside the mask, got none");
  const neighbours = [-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1];
  if (unknown === 0) return filled;
  for (let i = 0; i < depth.length; i++) if (Number.isNaN(filled[i]!)) frontier.push(i);
  while (frontier.length > 0) {
    const found: [number, number][] = [];
    const later: number[] = [];
    for (const i of frontier) {
      let sum = 0;
      let count = 0;
      for (const step of neighbours) {
        const j = i + step;
        if (!inside[j] || Number.isNaN(filled[j]!)) continue;
        sum += filled[j]!;
        count++;
      }
      if (count > 0) found.push([i, sum / count]);
      else later.push(i);
    }
    // A piece of the product of which nothing is known lies where the rest does.
    if (found.length === 0) {
      let sum = 0;
      let count = 0;
      for (let i = 0; i < filled.length; i++) {
        if (!inside[i] || Number.isNaN(filled[i]!)) continue;
        sum += filled[i]!;
        count++;
      }
      for (const i of later) filled[i] = sum / count;
      break;
    }
    for (const [i, value] of found) filled[i] = value;
    frontier = later;
  }
  return filled;
}

/**
 * Depth of the outline next to pixel i, carried on from the pixel and the two further in: as a circle meets its tangent
 * where the slope dies down that way, straight where it does not.
 */
function outlineDepth(front: Float32Array, { width, inside, distance }: Silhouette, i: number, focal: number): number {
  const nx = distance[i + 1]! - distance[i - 1]!;
  const ny = distance[i + width]! - distance[i - width]!;
  const longest = Math.max(Math.abs(nx), Math.abs(ny));
  if (longest < 1e-6) return front[i]!;
  const step = Math.round(nx / longest) + Math.round(ny / longest) * width;
  const [j, k] = [i + step, i + 2 * step];
  if (!inside[j] || !inside[k]) return front[i]!;
  const pixel = front[i]! / focal;
  const first = front[i]! - front[j]!;
  const second = front[j]! - front[k]!;
  if (!(first > 0)) return front[i]!;
  const [d1, d2, d3] = [distance[i]!, Math.max(distance[j]!, distance[i]! + 0.5), Math.max(distance[k]!, distance[i]! + 1)];
  const [r1, r2, r3] = [Math.sqrt(d1), Math.sqrt(d2), Math.sqrt(d3)];
  const straight = (first * d1) / (d2 - d1);
  const circle = (first * r1) / (r2 - r1);
  const asCircle = (r3 - r2) / (r2 - r1);
  const asLine = (d3 - d2) / (d2 - d1);
  const part = Math.min(Math.max((asLine - second / first) / Math.max(asLine - asCircle, 1e-6), 0), 1);
  // A jump is no slope: a step of many pixels beside a level surface is the end of a piece in front of another.
  const rise = straight + part * (circle - straight);
  return front[i]! + Math.min(rise, 40 * pixel);
}

/** Median of each outline depth and those beside it: single pixels there see past the edge. */
function evenOut(values: Float32Array, known: Uint8Array, width: number, height: number): void {
  const before = values.slice();
  const window: number[] = [];
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const i = y * width + x;
      if (!known[i]) continue;
      window.length = 0;
      for (let v = -2; v <= 2; v++) for (let u = -2; u <= 2; u++) if (known[i + v * width + u]) window.push(before[i + v * width + u]!);
      window.sort((a, b) => a - b);
      values[i] = window[window.length >> 1]!;
    }
  }
}
