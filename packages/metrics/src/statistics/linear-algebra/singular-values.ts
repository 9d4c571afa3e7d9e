/**
 * Sum of the singular values (the nuclear norm) by one-sided Jacobi rotations, which keep small ones to full relative accuracy. For
 * matrices of some hundred rows; the work is `rows² · columns` times about eight.
 *
 * @param matrix `[rows, columns]`, row-major; overwritten
 */
export function nuclearNorm(matrix: Float64Array, rows: number, columns: number): number {
  // Rows are made orthogonal to one another; their lengths are then the singular values.
  for (let sweep = 0; sweep < 60; sweep++) {
    let turned = false;
    for (let p = 0; p < rows - 1; p++) {
      for (let q = p + 1; q < rows; q++) turned = orthogonalise(matrix, columns, p * columns, q * columns) || turned;
    }
    if (!turned) break;
  }
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += length(matrix.subarray(row * columns, (row + 1) * columns));
  return sum;
}

function orthogonalise(matrix: Float64Array, columns: number, p: number, q: number): boolean {
  let [pp, qq, pq] = [0, 0, 0];
  for (let k = 0; k < columns; k++) {
    const a = matrix[p + k]!;
    const b = matrix[q + k]!;
    pp += a * a;
    qq += b * b;
    pq += a * b;
  }
  if (pp === 0 || qq === 0 || Math.abs(pq) <= 1e-15 * Math.sqrt(pp) * Math.sqrt(qq)) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  const sine = cosine * tangent;
  for (let k = 0; k < columns; k++) {
    const a = matrix[p + k]!;
    const b = matrix[q + k]!;
    matrix[p + k] = cosine * a - sine * b;
    matrix[q + k] = sine * a + cosine * b;
  }
  return true;
}

function length(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}
