/** Random numbers of one purpose. Every draw depends on the key alone, so adding a draw elsewhere changes nothing here. */
export interface Random {
  /** Between 0 and 1, 1 excluded. */
  uniform(): number;
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  pick<T>(values: readonly T[]): T;
  chance(probability: number): boolean;
  /** Normally distributed: mean 0, deviation 1. */
  normal(): number;
  /** A generator of its own for a part of the work. */
  fork(...key: readonly (string | number)[]): Random;
}

/** A generator keyed by words and numbers: FNV-1a of the key seeds sfc32 (Chris Doty-Humphrey, PractRand). */
export function random(...key: readonly (string | number)[]): Random {
  const text = key.map((part) => `${typeof part}:${part}`).join("\u0000");
  const state = new Uint32Array(4);
  for (let word = 0; word < 4; word++) state[word] = hash(`${word}\u0001${text}`);
  const next = (): number => {
    const sum = (state[0]! + state[1]! + state[3]!) >>> 0;
    state[3] = state[3]! + 1;
    state[0] = state[1]! ^ (state[1]! >>> 9);
    state[1] = state[2]! + (state[2]! << 3);
    state[2] = ((state[2]! << 21) | (state[2]! >>> 11)) + sum;
    return sum;
  };
  for (let round = 0; round < 12; round++) next();
  const uniform = () => next() / 2 ** 32;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    pick: (values) => values[Math.floor(uniform() * values.length)]!,
    chance: (probability) => uniform() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    fork: (...more) => random(...key, ...more),
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
