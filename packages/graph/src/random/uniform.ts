import type { RandomBits } from "./mersenne-twister.js";

/** Uniform on [0, 1) with 24 bits: one draw. */
export function uniform24(bits: RandomBits): number {
  return (bits() & 0xffffff) * 2 ** -24;
}

/** Uniform on [0, 1) with 53 bits: two draws, the first being the high word. */
export function uniform53(bits: RandomBits): number {
  const high = bits() & 0x1fffff;
  return (high * 2 ** 32 + bits()) * 2 ** -53;
}
