import { averaged, type Plane, type Share } from "./perceptual-hash.js";

/** Side of the grey thumbnail, and of each of the two of colour. */
const side = 32;
const colourSide = 6;
export const thumbnailBytes: number = side * side + 2 * colourSide * colourSide;

const whole: Share = { left: 0, top: 0, right: 1, bottom: 1 };

/** A picture so small that it fits beside its hashes: `thumbnailBytes` levels, luma, then Cb and Cr. */
export type Thumbnail = Uint8Array;

/** @param planes luma, Cb, Cr, 0 to 255, of one size */
export function thumbnail(planes: readonly [Plane, Plane, Plane]): Thumbnail {
  const out = new Uint8Array(thumbnailBytes);
  let at = 0;
  for (const [index, plane] of planes.entries()) {
    const count = index === 0 ? side : colourSide;
    for (const value of averaged(plane, whole, count, count)) out[at++] = Math.round(value);
  }
  return out;
}

/** @returns undefined unless the text is base64 of a thumbnail */
export function readThumbnail(text: string): Thumbnail | undefined {
  const data = Buffer.from(text, "base64");
  return data.length === thumbnailBytes ? new Uint8Array(data) : undefined;
}

export interface Likeness {
  /** Correlation of luma where the two overlap, -1 to 1, at the best alignment. */
  readonly correlation: number;
  /** The same of what is left without the coarse light and dark: of outlines and details. */
  readonly detail: number;
  /** Largest mean difference of the colours, in levels. */
  readonly colour: number;
  /** Part of the second picture that the first one shows; beyond 0 and 1 where the first one shows more. */
  readonly part: Share;
}

/** Compares two thumbnails: lays the first one over the second where it fits best, cropped by up to a sixth of each side. */
export function likeness(first: Thumbnail, second: Thumbnail, { mirrored = false, start = whole }: LikenessOptions = {}): Likeness {
  const a = mirrored ? flipped(first) : first;
  const found = [start, whole].map((from) => aligned(a, second, from));
  const { part, correlation: best } = found[0]!.correlation >= found[1]!.correlation ? found[0]! : found[1]!;
  return { correlation: best, detail: detail(a, second, part), colour: colour(a, second), part };
}

function aligned(a: Thumbnail, second: Thumbnail, start: Share): { readonly part: Share; readonly correlation: number } {
  let part = start;
  let best = correlation(a, second, part);
  for (const step of [0.05, 0.025, 0.0125, 0.006, 0.003]) {
    for (let round = 0; round < 3; round++) {
      let moved = false;
      for (const next of neighbours(part, step)) {
        const value = correlation(a, second, next);
        if (value <= best + 1e-6) continue;
        [best, part, moved] = [value, next, true];
      }
      if (!moved) break;
    }
  }
  return { part, correlation: best };
}

export interface LikenessOptions {
  /** Compare the mirror image of the first one. */
  readonly mirrored?: boolean;
  /** Where to begin. */
  readonly start?: Share;
}

const furthest = 1 / 6;

function neighbours({ left, top, right, bottom }: Share, step: number): Share[] {
  const moves = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [1, 0, 1, 0],
    [0, 1, 0, 1],
    [1, 1, -1, -1],
  ] as const;
  const found: Share[] = [];
  for (const [a, b, c, d] of moves)
    for (const sign of [step, -step]) {
      const next = { left: left + a * sign, top: top + b * sign, right: right + c * sign, bottom: bottom + d * sign };
      if (Math.max(Math.abs(next.left), Math.abs(next.top), Math.abs(1 - next.right), Math.abs(1 - next.bottom)) <= furthest) found.push(next);
    }
  return found;
}

