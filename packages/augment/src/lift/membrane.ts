/**
 * The smoothest values inside a region that take given values at some of its pixels: Laplace's equation, coarse to fine.
 *
 * @param values [H, W] known where `known` is 1; overwritten inside.
 * @param known [H, W] 1 where the value is fixed.
 * @param inside [H, W] 1 where a value is wanted; no flux crosses its border.
 */
export function fillMembrane(values: Float32Array, known: Uint8Array, inside: Uint8Array, width: number, height: number): void {
  if (width > 8 || height > 8) {
    const [w, h] = [(width + 1) >> 1, (height + 1) >> 1];
    const sums = new Float32Array(w * h);
    const counts = new Uint16Array(w * h);
    const coarseInside = new Uint8Array(w * h);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [i, j] = [y * width + x, (y >> 1) * w + (x >> 1)];
        if (!inside[i]) continue;
        coarseInside[j] = 1;
        if (!known[i]) continue;
        sums[j]! += values[i]!;
        counts[j]!++;
      }
    }
    const coarseKnown = new Uint8Array(w * h);
    for (let j = 0; j < sums.length; j++) {
      if (counts[j] === 0) continue;
      sums[j]! /= counts[j]!;
      coarseKnown[j] = 1;
    }
    fillMembrane(sums, coarseKnown, coarseInside, w, h);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        if (inside[i] && !known[i]) values[i] = sums[(y >> 1) * w + (x >> 1)]!;
      }
    }
  }
  const sweeps = width > 8 || height > 8 ? 6 : 60;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0;
    for (let n = 0; n < values.length; n++) {
      const i = forward ? n : values.length - 1 - n;
      if (!inside[i] || known[i]) continue;
      const x = i % width;
      let sum = 0;
      let count = 0;
      if (x > 0 && inside[i - 1]) {
        sum += values[i - 1]!;
        count++;
      }
      if (x < width - 1 && inside[i + 1]) {
        sum += values[i + 1]!;
        count++;
      }
      if (i >= width && inside[i - width]) {
        sum += values[i - width]!;
        count++;
      }
      if (i + width < values.length && inside[i + width]) {
        sum += values[i + width]!;
        count++;
      }
      if (count > 0) values[i] = sum / count;
    }
  }
}
