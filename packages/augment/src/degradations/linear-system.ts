import { ArgumentError } from "@refadgen/errors";

/**
 * Solves A x = b for several right-hand sides by elimination with row exchange.
 *
 * @param matrix n rows of n + m numbers: A, then the m right-hand sides; changed in place.
 * @returns `[n][m]`
 * @throws ArgumentError if the matrix is singular
 */
export function solve(name: string, matrix: number[][]): number[][] {
  const n = matrix.length;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) if (Math.abs(matrix[row]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = row;
    const [a, b] = [matrix[column]!, matrix[pivot]!];
    matrix[column] = b;
    matrix[pivot] = a;
    const head = b[column]!;
    if (!(Math.abs(head) > 1e-13)) throw new ArgumentError(`${name}: expected points in general position, got some that coincide or lie on one line`);
    for (let row = 0; row < n; row++) {
      const line = matrix[row]!;
      const factor = row === column ? 0 : line[column]! / head;
      if (factor !== 0) for (let k = column; k < line.length; k++) line[k]! -= factor * b[k]!;
    }
  }
  return matrix.map((row, i) => row.slice(n).map((value) => value / row[i]!));
}
