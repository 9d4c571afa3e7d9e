/** Rows of numbers that look random, always the same. */
export function rowsOf(
  count: number,
  dimensions: number,
  { seed = 1, shift = 0, scale = 1 }: { readonly seed?: number; readonly shift?: number; readonly scale?: number } = {},
): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const rows = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    let before = 0;
    // Neighbouring columns go together, as features do.
    for (let k = 0; k < dimensions; k++) {
      before = 0.6 * before + next() + next() + next() - 1.5;
      rows[row * dimensions + k] = scale * before + shift;
    }
  }
  return rows;
}

/** Rows one after the other. */
export function stacked(...parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Mean and covariance by their definitions. */
export function slowStatistics(rows: Float32Array, dimensions: number): { readonly mean: number[]; readonly covariance: number[] } {
  const count = rows.length / dimensions;
  const at = (row: number, k: number) => rows[row * dimensions + k]!;
  const mean = Array.from({ length: dimensions }, (_, k) => {
    let sum = 0;
    for (let row = 0; row < count; row++) sum += at(row, k);
    return sum / count;
  });
  const covariance = Array.from({ length: dimensions * dimensions }, (_, index) => {
    const [i, j] = [Math.floor(index / dimensions), index % dimensions];
    let sum = 0;
    for (let row = 0; row < count; row++) sum += (at(row, i) - mean[i]!) * (at(row, j) - mean[j]!);
    return sum / (count - 1);
  });
  return { mean, covariance };
}

/** The largest difference, as a share of the largest expected value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [worst, largest] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    worst = Math.max(worst, Math.abs(actual[index]! - expected[index]!));
    largest = Math.max(largest, Math.abs(expected[index]!));
  }
  return worst / largest;
}
