import type { Strokes } from "./strokes.js";
import type { WorkingCopy } from "./working-copy.js";

/** What is measured of each stroke; lengths are shares of the picture's shorter side. */
export const strokeFeatures = [
  "length",
  "breadth",
  "strokeWidth",
  "strokeEvenness",
  "fill",
  "elongation",
  "wiggle",
  "holes",
  "contrast",
  "contrastEvenness",
  "colourSpread",
  "groundSpread",
  "sharpness",
  "sharpnessSpread",
  "veilWhite",
  "veilWhiteSpread",
  "veilBlack",
  "veilBlackSpread",
  "bright",
  "nearest",
  "neighbours",
  "sizeDifference",
  "widthDifference",
  "contrastDifference",
  "collinearity",
  "twins",
  "chain",
  "chainLength",
  "chainScatter",
  "chainSizeSpread",
  "border",
  "crowd",
  "noise",
] as const;

/** Strokes that were looked at closely, and what was seen. */
export interface MeasuredStrokes {
  readonly strokes: Strokes;
  /** Numbers of the strokes, from 0, in falling order of how much they stand out. */
  readonly numbers: Int32Array;
  /** `[N, features]` */
  readonly features: Float32Array;
  /** `[N, 4]`: left, top, right, bottom in px of the copy; the last two included. */
  readonly boxes: Float32Array;
  readonly areas: Float32Array;
  /** Chain of similar strokes that each belongs to, or -1. */
  readonly chains: Int32Array;
}

