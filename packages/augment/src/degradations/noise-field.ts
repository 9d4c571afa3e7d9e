import { place, taken, withKernel } from "./pixel-kernel.js";
import { byteOfLinear, linearOfByte } from "./srgb.js";

/** Tells pixels' streams from parameters'. */
const fieldKey = 0x5046_4c44;
/** Blocks of random words that are made at a time. */
const blocksAtOnce = 1 << 16;

/**
 * The random words of a field: Philox blocks of counter 0, 1, … under the seed.
 *
 * @param use is called with pieces of them, in order, which it must not keep
 */
function eachWords(words: number, seed: number, use: (piece: Uint32Array, first: number) => void): void {
  withKernel([blocksAtOnce * 16], (kernel, out) => {
    for (let first = 0; first < words; first += blocksAtOnce * 4) {
      const count = Math.min(blocksAtOnce * 4, words - first);
      kernel.philox(out, Math.ceil(count / 4), first / 4, seed, fieldKey);
      use(new Uint32Array(kernel.memory.buffer, out, count), first);
    }
  });
}

/** Uniform numbers on [0, 1), 24 bits, one for each of `length` places. */
export function uniformField(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  eachWords(length, seed, (words, first) => {
    for (let i = 0; i < words.length; i++) out[first + i] = (words[i]! >>> 8) * 2 ** -24;
  });
  return out;
}

/** Standard normals in steps of 1/4096, from 16 random bits each (so at most 4.2 either way), one for each of `length` places. */
export function normalField(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  const quantiles = normalSteps();
  eachWords(Math.ceil(length / 2), seed, (words, first) => {
    const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
    const count = Math.min(halves.length, length - 2 * first);
    for (let i = 0; i < count; i++) out[2 * first + i] = quantiles[halves[i]!]! / 4096;
  });
  return out;
}

/** Of noise that the kernel makes as it goes. */
const scratchBytes = 32_768;

export interface NormalNoise {
  readonly seed: number;
  /** Bytes that share a number: 1, or 3 for one per RGB pixel. */
  readonly spread: 1 | 3;
  /** Standard deviation, in levels: plain + proportional · level. */
  readonly plain: number;
  readonly proportional: number;
}

/** Adds normals, the same as `normalField`'s, to 8-bit values; rounded and clipped. */
export function addNormalLevels(data: Uint8Array, { seed, spread, plain, proportional }: NormalNoise): Uint8Array {
  return withKernel([data.length, normalSteps().byteLength, scratchBytes], (kernel, bytes, table, scratch) => {
    place(kernel, bytes, data);
    place(kernel, table, normalSteps());
    kernel.addNormals(bytes, data.length / spread, spread, seed, fieldKey, table, scratch, plain / 4096, proportional / 4096);
    return taken(kernel, bytes, data.length);
  });
}

/** Adds normals, the same as `normalField`'s, to linear light; `deviation` stands for each level. */
export function addNormalLight(data: Uint8Array, seed: number, deviation: Float32Array): Uint8Array {
  return withKernel(
    [data.length, normalSteps().byteLength, scratchBytes, linearOfByte.byteLength, deviation.byteLength, byteOfLinear.byteLength],
    (kernel, bytes, table, scratch, linear, deviationAt, encoded) => {
      place(kernel, bytes, data);
      place(kernel, table, normalSteps());
      place(kernel, linear, linearOfByte);
      place(kernel, deviationAt, deviation);
      place(kernel, encoded, byteOfLinear);
      kernel.addSensorNoise(bytes, data.length, seed, fieldKey, table, scratch, linear, deviationAt, encoded);
      return taken(kernel, bytes, data.length);
    },
  );
}

/** Salt and pepper by the numbers of `uniformField`: below `amount` / 2, and from 1 - `amount` / 2 on. */
export function addImpulseLevels(data: Uint8Array, seed: number, amount: number): Uint8Array {
  return withKernel([data.length, scratchBytes], (kernel, bytes, scratch) => {
    place(kernel, bytes, data);
    kernel.addImpulses(bytes, data.length, seed, fieldKey, scratch, Math.ceil((amount / 2) * 2 ** 24), Math.ceil((1 - amount / 2) * 2 ** 24));
    return taken(kernel, bytes, data.length);
  });
}

/** What a level becomes, by random numbers of 24 bits: `outcomes[k]`, k being how many of the steps are not above the number. */
export interface SteppedOutcome {
  /** Ascending. */
  readonly steps: readonly number[];
  /** 0 to 255; one more than steps. */
  readonly outcomes: readonly number[];
}

/** Replaces each level by one of its outcomes, by the numbers of `uniformField`. */
export function drawLevels(data: Uint8Array, seed: number, levels: readonly SteppedOutcome[]): Uint8Array {
  const starts = new Int32Array(257);
  const guides = new Int16Array(256 * 64);
  for (const [level, { steps }] of levels.entries()) {
    starts[level + 1] = starts[level]! + steps.length;
    for (let guide = 0, below = 0; guide < 64; guide++) {
      while (below < steps.length && steps[below]! <= guide * 2 ** 18) below++;
      guides[level * 64 + guide] = below;
    }
  }
  const steps = Int32Array.from(levels.flatMap((each) => each.steps));
  const outcomes = Uint8Array.from(levels.flatMap((each) => each.outcomes));
  return withKernel(
    [data.length, scratchBytes, starts.byteLength, guides.byteLength, steps.byteLength, outcomes.byteLength],
    (kernel, bytes, scratch, startsAt, guidesAt, stepsAt, outcomesAt) => {
      place(kernel, bytes, data);
      place(kernel, startsAt, starts);
      place(kernel, guidesAt, guides);
      place(kernel, stepsAt, steps);
      place(kernel, outcomesAt, outcomes);
      kernel.addPhotonNoise(bytes, data.length, seed, fieldKey, scratch, startsAt, guidesAt, stepsAt, outcomesAt);
      return taken(kernel, bytes, data.length);
    },
  );
}

let keptSteps: Int16Array | undefined;

/** The quantile of each 16-bit number, in 4096ths; rounded, so that no difference in the last bit of a logarithm shows. */
function normalSteps(): Int16Array {
  keptSteps ??= Int16Array.from({ length: 65_536 }, (_, bits) => Math.round(normalQuantile((bits + 0.5) / 65_536) * 4096));
  return keptSteps;
}

/** Wichura's AS 241 (PPND16), good to 1e-16. */
function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q *
        polynomial(
          r,
          [
            3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
            2509.0809287301227,
          ],
        )) /
      polynomial(
        r,
        [1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852546],
      )
    );
  }
  const r = Math.sqrt(-Math.log(q < 0 ? probability : 1 - probability)) - 1.6;
  // Beyond r = 5 - 1.6 lie only probabilities below e^-25, which 16 bits do not reach.
  const value =
    polynomial(
      r,
      [
        1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506, 0.022723844989269184,
        0.0007745450142783414,
      ],
    ) /
    polynomial(
      r,
      [
        1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
        1.0507500716444169e-9,
      ],
    );
  return q < 0 ? -value : value;
}

/** Coefficients from the constant up. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
