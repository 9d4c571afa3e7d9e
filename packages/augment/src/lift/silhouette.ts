import { LiftError } from "./error.js";
import { farAway, lowerEnvelope } from "./parabolas.js";

/** The part of a mask that holds the product, with a margin of empty pixels all round. */
export interface Silhouette {
  /** Where its first column and row lie in the mask. */
  readonly left: number;
  readonly top: number;
  /** Pixels, margin included. */
  readonly width: number;
  readonly height: number;
  /** [H, W] 0 to 1. */
  readonly coverage: Float32Array;
  /** [H, W] 1 where at least half covered. */
  readonly inside: Uint8Array;
  /** Number of pixels inside. */
  readonly area: number;
  /** [H, W] pixels to the outline, which runs where half a pixel would be covered; positive inside, 0 outside. */
  readonly distance: Float32Array;
}

const margin = 2;

/**
 * @param coverage [H, W] 0 to 1.
 * @throws LiftError `empty-mask` if no pixel is half covered.
 */
export function silhouetteOf(coverage: Float32Array, width: number, height: number): Silhouette {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!(coverage[i]! >= 0.5)) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) throw new LiftError("empty-mask", "lift: expected a mask with at least one pixel half covered, got none");
  left -= margin;
  top -= margin;
  const [w, h] = [right + margin + 1 - left, bottom + margin + 1 - top];
  const cut = new Float32Array(w * h);
  const inside = new Uint8Array(w * h);
  let area = 0;
  for (let y = Math.max(top, 0); y < Math.min(top + h, height); y++) {
    for (let x = Math.max(left, 0); x < Math.min(left + w, width); x++) {
      const i = (y - top) * w + x - left;
      const value = coverage[y * width + x]!;
      cut[i] = value;
      if (value >= 0.5) {
        inside[i] = 1;
        area++;
      }
    }
  }
  return { left, top, width: w, height: h, coverage: cut, inside, area, distance: outlineDistance(cut, inside, w, h) };
}

function outlineDistance(coverage: Float32Array, inside: Uint8Array, width: number, height: number): Float32Array {
  const squared = new Float64Array(width * height);
  for (let i = 0; i < squared.length; i++) squared[i] = inside[i] ? farAway : 0;
  lowerEnvelope(squared, width, height);
  const distance = new Float32Array(width * height);
  for (let i = 0; i < distance.length; i++) {
    if (!inside[i]) continue;
    const straight = Math.sqrt(squared[i]!) - 0.5;
    // A pixel on the outline: part of it, or of its neighbour outside, tells where the outline runs.
    if (squared[i] !== 1) {
      distance[i] = straight;
      continue;
    }
    let neighbours = 0;
    let beyond = 0;
    for (const j of [i - 1, i + 1, i - width, i + width]) {
      if (inside[j]) continue;
      neighbours++;
      beyond += coverage[j]!;
    }
    distance[i] = Math.max(0.1, coverage[i]! - 0.5 + beyond / neighbours);
  }
  return distance;
}
