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
    // Where the front lies behind the film, a hollow, the film gives way; hardly on the outline, where that is a pixel that sees past it.
    const hollow = distance[i]! < edge ? Math.min(front[i]!, middle[i]! * (1 + edgeHollow / focal)) : front[i]!;
    middle[i] = Math.max(middle[i]!, hollow);
    const half = Math.max(middle[i]! - front[i]!, 0);
    frontSquares[i] = half * half;
    thickness[i] = Math.min(half, (Math.sqrt(round.relief[i]!) * front[i]!) / focal);
  }
  blurInside(thickness, inside, width, height, 1);
  for (let i = 0; i < front.length; i++) if (inside[i]) backSquares[i] = thickness[i]! ** 2;
  return { middle, front: frontSquares, back: backSquares, torn: true };
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

/** Pixels from the outline within which depths that lie more than so many pixels behind it are not believed. */
const edge = 2;
const edgeHollow = 3;

/** Pixels inwards from the outline that tell its depth. */
const reach = 7;

/**
 * Depth of the outline next to pixel i, carried on from the pixels further in: as a circle meets its tangent or as a straight line,
 * whichever fits them better.
 */
function outlineDepth(front: Float32Array, { width, inside, distance }: Silhouette, i: number, focal: number): number {
  const nx = distance[i + 1]! - distance[i - 1]!;
  const ny = distance[i + width]! - distance[i - width]!;
  const longest = Math.max(Math.abs(nx), Math.abs(ny));
  if (longest < 1e-6) return front[i]!;
  const circle = lineFit();
  const straight = lineFit();
  let last = -1;
  let lastStep = Number.POSITIVE_INFINITY;
  const pixel = front[i]! / focal;
  for (let k = 0; k < reach; k++) {
    const j = i + Math.round((nx / longest) * k) + Math.round((ny / longest) * k) * width;
    if (!inside[j] || (last >= 0 && distance[j]! <= distance[last]!)) break;
    if (last >= 0) {
      // Slopes die down inwards; where one grows again by pixels, another piece of the product begins.
      const step = Math.abs(front[j]! - front[last]!);
      if (step > 2 * lastStep + 3 * pixel) break;
      lastStep = step;
    }
    // The depth at the very edge changes by many pixels within one.
    const weight = k === 0 ? 0.25 : 1;
    circle.add(Math.sqrt(distance[j]!), front[j]!, weight);
    straight.add(distance[j]!, front[j]!, weight);
    last = j;
  }
  const [asCircle, asLine] = [circle.solve(), straight.solve()];
  if (!asCircle || !asLine) return front[i]!;
  const part = asLine.residual / Math.max(asLine.residual + asCircle.residual, 1e-30);
  const share = Math.min(Math.max((part - 0.5) * 2 + 0.5, 0), 1);
  const depth = asLine.atZero + share * (asCircle.atZero - asLine.atZero);
  return Math.min(Math.max(depth, front[i]!), front[i]! + 60 * pixel);
}

/** Weighted least squares of y = atZero + slope·x. */
function lineFit(): {
  add: (x: number, y: number, weight: number) => void;
  solve: () => { readonly atZero: number; readonly residual: number } | undefined;
} {
  let [n, w, x, y, xx, xy, yy] = [0, 0, 0, 0, 0, 0, 0];
  return {
    add(u, v, weight) {
      n++;
      w += weight;
      x += weight * u;
      y += weight * v;
      xx += weight * u * u;
      xy += weight * u * v;
      yy += weight * v * v;
    },
    solve() {
      if (n < 3) return undefined;
      const spread = xx / w - (x / w) ** 2;
      if (!(spread > 1e-9)) return undefined;
      const slope = (xy / w - (x / w) * (y / w)) / spread;
      return { atZero: y / w - slope * (x / w), residual: Math.max(yy / w - (y / w) ** 2 - slope * slope * spread, 0) };
    },
  };
}

/** Pixels to either side over which the depth of the outline is evened out. */
const along = 5;

/** Medians, then means, of each outline depth and those beside it: single pixels there see past the edge. */
function evenOut(values: Float32Array, known: Uint8Array, width: number, height: number): void {
  const window: number[] = [];
  for (const middle of [
    (sorted: number[]) => sorted[sorted.length >> 1]!,
    (sorted: number[]) => sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
  ]) {
    const before = values.slice();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        if (!known[i]) continue;
        window.length = 0;
        for (let v = Math.max(y - along, 0); v <= Math.min(y + along, height - 1); v++) {
          for (let u = Math.max(x - along, 0); u <= Math.min(x + along, width - 1); u++)
            if (known[v * width + u]) window.push(before[v * width + u]!);
        }
        window.sort((a, b) => a - b);
        values[i] = middle(window);
      }
    }
  }
}
