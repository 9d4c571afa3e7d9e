/** A factor and the array that it multiplies. */
export type Term = readonly [weight: number, values: Float32Array];

/** `Σ weight · values`, summed in float64 and rounded once. A weight of 0 leaves its array out, whatever is in it. */
export function weightedSum(...terms: readonly Term[]): Float32Array {
  const sum = new Float64Array(terms[0]![1].length);
  for (const [weight, values] of terms) {
    if (weight === 0) continue;
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
  }
  return Float32Array.from(sum);
}
