import type { RandomBits } from "./mersenne-twister.js";
import { uniform53 } from "./uniform.js";

/** Indices of the `count` largest of weight / Exponential(1), in falling order: drawn without replacement. */
export function drawDistinct(weights: Float32Array, count: number, bits: RandomBits): number[] {
  const keys = Float32Array.from(weights, (weight) => weight / Math.fround(-Math.log1p(-uniform53(bits))));
  return Array.from(keys.keys())
    .sort((a, b) => keys[b]! - keys[a]! || a - b)
    .slice(0, count);
}

/** For each draw the first index whose cumulative share reaches a 53-bit uniform: drawn with replacement. */
export function drawRepeatedly(weights: Float32Array, count: number, bits: RandomBits): number[] {
  const cumulative = new Float32Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum = Math.fround(sum + weights[i]!);
    cumulative[i] = sum;
  }
  for (let i = 0; i < cumulative.length; i++) cumulative[i]! /= sum;
  cumulative[cumulative.length - 1] = 1;
  return Array.from({ length: count }, () => firstReaching(cumulative, uniform53(bits)));
}

function firstReaching(rising: Float32Array, level: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < level) low = middle + 1;
    else high = middle;
  }
  return low;
}
