import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";

/** Cosine of row `i` of one matrix `[N, D]` and row `j` of another, in float64; NaN for a row of zeros. */
export function cosineOfRows(a: Tensor<"float32">, i: number, b: Tensor<"float32">, j: number): number {
  const width = a.dims[1]!;
  if (b.dims[1] !== width) throw new ArgumentError(`cosine: expected rows of equal width, got ${width} and ${b.dims[1]}`);
  let [product, first, second] = [0, 0, 0];
  for (let k = 0; k < width; k++) {
    const x = a.data[i * width + k]!;
    const y = b.data[j * width + k]!;
    product += x * y;
    first += x * x;
    second += y * y;
  }
  return product / Math.sqrt(first * second);
}

/** Cosines of equal rows of two matrices. */
export function rowCosines(a: Tensor<"float32">, b: Tensor<"float32">): Float64Array {
  if (a.dims[0] !== b.dims[0]) throw new ArgumentError(`cosine: expected as many rows of both, got ${a.dims[0]} and ${b.dims[0]}`);
  return Float64Array.from({ length: a.dims[0]! }, (_, row) => cosineOfRows(a, row, b, row));
}