/** Levels of the second picture where the first one's pixels are, NaN outside. */
function laidOver(second: Thumbnail, { left, top, right, bottom }: Share, out: Float32Array): void {
  for (let y = 0; y < side; y++) {
    const v = (top + ((bottom - top) * (y + 0.5)) / side) * side - 0.5;
    const y0 = Math.min(side - 2, Math.max(0, Math.floor(v)));
    const fy = Math.min(1, Math.max(0, v - y0));
    for (let x = 0; x < side; x++) {
      const u = (left + ((right - left) * (x + 0.5)) / side) * side - 0.5;
      if (u < -0.5 || v < -0.5 || u > side - 0.5 || v > side - 0.5) {
        out[y * side + x] = Number.NaN;
        continue;
      }
      const x0 = Math.min(side - 2, Math.max(0, Math.floor(u)));
      const fx = Math.min(1, Math.max(0, u - x0));
      const at = y0 * side + x0;
      out[y * side + x] =
        (1 - fy) * ((1 - fx) * second[at]! + fx * second[at + 1]!) + fy * ((1 - fx) * second[at + side]! + fx * second[at + side + 1]!);
    }
  }
}

const laid = new Float32Array(side * side);

function correlation(first: Thumbnail, second: Thumbnail, part: Share): number {
  laidOver(second, part, laid);
  return correlate(first, laid);
}

/** Pearson's, over the pairs that both have; two plain surfaces of about one level count as alike. */
function correlate(a: ArrayLike<number>, b: Float32Array): number {
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [a[at]!, b[at]!];
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    n++;
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  if (n < (side * side) / 3) return -1;
  const [va, vb] = [saa / n - (sa / n) ** 2, sbb / n - (sb / n) ** 2];
  if (va < plain && vb < plain) return Math.abs(sa - sb) / n < 6 ? 1 : 0;
  if (va < plain / 4 || vb < plain / 4) return 0;
  return (sab / n - (sa * sb) / (n * n)) / Math.sqrt(va * vb);
}

/** Variance, in levels squared, below which a surface is plain. */
const plain = 2;

/** Correlation of what differs from the mean of the 5 × 5 around. */
function detail(first: Thumbnail, second: Thumbnail, part: Share): number {
  laidOver(second, part, laid);
  const a = Float32Array.from(first.subarray(0, side * side), (value, at) => (Number.isNaN(laid[at]!) ? Number.NaN : value));
  return correlate(highPassed(a), highPassed(laid));
}

function highPassed(plane: Float32Array): Float32Array {
  const out = new Float32Array(plane.length);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let [sum, count] = [0, 0];
      for (let dy = Math.max(0, y - 2); dy <= Math.min(side - 1, y + 2); dy++)
        for (let dx = Math.max(0, x - 2); dx <= Math.min(side - 1, x + 2); dx++) {
          const value = plane[dy * side + dx]!;
          if (Number.isNaN(value)) continue;
          sum += value;
          count++;
        }
      out[y * side + x] = plane[y * side + x]! - sum / Math.max(1, count);
    }
  return out;
}

/** A median of differences would forgive a product of another colour; the mean of the upper quarter does not. */
function colour(first: Thumbnail, second: Thumbnail): number {
  const differences: number[] = [];
  const count = colourSide * colourSide;
  for (let at = 0; at < count; at++) {
    const [cb, cr] = [side * side + at, side * side + count + at];
    differences.push(Math.hypot(first[cb]! - second[cb]!, first[cr]! - second[cr]!));
  }
  differences.sort((x, y) => y - x);
  return differences.slice(0, count / 4).reduce((sum, value) => sum + value, 0) / (count / 4);
}

function flipped(one: Thumbnail): Thumbnail {
  const out = new Uint8Array(thumbnailBytes);
  const turn = (from: number, width: number) => {
    for (let y = 0; y < width; y++) for (let x = 0; x < width; x++) out[from + y * width + x] = one[from + y * width + width - 1 - x]!;
  };
  turn(0, side);
  turn(side * side, colourSide);
  turn(side * side + colourSide * colourSide, colourSide);
  return out;
}
