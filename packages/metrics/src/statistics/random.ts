import { ArgumentError } from "@refadgen/errors";

/** Whole numbers from 0 to `bound` - 1, each as likely as the other. */
export type Draw = (bound: number) => number;

/**
 * The generator of resamples: xoshiro128** of Blackman and Vigna, whose four words of state are the first four outputs of SplitMix32 (constants
 * of MurmurHash3's finaliser, increment 0x9e3779b9) from the seed. A number below `bound` is the upper half of the 64-bit product of a word and
 * `bound`; words that would make some numbers likelier are drawn again (Lemire). The same seed gives the same resamples everywhere.
 *
 * @param seed an integer from 0 to 2^53 - 1, of which the low 32 bits count
 * @throws ArgumentError for any other
 */
export function drawFrom(seed: number): Draw {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new ArgumentError(`seed: expected an integer of at least 0, got ${seed}`);
  const state = new Uint32Array(4);
  let mixed = seed >>> 0;
  for (let index = 0; index < 4; index++) {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    state[index] = z ^ (z >>> 16);
  }
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  const word = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  return (bound) => {
    const refused = (0x1_0000_0000 % bound) >>> 0;
    for (;;) {
      const value = word();
      // The product has up to 64 bits: halves of `value` keep it exact.
      const low = (value & 0xffff) * bound;
      const high = (value >>> 16) * bound + Math.floor(low / 0x1_0000);
      const lowWord = ((high & 0xffff) * 0x1_0000 + (low & 0xffff)) >>> 0;
      if (lowWord >= refused) return Math.floor(high / 0x1_0000);
    }
  };
}