const mostStrokes = 400;
const leastArea = 5;
export function measureStrokes(copy: WorkingCopy, plane: Float32Array, strokes: Strokes, noise: number): MeasuredStrokes {
  const { width, height, rgb } = copy;
  const { labels, count, contrast } = strokes;
  const shorter = Math.min(width, height);
  const box = new Int32Array(count * 4);
  const area = new Float32Array(count);
  const standing = new Float64Array(count);
  for (let number = 0; number < count; number++) {
    box[number * 4] = width;
    box[number * 4 + 1] = height;
  }
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const label = labels[pixel]!;
      if (label === 0) continue;
      const at = (label - 1) * 4;
      if (x < box[at]!) box[at] = x;
      if (y < box[at + 1]!) box[at + 1] = y;
      if (x > box[at + 2]!) box[at + 2] = x;
      box[at + 3] = y;
      area[label - 1]!++;
      standing[label - 1]! += contrast[pixel]!;
    }
  }
  const kept: number[] = [];
  for (let number = 0; number < count; number++) {
    if (area[number]! >= leastArea) kept.push(number);
  }
  kept.sort((a, b) => standing[b]! / Math.sqrt(area[b]!) - standing[a]! / Math.sqrt(area[a]!) || a - b);
  const numbers = Int32Array.from(kept.slice(0, mostStrokes));
  const slots = new Int32Array(count + 1).fill(-1);
  for (let slot = 0; slot < numbers.length; slot++) slots[numbers[slot]! + 1] = slot;

  const n = numbers.length;
  const f = strokeFeatures.length;
  const features = new Float32Array(n * f);
  const boxes = new Float32Array(n * 4);
  const areas = new Float32Array(n);
  for (let slot = 0; slot < n; slot++) {
    for (let side = 0; side < 4; side++) boxes[slot * 4 + side] = box[numbers[slot]! * 4 + side]!;
    areas[slot] = area[numbers[slot]!]!;
  }

  // Sums over the pixels of each stroke.
  const depth = depthInside(labels, width, height);
  const inner = new Float64Array(n);
  const innerSums = new Float64Array(n * 6);
  const contrastSums = new Float64Array(n * 2);
  const depthSum = new Float64Array(n);
  const depthMost = new Float64Array(n);
  const moments = new Float64Array(n * 5);
  const edge = new Float64Array(n);
  const ringSums = new Float64Array(n * 6);
  const ringCount = new Float64Array(n);
  const sharpSums = new Float64Array(n * 2);
  const sharpCount = new Float64Array(n);
  const euler = new Float64Array(n);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const label = labels[pixel]!;
      if (label === 0) continue;
      const slot = slots[label]!;
      if (slot < 0) continue;
      const d = depth[pixel]!;
      depthSum[slot]! += d;
      if (d > depthMost[slot]!) depthMost[slot] = d;
      moments[slot * 5]! += x;
      moments[slot * 5 + 1]! += y;
      moments[slot * 5 + 2]! += x * x;
      moments[slot * 5 + 3]! += y * y;
      moments[slot * 5 + 4]! += x * y;
      if (d > 1) {
        inner[slot]!++;
        for (let c = 0; c < 3; c++) {
          const value = rgb[pixel * 3 + c]!;
          innerSums[slot * 6 + c]! += value;
          innerSums[slot * 6 + 3 + c]! += value * value;
        }
        contrastSums[slot * 2]! += contrast[pixel]!;
        contrastSums[slot * 2 + 1]! += contrast[pixel]! ** 2;
        continue;
      }
      for (let way = 0; way < 4; way++) {
        const dx = way === 0 ? -1 : way === 1 ? 1 : 0;
        const dy = way === 2 ? -1 : way === 3 ? 1 : 0;
        if (x + 3 * dx < 0 || x + 3 * dx >= width || y + 3 * dy < 0 || y + 3 * dy >= height) continue;
        const step = dx + dy * width;
        if (labels[pixel + step] !== 0) continue;
        edge[slot]!++;
        const out = pixel + 2 * step;
        if (labels[out] !== 0) continue;
        ringCount[slot]!++;
        for (let c = 0; c < 3; c++) {
          const value = rgb[out * 3 + c]!;
          ringSums[slot * 6 + c]! += value;
          ringSums[slot * 6 + 3 + c]! += value * value;
        }
        if (x - dx < 0 || x - dx >= width || y - dy < 0 || y - dy >= height) continue;
        const whole = Math.abs(plane[pixel - step]! - plane[out]!);
        if (whole < 3) continue;
        const one = Math.max(Math.abs(plane[pixel]! - plane[pixel + step]!), Math.abs(plane[pixel + step]! - plane[out]!));
        const ratio = Math.min(1, one / whole);
        sharpSums[slot * 2]! += ratio;
        sharpSums[slot * 2 + 1]! += ratio * ratio;
        sharpCount[slot]!++;
      }
    }
  }
  countEuler(labels, width, height, slots, euler);

  const sizes = new Float32Array(n);
  const widths = new Float32Array(n);
  const contrasts = new Float32Array(n);
  const centres = new Float32Array(n * 2);
  for (let slot = 0; slot < n; slot++) {
    const pixels = areas[slot]!;
    const [left, top, right, bottom] = [boxes[slot * 4]!, boxes[slot * 4 + 1]!, boxes[slot * 4 + 2]!, boxes[slot * 4 + 3]!];
    const [across, down] = [right - left + 1, bottom - top + 1];
    const cx = moments[slot * 5]! / pixels;
    const cy = moments[slot * 5 + 1]! / pixels;
    const xx = moments[slot * 5 + 2]! / pixels - cx * cx + 1 / 12;
    const yy = moments[slot * 5 + 3]! / pixels - cy * cy + 1 / 12;
    const xy = moments[slot * 5 + 4]! / pixels - cx * cy;
    const middle = (xx + yy) / 2;
    const swing = Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy);
    const contour = Math.max(1, edge[slot]!) * 0.8; // sides of pixels to length, on average over directions
    const stroke = (2 * pixels) / contour;
    const flat = inner[slot]! >= 3;
    const inside = [0, 0, 0];
    const ground = [0, 0, 0];
    let [spread, groundSpread] = [0, 0];
    const meanContrast = flat ? contrastSums[slot * 2]! / inner[slot]! : standing[numbers[slot]!]! / pixels;
    for (let c = 0; c < 3; c++) {
      if (flat) {
        inside[c] = innerSums[slot * 6 + c]! / inner[slot]!;
        spread += Math.max(0, innerSums[slot * 6 + 3 + c]! / inner[slot]! - inside[c]! ** 2);
      }
      if (ringCount[slot]! > 0) {
        ground[c] = ringSums[slot * 6 + c]! / ringCount[slot]!;
        groundSpread += Math.max(0, ringSums[slot * 6 + 3 + c]! / ringCount[slot]! - ground[c]! ** 2);
      }
      if (!flat) inside[c] = Math.min(255, Math.max(0, ground[c]! + (strokes.bright ? meanContrast : -meanContrast)));
    }
    const white = veil(inside, ground, 255);
    const black = veil(inside, ground, 0);
    sizes[slot] = Math.max(across, down);
    widths[slot] = stroke;
    contrasts[slot] = meanContrast;
    centres[slot * 2] = cx;
    centres[slot * 2 + 1] = cy;
    const sharp = sharpCount[slot]! > 0 ? sharpSums[slot * 2]! / sharpCount[slot]! : 0;
    features.set(
      [
        Math.max(across, down) / shorter,
        Math.min(across, down) / shorter,
        stroke / shorter,
        depthSum[slot]! / pixels / Math.max(1, depthMost[slot]!),
        pixels / (across * down),
        Math.sqrt((middle + swing) / Math.max(1e-3, middle - swing)),
        contour / (2 * Math.PI * Math.sqrt(pixels / Math.PI)),
        1 - euler[slot]!,
        meanContrast,
        flat ? Math.sqrt(Math.max(0, contrastSums[slot * 2 + 1]! / inner[slot]! - meanContrast ** 2)) / Math.max(1, meanContrast) : -1,
        flat ? Math.sqrt(spread) / Math.max(4, meanContrast) : -1,
        Math.sqrt(groundSpread) / Math.max(4, meanContrast),
        sharp,
        sharpCount[slot]! > 0 ? Math.sqrt(Math.max(0, sharpSums[slot * 2 + 1]! / sharpCount[slot]! - sharp * sharp)) : -1,
        white.amount,
        white.spread,
        black.amount,
        black.spread,
        strokes.bright ? 1 : 0,
      ],
      slot * f,
    );
    features[slot * f + f - 3] = Math.min(left, top, width - 1 - right, height - 1 - bottom) / shorter;
    features[slot * f + f - 2] = n;
    features[slot * f + f - 1] = noise;
  }
  const chains = addNeighbours({ features, boxes, areas, sizes, widths, contrasts, centres, shorter });
  return { strokes, numbers, features, boxes, areas, chains };
}

