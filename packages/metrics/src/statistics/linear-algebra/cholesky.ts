/** A factor of a symmetric positive semidefinite matrix: `matrix = factor · factorᵀ`. */
export interface Factor {
  /** `[size, rank]`, row-major. */
  readonly data: Float64Array;
  readonly size: number;
  /** How many columns were needed; below `size` for singular matrices. */
  readonly rank: number;
}

/**
 * Cholesky factor with complete pivoting, which also takes singular matrices: it ends when what remains is rounding error.
 * Rows are in the order of the matrix. Only the lower triangle is read.
 *
 * @param matrix `[size, size]`, row-major, symmetric, positive semidefinite up to rounding
 */
export function choleskyFactor(matrix: Float64Array, size: number): Factor {
  // Rows of the factor, `size` apart; row i belongs to the matrix's row order[i].
  const rows = new Float64Array(size * size);
  const order = Int32Array.from({ length: size }, (_, index) => index);
  const remaining = Float64Array.from({ length: size }, (_, index) => matrix[index * size + index]!);
  const largest = remaining.reduce((most, value) => Math.max(most, value), 0);
  const tolerance = size * Number.EPSILON * largest;
  let rank = 0;
  for (; rank < size; rank++) {
    let pivot = rank;
    for (let i = rank + 1; i < size; i++) if (remaining[i]! > remaining[pivot]!) pivot = i;
    if (!(remaining[pivot]! > tolerance)) break;
    if (pivot !== rank) {
      [order[rank], order[pivot]] = [order[pivot]!, order[rank]!];
      [remaining[rank], remaining[pivot]] = [remaining[pivot]!, remaining[rank]!];
      for (let k = 0; k < rank; k++) {
        const kept = rows[rank * size + k]!;
        rows[rank * size + k] = rows[pivot * size + k]!;
        rows[pivot * size + k] = kept;
      }
    }
    const diagonal = Math.sqrt(remaining[rank]!);
    const pivotRow = rank * size;
    const source = order[rank]!;
    rows[pivotRow + rank] = diagonal;
    for (let i = rank + 1; i < size; i++) {
      const row = i * size;
      let [a, b, c, d] = [0, 0, 0, 0];
      let k = 0;
      for (; k + 3 < rank; k += 4) {
        a += rows[row + k]! * rows[pivotRow + k]!;
        b += rows[row + k + 1]! * rows[pivotRow + k + 1]!;
        c += rows[row + k + 2]! * rows[pivotRow + k + 2]!;
        d += rows[row + k + 3]! * rows[pivotRow + k + 3]!;
      }
      for (; k < rank; k++) a += rows[row + k]! * rows[pivotRow + k]!;
      const [high, low] = order[i]! > source ? [order[i]!, source] : [source, order[i]!];
      const value = (matrix[high * size + low]! - (a + b + (c + d))) / diagonal;
      rows[row + rank] = value;
      remaining[i] = remaining[i]! - value * value;
    }
  }
  const data = new Float64Array(size * rank);
  for (let i = 0; i < size; i++) data.set(rows.subarray(i * size, i * size + rank), order[i]! * rank);
  return { data, size, rank };
}
