import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";
import { type Block, philox } from "./philox.js";

/** Which stream of random numbers: nothing but these four decides what is drawn. */
export interface StreamKey {
  readonly seed: number | string;
  /** Name of the product, say its path below the input folder. Default "". */
  readonly item?: string;
  /** Default 0. */
  readonly variant?: number;
  /** Which step of a recipe. Default "". */
  readonly transform?: string;
}

/** Random numbers for the parameters of transforms. */
export interface ParameterGenerator {
  /** On [0, 1), 53 bits. */
  uniform(): number;
  /** On [low, high). */
  between(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
  /** 0 to count - 1. */
  index(count: number): number;
  /** -1 or 1. */
  sign(): -1 | 1;
  /** Whether an event of this probability happens; 0 never, 1 always. */
  chance(probability: number): boolean;
  /** One of the list. */
  choose<T>(list: readonly T[]): T;
  /** A seed, 0 to 2^32 - 1, for what is drawn per pixel. */
  seed(): number;
}

/**
 * The generator of one stream. Streams of other keys are independent of it, so that neither the order of products, nor the number of workers,
 * nor other steps of a recipe change what is drawn.
 *
 * The SHA-256 of the key as JSON gives Philox's key and the upper half of its counter.
 *
 * @throws ArgumentError for a seed that is neither text nor a finite number, a variant that is no whole number
 */
export function parameterGenerator({ seed, item = "", variant = 0, transform = "" }: StreamKey): ParameterGenerator {
  if (typeof seed !== "string" && !Number.isFinite(seed))
    throw new ArgumentError(`parameterGenerator: expected seed to be text or a finite number, got ${String(seed)}`);
  if (!Number.isSafeInteger(variant) || variant < 0)
    throw new ArgumentError(`parameterGenerator: expected variant to be a whole number, got ${String(variant)}`);
  const digest = createHash("sha256")
    .update(JSON.stringify([seed, item, variant, transform]))
    .digest();
  const word = (index: number) => digest.readUInt32LE(index * 4);
  let counter = 0;
  let block: Block = [0, 0, 0, 0];
  let used = 4;
  const bits = (): number => {
    if (used === 4) {
      block = philox([counter++, 0, word(2), word(3)], [word(0), word(1)]);
      used = 0;
    }
    return block[used++]!;
  };
  const uniform = (): number => {
    const high = bits() >>> 5;
    return (high * 67_108_864 + (bits() >>> 6)) / 9_007_199_254_740_992;
  };
  const index = (count: number): number => {
    if (!Number.isSafeInteger(count) || count < 1) throw new ArgumentError(`index: expected a positive count, got ${String(count)}`);
    return Math.min(Math.floor(uniform() * count), count - 1);
  };
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    index,
    sign: () => (bits() & 1 ? 1 : -1),
    chance: (probability) => uniform() < probability,
    choose: (list) => list[index(list.length)]!,
    seed: bits,
  };
}
