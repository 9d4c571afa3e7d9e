import { philox } from "../random/philox.js";

/** Uniform numbers on [0, 1), 24 bits, one for each of `length` places. */
export function uniformField(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  for (let block = 0, i = 0; i < length; block++) {
    for (const bits of philox([block, 0, 0, 0], [seed, fieldKey])) if (i < length) out[i++] = (bits >>> 8) * 2 ** -24;
  }
  return out;
}

/** Tells pixels' streams from parameters'. */
const fieldKey = 0x5046_4c44;

/** Standard normals in steps of 1/4096, from 16 random bits each (so at most 4.2 either way), one for each of `length` places. */
export function normalField(length: number, seed: number): Float32Array {
  const out = new Float32Array(length);
  for (let block = 0, i = 0; i < length; block++) {
    for (const bits of philox([block, 0, 0, 0], [seed, fieldKey])) {
      if (i < length) out[i++] = normalOfBits[bits & 0xffff]!;
      if (i < length) out[i++] = normalOfBits[bits >>> 16]!;
    }
  }
  return out;
}

/** The quantile of each 16-bit number; rounded, so that no difference in the last bit of a logarithm shows. */
const normalOfBits: Float32Array = Float32Array.from(
  { length: 65_536 },
  (_, bits) => Math.round(normalQuantile((bits + 0.5) / 65_536) * 4096) / 4096,
);

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
            3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457, 67265.770927008700853,
            33430.575583588128105, 2509.0809287301226727,
          ],
        )) /
      polynomial(
        r,
        [
          1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061, 28729.085735721942674,
          5226.495278852545925,
        ],
      )
    );
  }
  const r = Math.sqrt(-Math.log(q < 0 ? probability : 1 - probability)) - 1.6;
  // Beyond r = 5 - 1.6 lie only probabilities below e^-25, which 16 bits do not reach.
  const value =
    polynomial(
      r,
      [
        1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258, 0.24178072517745061177,
        0.0227238449892691845833, 7.7454501427834140764e-4,
      ],
    ) /
    polynomial(
      r,
      [
        1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459, 0.0151986665636164571966,
        5.475938084995344946e-4, 1.05075007164441684324e-9,
      ],
    );
  return q < 0 ? -value : value;
}

/** Coefficients from the constant up. */
function polynomial(x: number, coefficients: readonly number[]): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0);
}
