import type { Image } from "@refadgen/image";
import { toGrey } from "@refadgen/image";
import { ringAround } from "./morphology.js";
import { noiseLevel } from "./strokes.js";
import type { WorkingCopy } from "./working-copy.js";

export interface Sharpness {
  /** Standard deviation of the blur that edges show in the direction in which they show most, in px of the working copy. */
  readonly radius: number;
  /** The same for the directions together: a shaken picture is sharp along its motion. */
  readonly softest: number;
  readonly sharpest: number;
  /** Edge pixels that were measured. */
  readonly edges: number;
}

const directions = 8;
/** Of the blur that is added to see how much it changes, px. */
const added = 1;
const taps = [0.054488684549642945, 0.24420134200323332, 0.40261994689424746, 0.24420134200323332, 0.054488684549642945] as const;
/** Blur that is not told apart from more, px. */
const blurredMost = 6;

/**
 * How wide edges are, by how much they lose when blurred once more (S. Zhuo and T. Sim, "Defocus map estimation from a single image", 2011), at the
 * sharpest edges of each direction. Soft parts of a picture do not count while there are sharp ones; where a mask is given, those of the product count.
 *
 * @returns undefined where there are no edges to measure: a plain wall
 */
export function measureSharpness(copy: WorkingCopy, mask?: Uint8Array): Sharpness | undefined {
  const { width, height, luma } = copy;
  if (width < 12 || height < 12) return undefined;
  const soft = blurred(luma, width, height);
  let allowed: Uint8Array | undefined;
  if (mask) {
    allowed = ringAround(mask, width, height, 3);
    for (let pixel = 0; pixel < mask.length; pixel++) if (mask[pixel]) allowed[pixel] = 1;
  }
  const noise = noiseLevel(copy);
  const gx = new Float32Array(luma.length);
  const gy = new Float32Array(luma.length);
  const magnitude = new Float32Array(luma.length);
  const histogram = new Uint32Array(512);
  let measured = 0;
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2, pixel = y * width + 2; x < width - 2; x++, pixel++) {
      if (allowed && allowed[pixel] === 0) continue;
      const across = (luma[pixel + 1]! - luma[pixel - 1]!) / 2;
      const down = (luma[pixel + width]! - luma[pixel - width]!) / 2;
      gx[pixel] = across;
      gy[pixel] = down;
      const size = Math.sqrt(across * across + down * down);
      magnitude[pixel] = size;
      histogram[Math.min(511, Math.floor(size * 4))]!++;
      measured++;
    }
  }
  if (measured === 0) return undefined;
  let seen = 0;
  let strong = 511;
  while (strong > 0 && seen < measured * 0.004) seen += histogram[strong--]!;
  const least = Math.max(2, 4 * noise, 0.22 * (strong / 4));
  const found: { radius: number; weight: number }[][] = Array.from({ length: directions }, () => []);
  let edges = 0;
  for (let y = 3; y < height - 3; y++) {
    for (let x = 3, pixel = y * width + 3; x < width - 3; x++, pixel++) {
      const size = magnitude[pixel]!;
      if (size < least) continue;
      const [across, down] = [gx[pixel]!, gy[pixel]!];
      // The pixels before and behind along the gradient, to the nearest of eight.
      const stepX = Math.abs(across) > 0.414 * Math.abs(down) ? Math.sign(across) : 0;
      const stepY = Math.abs(down) > 0.414 * Math.abs(across) ? Math.sign(down) : 0;
      const step = stepX + stepY * width;
      if (magnitude[pixel + step]! > size || magnitude[pixel - step]! >= size) continue;
      const softAcross = (soft[pixel + 1]! - soft[pixel - 1]!) / 2;
      const softDown = (soft[pixel + width]! - soft[pixel - width]!) / 2;
      // Along the gradient, so that a second edge nearby does not turn it.
      const softSize = (softAcross * across + softDown * down) / size;
      if (softSize <= 0.05 * size) continue;
      const ratio = size / softSize;
      const radius = ratio <= 1.012 ? blurredMost : Math.min(blurredMost, added / Math.sqrt(ratio * ratio - 1));
      const angle = Math.atan2(down, across);
      const direction = ((Math.round((angle / Math.PI) * directions) % directions) + directions) % directions;
      found[direction]!.push({ radius, weight: Math.min(size, 40) });
      edges++;
    }
  }
  if (edges < 24) return undefined;
  const radii: number[] = [];
  for (let direction = 0; direction < directions; direction++) {
    const alike = found[direction]!;
    if (alike.length >= Math.max(12, 0.03 * edges)) radii.push(quantile(alike, 0.3));
  }
  const all = quantile(found.flat(), 0.3);
  const softest = Math.max(all, ...radii);
  const sharpest = radii.length > 0 ? Math.min(...radii) : all;
  return { radius: softest, softest, sharpest, edges };
}

function quantile(values: { radius: number; weight: number }[], share: number): number {
  values.sort((a, b) => a.radius - b.radius);
  const total = values.reduce((sum, { weight }) => sum + weight, 0);
  let seen = 0;
  for (const { radius, weight } of values) {
    seen += weight;
    if (seen >= share * total) return radius;
  }
  return values.at(-1)?.radius ?? 0;
}

function blurred(plane: Float32Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let tap = -2; tap <= 2; tap++) sum += taps[tap + 2]! * plane[y * width + Math.min(width - 1, Math.max(0, x + tap))]!;
      rows[y * width + x] = sum;
    }
  }
  const out = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) {
    const [a, b, c, d, e] = [-2, -1, 0, 1, 2].map((tap) => Math.min(height - 1, Math.max(0, y + tap)) * width) as [
      number,
      number,
      number,
      number,
      number,
    ];
    for (let x = 0; x < width; x++)
      out[y * width + x] = taps[0] * (rows[a + x]! + rows[e + x]!) + taps[1] * (rows[b + x]! + rows[d + x]!) + taps[2] * rows[c + x]!;
  }
  return out;
}

/** How many equal pixels stand for one along both axes, from 1: more than 1 where a small picture was enlarged without smoothing. */
export function pixelSize(image: Image): number {
  const { width, height, data } = toGrey(image);
  return Math.min(steps(data, width, height, 1, width), steps(data, height, width, width, 1));
}

function steps(data: Uint8Array, length: number, lines: number, step: number, pitch: number): number {
  if (length < 16) return 1;
  const energy = new Float64Array(length - 1);
  const skip = Math.max(1, Math.floor(lines / 256));
  for (let line = 0; line < lines; line += skip) {
    for (let at = 1; at < length; at++)
      energy[at - 1]! += Math.min(64, Math.abs(data[line * pitch + at * step]! - data[line * pitch + (at - 1) * step]!));
  }
  // Long stretches without any change, a margin say, tell nothing.
  const mean = energy.reduce((sum, value) => sum + value, 0) / energy.length;
  if (mean === 0) return 1;
  const ratios: number[] = [];
  const block = 32;
  for (let from = 0; from + block <= energy.length; from += block) {
    const part = energy.subarray(from, from + block);
    const local = part.reduce((sum, value) => sum + value, 0) / block;
    if (local < 0.1 * mean) continue;
    ratios.push(
      block /
        Math.max(
          1,
          part.reduce((count, value) => count + (value > 0.2 * local ? 1 : 0), 0),
        ),
    );
  }
  if (ratios.length === 0) return 1;
  ratios.sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length * 0.35)]!;
}
