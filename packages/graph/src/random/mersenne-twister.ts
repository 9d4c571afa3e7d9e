const stateLength = 624;
const middle = 397;

/** The next 32 random bits, as an unsigned integer. */
export type RandomBits = () => number;

/**
 * mt19937, seeded as `init_genrand` does.
 *
 * @param seed 32 bits, unsigned
 * Source: Matsumoto and Nishimura, "Mersenne Twister" (1998).
 */
export function mersenneTwister(seed: number): RandomBits {
  const state = new Int32Array(stateLength);
  state[0] = seed;
  for (let i = 1; i < stateLength; i++) {
    const previous = state[i - 1]!;
    state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
  }
  let index = stateLength;

  return () => {
    if (index === stateLength) {
      twist(state);
      index = 0;
    }
    let bits = state[index++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  };
}

function twist(state: Int32Array): void {
  for (let i = 0; i < stateLength - middle; i++) state[i] = state[i + middle]! ^ mix(state[i]!, state[i + 1]!);
  for (let i = stateLength - middle; i < stateLength - 1; i++) state[i] = state[i + middle - stateLength]! ^ mix(state[i]!, state[i + 1]!);
  state[stateLength - 1] = state[middle - 1]! ^ mix(state[stateLength - 1]!, state[0]!);
}

function mix(upper: number, lower: number): number {
  return (((upper & 0x80000000) | (lower & 0x7fffffff)) >>> 1) ^ (-(lower & 1) & 0x9908b0df);
}
