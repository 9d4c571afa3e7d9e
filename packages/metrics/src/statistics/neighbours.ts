import { ArgumentError } from "@refadgen/errors";
import { type FeatureRows, innerProducts } from "./kid.js";

export interface NeighbourOptions {
  /** Which neighbour gives a row's radius, itself not counted. Default 3. */
  readonly k?: number;
  /** Whether a point at exactly the radius is inside. Default true. */
  readonly closed?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** How much two sets of features cover one another. */
export interface NeighbourScores {
  /** Share of generated rows inside of a real row's neighbourhood. */
  readonly precision: number;
  /** Share of real rows inside of a generated row's neighbourhood. */
  readonly recall: number;
  /** Mean number of real neighbourhoods around a generated row, over k. */
  readonly density: number;
  /** Share of real rows with a generated row in their neighbourhood. */
  readonly coverage: number;
  /** 2 · precision · recall / max(1e-5, precision + recall). */
  readonly fScore: number;
  /** Distance of each row to its k-th neighbour. */
  readonly radii: { readonly real: Float64Array; readonly generated: Float64Array };
}

/** Rows of a block of distances. */
const blockRows = 2048;

/** Differences of squared distances that products cannot tell apart, as a share of the squared lengths. */
const doubt = 1e-11;

/**
 * Precision, recall (Kynkäänniemi et al.), density and coverage (Naeem et al.) with exact neighbours. Distances come from products in
 * float64, blockwise; whatever is too close to call is computed again from the differences.
 *
 * @throws ArgumentError when dimensions differ, or a set has no k-th neighbour
 */
export async function neighbourScores(real: FeatureRows, generated: FeatureRows, options: NeighbourOptions = {}): Promise<NeighbourScores> {
  const { k = 3, closed = true, signal, onProgress } = options;
  if (real.dimensions !== generated.dimensions)
    throw new ArgumentError(`neighbourScores: expected features of equal dimensions, got ${real.dimensions} and ${generated.dimensions}`);
  if (!Number.isInteger(k) || k < 1) throw new ArgumentError(`neighbourScores: expected k of at least 1, got ${k}`);
  const fewest = Math.min(real.count, generated.count);
  if (fewest <= k) throw new ArgumentError(`neighbourScores: expected more than k = ${k} rows in each set, got ${fewest}`);
  const blocks = (set: FeatureRows) => Math.ceil(set.count / blockRows);
  const total = blocks(real) ** 2 + blocks(generated) ** 2 + blocks(real) * blocks(generated);
  let done = 0;
  const step = () => onProgress?.(++done, total);
  const sides = { real: measured(real), generated: measured(generated) };
  const radii = { real: await radiiOf(sides.real, k, step, signal), generated: await radiiOf(sides.generated, k, step, signal) };

  const inReal = new Uint8Array(generated.count);
  const inGenerated = new Uint8Array(real.count);
  const covered = new Uint8Array(real.count);
  let around = 0;
  await eachBlock(sides.real, sides.generated, step, signal, (i, j, squared, exact) => {
    const within = (radius: number, margin: number) => {
      const limit = radius * radius;
      if (Math.abs(squared - limit) > margin) return squared < limit;
      const distance = exact();
      return closed ? distance <= radius : distance < radius;
    };
    const margin = doubt * (sides.real.squares[i]! + sides.generated.squares[j]!);
    if (within(radii.real[i]!, margin)) {
      inReal[j] = 1;
      covered[i] = 1;
      around++;
    }
    if (within(radii.generated[j]!, margin)) inGenerated[i] = 1;
  });
  const share = (flags: Uint8Array) => flags.reduce((sum, flag) => sum + flag, 0) / flags.length;
  const [precision, recall] = [share(inReal), share(inGenerated)];
  return {
    precision,
    recall,
    density: around / (k * generated.count),
    coverage: share(covered),
    fScore: (2 * precision * recall) / Math.max(1e-5, precision + recall),
    radii,
  };
}

interface Measured extends FeatureRows {
  /** Squared lengths. */
  readonly squares: Float64Array;
}

function measured(set: FeatureRows): Measured {
  const { rows, count, dimensions } = set;
  const squares = new Float64Array(count);
  for (let row = 0; row < count; row++) for (let k = 0; k < dimensions; k++) squares[row] = squares[row]! + rows[row * dimensions + k]! ** 2;
  return { ...set, squares };
}

/** Distance from each row to its k-th neighbour. */
async function radiiOf(set: Measured, k: number, step: () => void, signal: AbortSignal | undefined): Promise<Float64Array> {
  // The k + 1 smallest, as a row is its own nearest, and some more that may change places with them.
  const keep = Math.min(set.count, 2 * k + 9);
  const nearest = Array.from({ length: set.count }, () => ({
    squared: new Float64Array(keep).fill(Number.POSITIVE_INFINITY),
    index: new Int32Array(keep),
  }));
  await eachBlock(set, set, step, signal, (i, j, squared) => {
    const { squared: values, index } = nearest[i]!;
    if (!(squared < values[keep - 1]!)) return;
    let at = keep - 1;
    for (; at > 0 && values[at - 1]! > squared; at--) {
      values[at] = values[at - 1]!;
      index[at] = index[at - 1]!;
    }
    values[at] = squared;
    index[at] = j;
  });
  return Float64Array.from(nearest, ({ index }, row) => {
    const exact = Float64Array.from(index, (other) => distance(set, row, set, other)).sort();
    return exact[k]!;
  });
}

/** Calls `visit` with every pair's squared distance, and a function for its exact distance. */
async function eachBlock(
  first: Measured,
  second: Measured,
  step: () => void,
  signal: AbortSignal | undefined,
  visit: (i: number, j: number, squared: number, exact: () => number) => void,
): Promise<void> {
  for (let top = 0; top < first.count; top += blockRows) {
    const upper = part(first, top);
    for (let left = 0; left < second.count; left += blockRows) {
      signal?.throwIfAborted();
      const other = part(second, left);
      const products = await innerProducts(upper, other, signal);
      for (let i = 0; i < upper.count; i++) {
        const row = top + i;
        for (let j = 0; j < other.count; j++) {
          const column = left + j;
          const squared = first.squares[row]! + second.squares[column]! - 2 * products[i * other.count + j]!;
          visit(row, column, squared, () => distance(first, row, second, column));
        }
        if (i % 256 === 255) await new Promise((resolve) => setImmediate(resolve));
      }
      step();
    }
  }
}

function part({ rows, count, dimensions }: FeatureRows, from: number): FeatureRows {
  const to = Math.min(count, from + blockRows);
  return { rows: rows.subarray(from * dimensions, to * dimensions), count: to - from, dimensions };
}

function distance(a: FeatureRows, i: number, b: FeatureRows, j: number): number {
  const { dimensions } = a;
  let sum = 0;
  for (let k = 0; k < dimensions; k++) sum += (a.rows[i * dimensions + k]! - b.rows[j * dimensions + k]!) ** 2;
  return Math.sqrt(sum);
}
