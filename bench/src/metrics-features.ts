/** Features that look like Inception's: not below zero, going together with their neighbours, fading from column to column. */
export function benchFeatures(count: number, dimensions: number, { seed, shift }: { readonly seed: number; readonly shift: number }): Float32Array {
  let state = seed >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const scales = Float64Array.from({ length: dimensions }, (_, k) => 0.05 + Math.exp(-k / 300));
  const rows = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    let before = 0;
    for (let k = 0; k < dimensions; k++) {
      // A sum of four is near enough to normal.
      before = 0.8 * before + 0.6 * 1.732 * (uniform() + uniform() + uniform() + uniform() - 2);
      rows[row * dimensions + k] = Math.max(0, (before + shift) * scales[k]!);
    }
  }
  return rows;
}
