/** Smooth noise between 0 and 1: values at whole places, drawn from their hash, blended in between. */
export function noise2(x: number, y: number, seed = 0): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const u = fade(x - column);
  const v = fade(y - row);
  const top = lerp(cell(column, row, seed), cell(column + 1, row, seed), u);
  const bottom = lerp(cell(column, row + 1, seed), cell(column + 1, row + 1, seed), u);
  return lerp(top, bottom, v);
}

/** Noise in several sizes at once, each half as large and half as strong as the one before; between 0 and 1. */
export function fractal2(x: number, y: number, octaves: number, seed = 0): number {
  let sum = 0;
  let weight = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * noise2(x, y, seed + octave * 101);
    total += weight;
    weight /= 2;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}

/** A value of its own for every cell, between 0 and 1. */
export function cell(column: number, row: number, seed: number): number {
  let value = Math.imul(column, 0x27d4eb2d) ^ Math.imul(row, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0) / 2 ** 32;
}

const fade = (t: number): number => t * t * (3 - 2 * t);

function lerp(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return fade(t);
}
