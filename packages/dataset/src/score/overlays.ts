import { gaussianBlur } from "@refadgen/augment";
import { markTrees } from "./mark-trees.js";
import { type MeasuredStrokes, measureStrokes, strokeFeatures } from "./stroke-features.js";
import { findStrokes, noiseLevel } from "./strokes.js";
import { textTrees } from "./text-trees.js";
import { type Trees, treesProbability } from "./trees.js";
import { watermarkEvidence, watermarkFeatures } from "./watermark-evidence.js";
import { watermarkTrees } from "./watermark-trees.js";
import { lumaOf, type WorkingCopy } from "./working-copy.js";

/** Strokes of a picture, bright and dark, with what each of them may be. */
export interface Overlays {
  readonly sets: readonly (MeasuredStrokes & {
    /** Probability of each stroke to be a letter, or part of one, that was printed opaquely. */
    readonly letter: Float32Array;
  })[];
}

export function findOverlays(picture: WorkingCopy): Overlays {
  // Grain breaks the ground into specks, which look like half-transparent strokes.
  const copy = noiseLevel(picture) > grainy ? smoothed(picture) : picture;
  const noise = noiseLevel(copy);
  const sets = [true, false].map((bright) => {
    const measured = measureStrokes(copy, copy.luma, findStrokes(copy, copy.luma, bright, noise), noise);
    return { ...measured, letter: judged(textTrees, measured) };
  });
  return { sets };
}

/** Deviation of the grain, in levels, above which a picture is smoothed first. */
const grainy = 1;

function smoothed(copy: WorkingCopy): WorkingCopy {
  const { width, height } = copy;
  const { data: rgb } = gaussianBlur({ width, height, channels: 3, data: copy.rgb }, { sigma: 1 });
  return { ...copy, rgb, luma: lumaOf(rgb) };
}

function judged(trees: Trees, { areas, features }: MeasuredStrokes): Float32Array {
  return Float32Array.from(areas, (_, slot) => treesProbability(trees, features, slot * strokeFeatures.length));
}

/** Area in the boxes of letters as a share of the picture, each weighted with how sure it is; with a mask, of letters that lie mostly outside it. */
export function letterArea({ sets }: Overlays, { width, height }: WorkingCopy, mask?: Uint8Array): number {
  const weight = new Float32Array(width * height);
  for (const { strokes, numbers, boxes, areas, letter } of sets) {
    const inside = mask ? insideMask(strokes.labels, numbers, strokes.count, areas, mask) : undefined;
    for (let slot = 0; slot < areas.length; slot++) {
      const sure = 2 * letter[slot]! - 1;
      if (sure <= 0 || (inside && inside[slot]! > 0.5)) continue;
      for (let y = boxes[slot * 4 + 1]!; y <= boxes[slot * 4 + 3]!; y++)
        for (let x = boxes[slot * 4]!; x <= boxes[slot * 4 + 2]!; x++) {
          const pixel = y * width + x;
          if (sure > weight[pixel]! && !mask?.[pixel]) weight[pixel] = sure;
        }
    }
  }
  let sum = 0;
  for (const value of weight) sum += value;
  return sum / weight.length;
}

/** Probability that the picture carries a watermark, from how much of it looks like one. */
export function watermarkProbability({ sets }: Overlays, copy: WorkingCopy): number {
  const values = watermarkEvidence(
    sets.map((set) => ({ ...set, mark: judged(markTrees, set) })),
    copy.width * copy.height,
  );
  return treesProbability(
    watermarkTrees,
    Float32Array.from(watermarkFeatures, (name) => values[name]),
  );
}

function insideMask(labels: Int32Array, numbers: Int32Array, count: number, areas: Float32Array, mask: Uint8Array): Float32Array {
  const slots = new Int32Array(count + 1).fill(-1);
  for (let slot = 0; slot < numbers.length; slot++) slots[numbers[slot]! + 1] = slot;
  const inside = new Float32Array(numbers.length);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const slot = slots[labels[pixel]!]!;
    if (slot >= 0 && mask[pixel]) inside[slot]!++;
  }
  for (let slot = 0; slot < inside.length; slot++) inside[slot]! /= areas[slot]!;
  return inside;
}
