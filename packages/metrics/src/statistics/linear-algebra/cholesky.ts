/** A factor of a symmetric positive semidefinite matrix: `matrix = factor · factorᵀ`. */
export interface Factor {
  /** `[size, rank]`, row-major. */
  readonly data: Float64Array;
  readonly size: number;
  /** How many columns were needed; below `size` for singular matrices. */
  readonly rank: number;
}

/** Columns that are eliminated together; their rows fit into the processor's cache. */
const blockColumns = 64;

/**
 * Cholesky factor of a covariance; where it is singular, that with complete pivoting. Only the lower triangle is read.
 *
 * @param matrix `[size, size]`, row-major, symmetric, positive semidefinite up to rounding
 */
export function choleskyFactor(matrix: Float64Array, size: number): Factor {
  return plainFactor(matrix, size) ?? pivotedFactor(matrix, size);
}

/** The lower triangular factor; undefined when a pivot is no more than rounding error. */
function plainFactor(matrix: Float64Array, size: number): Factor | undefined {
  const data = new Float64Array(size * size);
  let largest = 0;
  for (let i = 0; i < size; i++) {
    data.set(matrix.subarray(i * size, i * size + i + 1), i * size);
    largest = Math.max(largest, matrix[i * size + i]!);
  }
  const tolerance = size * Number.EPSILON * largest;
  for (let from = 0; from < size; from += blockColumns) {
    const to = Math.min(size, from + blockColumns);
    let i = from;
    for (; i < to || (size - i) % 2 === 1; i++) {
      const row = i * size;
      for (let j = from; j < Math.min(to, i + 1); j++) data[row + j] = data[row + j]! - dot(data, row, j * size, from);
    }
    for (; i < size; i += 2) subtractTiles(data, size, i, from, to);
    for (i = from; i < size; i++) {
      const row = i * size;
      const last = Math.min(to, i);
      for (let j = from; j < last; j++) {
        let value = data[row + j]!;
        for (let k = from; k < j; k++) value -= data[row + k]! * data[j * size + k]!;
        data[row + j] = value / data[j * size + j]!;
      }
      if (i >= to) continue;
      let pivot = data[row + i]!;
      for (let k = from; k < i; k++) pivot -= data[row + k]! ** 2;
      if (!(pivot > tolerance)) return undefined;
      data[row + i] = Math.sqrt(pivot);
    }
  }
  return { data, size, rank: size };
}

/** Two rows by four columns at once: every value that is loaded serves several products. */
function subtractTiles(data: Float64Array, size: number, i: number, from: number, to: number): void {
  const [a, b] = [i * size, (i + 1) * size];
  let j = from;
  for (; j + 3 < to; j += 4) {
    const [p, q, r, s] = [j * size, (j + 1) * size, (j + 2) * size, (j + 3) * size];
    let [ap, aq, ar, as, bp, bq, br, bs] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let k = 0; k < from; k++) {
      const [u, v] = [data[a + k]!, data[b + k]!];
      const [w, x, y, z] = [data[p + k]!, data[q + k]!, data[r + k]!, data[s + k]!];
      ap += u * w;
      aq += u * x;
      ar += u * y;
      as += u * z;
      bp += v * w;
      bq += v * x;
      br += v * y;
      bs += v * z;
    }
    data[a + j] = data[a + j]! - ap;
    data[a + j + 1] = data[a + j + 1]! - aq;
    data[a + j + 2] = data[a + j + 2]! - ar;
    data[a + j + 3] = data[a + j + 3]! - as;
    data[b + j] = data[b + j]! - bp;
    data[b + j + 1] = data[b + j + 1]! - bq;
    data[b + j + 2] = data[b + j + 2]! - br;
    data[b + j + 3] = data[b + j + 3]! - bs;
  }
  for (; j < to; j++) {
    data[a + j] = data[a + j]! - dot(data, a, j * size, from);
    data[b + j] = data[b + j]! - dot(data, b, j * size, from);
  }
}

function dot(data: Float64Array, a: number, b: number, length: number): number {
  let [w, x, y, z] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    w += data[a + k]! * data[b + k]!;
    x += data[a + k + 1]! * data[b + k + 1]!;
    y += data[a + k + 2]! * data[b + k + 2]!;
    z += data[a + k + 3]! * data[b + k + 3]!;
  }
  for (; k < length; k++) w += data[a + k]! * data[b + k]!;
  return w + x + (y + z);
}

/** Ends when what remains is rounding error. Rows are in the order of the matrix. */
function pivotedFactor(matrix: Float64Array, size: number): Factor {
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
      const [high, low] = order[i]! > source ? [order[i]!, source] : [source, order[i]!];
      const value = (matrix[high * size + low]! - dot(rows, row, pivotRow, rank)) / diagonal;
      rows[row + rank] = value;
      remaining[i] = remaining[i]! - value * value;
    }
  }
  const data = new Float64Array(size * rank);
  for (let i = 0; i < size; i++) data.set(rows.subarray(i * size, i * size + rank), order[i]! * rank);
  return { data, size, rank };
}
