const multiplier0 = 0xd2511f53;
const multiplier1 = 0xcd9e8d57;
const weyl0 = 0x9e3779b9;
const weyl1 = 0xbb67ae85;
const rounds = 10;

/** Four words of 32 bits, unsigned. */
export type Block = readonly [number, number, number, number];

/**
 * Philox4x32-10: 128 random bits that are a function of a counter and a key, so that any place of any stream can be had without
 * what comes before it.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011).
 */
export function philox(counter: Block, key: readonly [number, number]): Block {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(multiplier0, x0);
    const low0 = Math.imul(multiplier0, x0);
    const high1 = multiplyHigh(multiplier1, x2);
    const low1 = Math.imul(multiplier1, x2);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0];
}

/** The upper 32 bits of a product of unsigned numbers, by halves of 16 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  // Below 2^53: numbers are exact here.
  return (aHigh * bHigh + Math.floor((middle + aLow * bHigh) / 65536)) | 0;
}