/** How far a colour is on the way from the ground to white or black, and how much the channels disagree. */
function veil(inside: readonly number[], ground: readonly number[], towards: 0 | 255): { readonly amount: number; readonly spread: number } {
  let [low, high, sum, weight] = [2, -2, 0, 0];
  for (let c = 0; c < 3; c++) {
    const room = Math.abs(towards - ground[c]!);
    const moved = towards === 255 ? inside[c]! - ground[c]! : ground[c]! - inside[c]!;
    sum += moved;
    weight += room;
    const amount = moved / Math.max(12, room);
    low = Math.min(low, amount);
    high = Math.max(high, amount);
  }
  return { amount: sum / Math.max(30, weight), spread: high - low };
}

/** City-block distance to the nearest pixel outside, 1 at the edge. */
function depthInside(labels: Int32Array, width: number, height: number): Float32Array {
  const depth = new Float32Array(labels.length);
  for (let y = 0, pixel = 0; y < height; y++)
    for (let x = 0; x < width; x++, pixel++)
      if (labels[pixel] !== 0) depth[pixel] = Math.min(x > 0 ? depth[pixel - 1]! : 0, y > 0 ? depth[pixel - width]! : 0) + 1;
  for (let y = height - 1, pixel = labels.length - 1; y >= 0; y--)
    for (let x = width - 1; x >= 0; x--, pixel--)
      if (labels[pixel] !== 0)
        depth[pixel] = Math.min(depth[pixel]!, Math.min(x < width - 1 ? depth[pixel + 1]! : 0, y < height - 1 ? depth[pixel + width]! : 0) + 1);
  return depth;
}

/** Euler's number of each 8-connected stroke from the patterns of 2 × 2 pixels (S. Gray, "Local properties of binary images", 1971): no window holds two strokes. */
function countEuler(labels: Int32Array, width: number, height: number, slots: Int32Array, euler: Float64Array): void {
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : labels[y * width + x]!);
  for (let y = -1; y < height; y++) {
    let [a, c] = [0, 0];
    for (let x = -1; x < width; x++) {
      const b = at(x + 1, y);
      const d = at(x + 1, y + 1);
      const set = (a ? 1 : 0) + (b ? 1 : 0) + (c ? 1 : 0) + (d ? 1 : 0);
      if (set === 1 || set === 3 || (set === 2 && ((a && d) || (b && c)))) {
        const slot = slots[a || b || c || d]!;
        if (slot >= 0) euler[slot]! += set === 1 ? 0.25 : set === 3 ? -0.25 : -0.5;
      }
      a = b;
      c = d;
    }
  }
}

interface Placed {
  readonly features: Float32Array;
  readonly boxes: Float32Array;
  readonly areas: Float32Array;
  readonly sizes: Float32Array;
  readonly widths: Float32Array;
  readonly contrasts: Float32Array;
  readonly centres: Float32Array;
  readonly shorter: number;
}

