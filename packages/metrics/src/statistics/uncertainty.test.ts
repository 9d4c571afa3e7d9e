import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { bootstrapInterval } from "./bootstrap.js";
import { pairedTest } from "./paired-test.js";
import { drawFrom } from "./random.js";

describe("drawFrom", () => {
  it("gives the words of xoshiro128** from SplitMix32, by a version with big integers", () => {
    const mask = 0xffffffffn;
    const finalise = (z: bigint) => {
      let mixed = ((z ^ (z >> 16n)) * 0x85ebca6bn) & mask;
      mixed = ((mixed ^ (mixed >> 13n)) * 0xc2b2ae35n) & mask;
      return mixed ^ (mixed >> 16n);
    };
    const state = [1n, 2n, 3n, 4n].map((step) => finalise((42n + step * 0x9e3779b9n) & mask)) as [bigint, bigint, bigint, bigint];
    const turn = (value: bigint, by: bigint) => ((value << by) | (value >> (32n - by))) & mask;
    const word = () => {
      const result = (turn((state[1] * 5n) & mask, 7n) * 9n) & mask;
      const shifted = (state[1] << 9n) & mask;
      state[2] ^= state[0];
      state[3] ^= state[1];
      state[1] ^= state[2];
      state[0] ^= state[3];
      state[2] ^= shifted;
      state[3] = turn(state[3], 11n);
      return result;
    };
    const draw = drawFrom(42);
    for (const bound of [1, 2, 7, 1000, 65536, 99_991, 2 ** 31 + 5]) {
      for (let index = 0; index < 20; index++) {
        let product = word() * BigInt(bound);
        while ((product & mask) < 2n ** 32n % BigInt(bound)) product = word() * BigInt(bound);
        expect(draw(bound)).toBe(Number(product >> 32n));
      }
    }
  });

  it("draws all numbers about equally often", () => {
    const draw = drawFrom(1);
    const counts = new Array<number>(6).fill(0);
    for (let index = 0; index < 60_000; index++) counts[draw(6)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(() => drawFrom(-1)).toThrow(ArgumentError);
  });
});

describe("bootstrapInterval", () => {
  it("is the normal approximation for many scores, and the same for the same seed", async () => {
    const scores = Float64Array.from({ length: 400 }, (_, index) => Math.sin(index * 1.37) * 3 + 5);
    const mean = scores.reduce((sum, score) => sum + score, 0) / 400;
    const error = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / 400 / 400);
    const interval = (await bootstrapInterval(scores, { seed: 3 }))!;
    expect(interval).toMatchObject({ level: 0.95, method: "bootstrap", resamples: 2000, seed: 3 });
    expect(Math.abs(interval.low - (mean - 1.96 * error))).toBeLessThan(0.02);
    expect(Math.abs(interval.high - (mean + 1.96 * error))).toBeLessThan(0.02);
    expect(await bootstrapInterval(scores, { seed: 3 })).toEqual(interval);
    expect(await bootstrapInterval(scores, { seed: 4 })).not.toEqual(interval);
    expect((await bootstrapInterval(scores, { seed: 3, level: 0.5 }))!.low).toBeGreaterThan(interval.low);
  });

  it("of equal scores is that score; of one score there is none", async () => {
    expect(await bootstrapInterval([2, 2, 2])).toMatchObject({ low: 2, high: 2 });
    expect(await bootstrapInterval([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])).toMatchObject({ low: Number.POSITIVE_INFINITY });
    expect(await bootstrapInterval([2])).toBeUndefined();
  });

  it("refuses impossible settings", async () => {
    await expect(bootstrapInterval([1, 2], { level: 1 })).rejects.toThrow(ArgumentError);
    await expect(bootstrapInterval([1, 2], { resamples: 5 })).rejects.toThrow(ArgumentError);
    await expect(bootstrapInterval([1, Number.NaN])).rejects.toThrow("NaN");
  });
});

// scipy 1.17.1: stats.wilcoxon
const untied = [
  1.194, 0.518, 0.348, -0.632, 0.161, 0.123, 0.259, -0.014, 0.278, 0.061, -0.357, 0.742, 0.741, 1.155, 0.325, 0.098, 0.027, -0.473, 0.791, -0.251,
  -0.293, 0.197, 1.043, 0.418, -0.212, -0.056, 0.613, 0.22, -0.084, 0.185,
];
const tied = [
  2, 4, -2, -1, -1, -4, -1, -2, 3, 0, -3, 2, 0, -3, -1, -1, -1, 1, -4, 0, 3, 2, 3, 3, 3, -2, 2, -3, -1, -3, 3, 3, 0, 4, -1, 1, 1, -2, 1, 4, -2, 2, 0,
  4, 1, 2, 2, 1, -2, 3, -2, 1, 2, -1, 1, 3, 0, -1, -5, -1, -1, -1, -1, 1, -1, 0, 2, -1, 0, 5, 2, -2, 0, 2, 3, 1, -1, -1, 2, 1,
];
const zeros = (values: readonly number[]) => new Array<number>(values.length).fill(0);

describe("pairedTest", () => {
  it("has scipy's Wilcoxon p-values, exact and with ties and zeros", async () => {
    expect((await pairedTest(zeros(untied), untied, { method: "wilcoxon" })).pValue).toBeCloseTo(0.01283373311161995, 14);
    expect((await pairedTest(zeros(tied), tied, { method: "wilcoxon" })).pValue).toBeCloseTo(0.12786691145980028, 12);
    expect((await pairedTest([1, 2], [1, 2], { method: "wilcoxon" })).pValue).toBe(1);
  });

  it("tries all signs of few pairs", async () => {
    // Only all plus and all minus are as extreme.
    expect((await pairedTest([0, 0, 0, 0, 0], [1, 2, 3, 1, 5])).pValue).toBe(2 / 32);
    expect((await pairedTest([0, 0, 0], [1, -2, 1])).pValue).toBe(1);
  });

  it.each(["permutation", "bootstrap"] as const)("%s agrees with Wilcoxon about what is significant", async (method) => {
    const test = await pairedTest(zeros(untied), untied, { method });
    expect(test).toMatchObject({ method, pairs: 30 });
    expect(test.meanDifference).toBeCloseTo(untied.reduce((sum, value) => sum + value, 0) / 30, 12);
    expect(test.pValue).toBeGreaterThan(0.001);
    expect(test.pValue).toBeLessThan(0.03);
    expect(test.low).toBeGreaterThan(0);
    expect(test.high).toBeGreaterThan(test.meanDifference);
    expect((await pairedTest(zeros(tied), tied, { method })).pValue).toBeGreaterThan(0.05);
    expect(await pairedTest(untied, zeros(untied), { method })).toMatchObject({ pValue: test.pValue, meanDifference: -test.meanDifference });
  });

  it("finds no difference in equal scores", async () => {
    expect(await pairedTest(untied, untied)).toMatchObject({ pValue: 1, meanDifference: 0, low: 0, high: 0 });
  });

  it("refuses what cannot be paired", async () => {
    await expect(pairedTest([1, 2], [1])).rejects.toThrow(ArgumentError);
    await expect(pairedTest([1], [1])).rejects.toThrow("at least 2 pairs");
    await expect(pairedTest([1, Number.NaN], [1, 2])).rejects.toThrow("finite");
    await expect(pairedTest([1, 2], [1, 2], { method: "t" as never })).rejects.toThrow("method");
  });
});
