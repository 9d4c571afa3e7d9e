/** Solves a small dense linear system by elimination with row exchange. */
export function solve(rows: readonly (readonly number[])[], right: readonly number[]): number[] {
  const size = right.length;
  const matrix = rows.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) if (Math.abs(matrix[i]![column]!) > Math.abs(matrix[pivot]![column]!)) pivot = i;
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = matrix[i]![column]! / matrix[column]![column]!;
      for (let j = column; j <= size; j++) matrix[i]![j]! -= factor * matrix[column]![j]!;
    }
  }
  return matrix.map((row, i) => row[size]! / row[i]!);
}
