import { ArgumentError } from "@refadgen/errors";

/** NumPy's legacy generator, as far as metrics draw from it. */
export interface NumpyRandom {
  /** `count` different numbers below `population`: `RandomState.choice(population, count, replace=False)`. */
  choice(population: number, count: number): Int32Array;
}

/**
 * `numpy.random.RandomState(seed)`: Mersenne Twister (MT19937), integers by masked rejection, permutations by Fisher and Yates from the end.
 * NumPy guarantees that this stream never changes.
 *
 * @param seed an integer from 0 to 2^32 - 1
 * @throws ArgumentError for any other
 */
export function numpyRandom(seed: number): NumpyRandom {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new ArgumentError(`numpyRandom: expected a seed from 0 to 4294967295, got ${seed}`);
  const next = mersenneTwister(seed);
  const below = (largest: number): number => {
    let mask = largest;
    for (const shift of [1, 2, 4, 8, 16]) mask |= mask >>> shift;
    for (;;) {
      const value = (next() & mask) >>> 0;
      if (value <= largest) return value;
    }
  };
  return {
    choice: (population, count) => {
      if (!(count >= 0 && count <= population)) throw new ArgumentError(`choice: expected at most ${population} of ${population}, got ${count}`);
      const order = Int32Array.from({ length: population }, (_, index) => index);
      for (let i = population - 1; i > 0; i--) {
        const j = below(i);
        const kept = order[i]!;
        order[i] = order[j]!;
        order[j] = kept;
      }
      return order.slice(0, count);
    },
  };
}

/** Matsumoto and Nishimura's MT19937 with `init_genrand`. */
function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(before, 1812433253) + i;
  }
  let at = 624;
  return () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
        state[i] = state[(i + 397) % 624]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let value = state[at++]!;
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  };
}