/** What a stroke has in common with those around it: letters come in lines of one size, width and colour; marks of an owner come again and again. */
function addNeighbours({ features, boxes, areas, sizes, widths, contrasts, centres, shorter }: Placed): Int32Array {
  const n = areas.length;
  const f = strokeFeatures.length;
  const first = strokeFeatures.indexOf("nearest");
  const parent = Int32Array.from({ length: n }, (_, slot) => slot);
  const root = (slot: number) => {
    let at = slot;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const logs = { size: sizes.map(Math.log), width: widths.map(Math.log), contrast: contrasts.map((value) => Math.log(Math.max(1, value))) };
  for (let i = 0; i < n; i++) {
    let [one, two] = [-1, -1];
    let [nearest, second] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    let [neighbours, twins] = [0, 0];
    const [x, y] = [centres[i * 2]!, centres[i * 2 + 1]!];
    const across = boxes[i * 4 + 2]! - boxes[i * 4]! + 1;
    const down = boxes[i * 4 + 3]! - boxes[i * 4 + 1]! + 1;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const bySize = Math.abs(logs.size[i]! - logs.size[j]!);
      const byWidth = Math.abs(logs.width[i]! - logs.width[j]!);
      const byContrast = Math.abs(logs.contrast[i]! - logs.contrast[j]!);
      if (bySize > 0.9 || byWidth > 0.6 || byContrast > 0.7) continue;
      const [dx, dy] = [centres[j * 2]! - x, centres[j * 2 + 1]! - y];
      const distance = Math.hypot(dx, dy) / (0.5 * (sizes[i]! + sizes[j]!));
      if (distance < nearest) {
        [second, two] = [nearest, one];
        [nearest, one] = [distance, j];
      } else if (distance < second) [second, two] = [distance, j];
      if (distance < 2.2) {
        neighbours++;
        if (distance < 1.9 && byContrast < 0.5) {
          const [a, b] = [root(i), root(j)];
          if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
        }
      }
      if (
        bySize < 0.16 &&
        Math.abs(areas[i]! - areas[j]!) < 0.16 * Math.max(areas[i]!, areas[j]!, 12) &&
        Math.abs(boxes[j * 4 + 2]! - boxes[j * 4]! + 1 - across) <= Math.max(1, 0.1 * across) &&
        Math.abs(boxes[j * 4 + 3]! - boxes[j * 4 + 1]! + 1 - down) <= Math.max(1, 0.1 * down)
      )
        twins++;
    }
    const at = i * f + first;
    features[at] = Math.min(9, nearest);
    features[at + 1] = neighbours;
    features[at + 2] = one < 0 ? 2 : Math.abs(logs.size[i]! - logs.size[one]!);
    features[at + 3] = one < 0 ? 2 : Math.abs(logs.width[i]! - logs.width[one]!);
    features[at + 4] = one < 0 ? 2 : Math.abs(logs.contrast[i]! - logs.contrast[one]!);
    features[at + 5] = two < 0 ? -1 : collinearity(centres, i, one, two);
    features[at + 6] = twins;
  }
  const members = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    const list = members.get(root(i));
    if (list) list.push(i);
    else members.set(root(i), [i]);
  }
  const chains = new Int32Array(n).fill(-1);
  for (const [chain, list] of members) {
    const { length, scatter } = lineThrough(list, centres);
    const size = list.reduce((sum, slot) => sum + sizes[slot]!, 0) / list.length;
    const spread = Math.sqrt(list.reduce((sum, slot) => sum + (logs.size[slot]! - Math.log(size)) ** 2, 0) / list.length);
    for (const slot of list) {
      if (list.length > 1) chains[slot] = chain;
      const at = slot * f + first + 7;
      features[at] = list.length;
      features[at + 1] = length / shorter;
      features[at + 2] = scatter / size;
      features[at + 3] = spread;
    }
  }
  return chains;
}

/** |cosine| of the angle at `i` between its two neighbours: 1 on a line. */
function collinearity(centres: Float32Array, i: number, one: number, two: number): number {
  const [ax, ay] = [centres[one * 2]! - centres[i * 2]!, centres[one * 2 + 1]! - centres[i * 2 + 1]!];
  const [bx, by] = [centres[two * 2]! - centres[i * 2]!, centres[two * 2 + 1]! - centres[i * 2 + 1]!];
  return Math.abs(ax * bx + ay * by) / Math.max(1e-6, Math.hypot(ax, ay) * Math.hypot(bx, by));
}

/** Standard deviations of the centres along and across their main direction. */
function lineThrough(list: readonly number[], centres: Float32Array): { readonly length: number; readonly scatter: number } {
  let [sx, sy, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (const slot of list) {
    const [x, y] = [centres[slot * 2]!, centres[slot * 2 + 1]!];
    sx += x;
    sy += y;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  const n = list.length;
  xx = xx / n - (sx / n) ** 2;
  yy = yy / n - (sy / n) ** 2;
  xy = xy / n - (sx * sy) / (n * n);
  const middle = (xx + yy) / 2;
  const swing = Math.sqrt(((xx - yy) / 2) ** 2 + xy * xy);
  return { length: Math.sqrt(Math.max(0, middle + swing)), scatter: Math.sqrt(Math.max(0, middle - swing)) };
}
