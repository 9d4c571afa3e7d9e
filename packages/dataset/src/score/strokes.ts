import { dilated, eroded } from "./morphology.js";
import type { WorkingCopy } from "./working-copy.js";

/** Connected pixels that are brighter, or darker, than everything wider around them: letters, lines of a logo, and whatever a scene has of such. */
export interface Strokes {
  /** `[H, W]`, number of the stroke + 1, or 0. */
  readonly labels: Int32Array;
  readonly count: number;
  /** How much each pixel stands out, in levels. */
  readonly contrast: Float32Array;
  readonly bright: boolean;
}

/** Widest stroke that is found whole, as a share of the shorter side. */
const widest = 0.055;
/** Least contrast, in levels. */
const faintest = 4;
/** Share of the local contrast above which a pixel belongs to a stroke. */
const half = 0.5;

/** Strokes of one polarity, by the top-hat transform: the plane less its opening by a square that no stroke can hold. */
export function findStrokes({ width, height }: WorkingCopy, plane: Float32Array, bright: boolean, noise: number): Strokes {
  const radius = Math.max(2, Math.round((widest / 2) * Math.min(width, height)));
  const ground = bright
    ? dilated(eroded(plane, width, height, radius), width, height, radius)
    : eroded(dilated(plane, width, height, radius), width, height, radius);
  const contrast = new Float32Array(plane.length);
  for (let pixel = 0; pixel < contrast.length; pixel++) contrast[pixel] = bright ? plane[pixel]! - ground[pixel]! : ground[pixel]! - plane[pixel]!;
  const most = dilated(contrast, width, height, Math.max(2, Math.round(radius * 0.6)));
  const least = Math.max(faintest, 3 * noise);
  const inside = new Uint8Array(plane.length);
  for (let pixel = 0; pixel < inside.length; pixel++) inside[pixel] = contrast[pixel]! > Math.max(least, half * most[pixel]!) ? 1 : 0;
  return { ...labelled(inside, width, height), contrast, bright };
}

/** Numbers of the 8-connected components of ones, in reading order of their first pixels. */
export function labelled(inside: Uint8Array, width: number, height: number): { readonly labels: Int32Array; readonly count: number } {
  const labels = new Int32Array(inside.length);
  const parents: number[] = [0];
  const root = (label: number) => {
    let at = label;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]!]!;
      at = parents[at]!;
    }
    return at;
  };
  const join = (first: number, second: number) => {
    const [a, b] = [root(first), root(second)];
    if (a < b) parents[b] = a;
    else parents[a] = b;
    return Math.min(a, b);
  };
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      if (inside[pixel] === 0) continue;
      let label = x > 0 ? labels[pixel - 1]! : 0;
      if (y > 0) {
        for (let dx = x > 0 ? -1 : 0; dx <= (x < width - 1 ? 1 : 0); dx++) {
          const above = labels[pixel - width + dx]!;
          if (above !== 0) label = label === 0 ? above : label === above ? label : join(label, above);
        }
      }
      if (label === 0) {
        label = parents.length;
        parents.push(label);
      }
      labels[pixel] = label;
    }
  }
  const numbers = new Int32Array(parents.length);
  let count = 0;
  for (let label = 1; label < parents.length; label++) numbers[label] = root(label) === label ? ++count : numbers[root(label)]!;
  for (let pixel = 0; pixel < labels.length; pixel++) if (labels[pixel] !== 0) labels[pixel] = numbers[labels[pixel]!]!;
  return { labels, count };
}

/** Standard deviation of the grain, in levels: from the median of |2 × 2 differences|, which edges hardly move. */
export function noiseLevel({ width, height, luma }: WorkingCopy): number {
  const histogram = new Uint32Array(1024);
  let total = 0;
  for (let y = 0; y + 1 < height; y += 2) {
    for (let x = 0; x + 1 < width; x += 2) {
      const at = y * width + x;
      const difference = Math.abs(luma[at]! - luma[at + 1]! - luma[at + width]! + luma[at + width + 1]!);
      histogram[Math.min(1023, Math.floor(difference * 4))]!++;
      total++;
    }
  }
  let seen = 0;
  let bin = 0;
  while (bin < 1023 && seen + histogram[bin]! < total / 2) seen += histogram[bin++]!;
  // The median of |N(0, 2σ)| is 1.349 σ.
  return total === 0 ? 0 : (bin + (histogram[bin]! > 0 ? (total / 2 - seen) / histogram[bin]! : 0)) / 4 / 1.349;
}
