import type { RandomBits } from "./mersenne-twister.js";

/** From this span on a draw has 64 bits. */
const wideSpan = 2n ** 28n;

/** `low` plus a draw modulo `high - low`, for every value. */
export function fillIntegers(values: BigInt64Array, low: bigint, high: bigint, bits: RandomBits): void {
  const span = high - low;
  if (span < wideSpan) {
    const narrow = Number(span);
    for (let i = 0; i < values.length; i++) values[i] = low + BigInt(bits() % narrow);
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const upper = BigInt(bits());
    values[i] = low + (((upper << 32n) | BigInt(bits())) % span);
  }
}

/** A permutation of 0 … length - 1: each place from the front is exchanged with itself or a later one. */
export function permutation(length: number, bits: RandomBits): BigInt64Array {
  const values = new BigInt64Array(length);
  for (let i = 0; i < length; i++) values[i] = BigInt(i);
  for (let i = 0; i < length - 1; i++) {
    const other = i + (bits() % (length - i));
    const value = values[i]!;
    values[i] = values[other]!;
    values[other] = value;
  }
  return values;
}
