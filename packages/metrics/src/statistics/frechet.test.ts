import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { frechetDistance } from "./frechet.js";
import { nuclearNorm } from "./linear-algebra/singular-values.js";
import { rowsOf } from "./rows.test-support.js";
import { covarianceOf, type FeatureStatistics, featureStatistics } from "./statistics.js";

function gaussian(mean: readonly number[], covariance: readonly number[]): FeatureStatistics {
  return { dimensions: mean.length, mean: Float64Array.from(mean), covariance: Float64Array.from(covariance) };
}

/** The same statistics with the covariance worked out, as a file would have them. */
async function full(statistics: FeatureStatistics): Promise<FeatureStatistics> {
  const { dimensions, mean } = statistics;
  return { dimensions, mean, covariance: await covarianceOf(statistics) };
}

/** The trace term as the sum of the singular values of centred features: exact whatever the rank. */
function slowDistance(x: Float32Array, y: Float32Array, dimensions: number): number {
  const centre = (rows: Float32Array) => {
    const count = rows.length / dimensions;
    const mean = Array.from({ length: dimensions }, (_, k) => {
      let sum = 0;
      for (let row = 0; row < count; row++) sum += rows[row * dimensions + k]!;
      return sum / count;
    });
    return { mean, count, centred: Array.from(rows, (value, index) => (value - mean[index % dimensions]!) / Math.sqrt(count - 1)) };
  };
  const [a, b] = [centre(x), centre(y)];
  const crossed = new Float64Array(a.count * b.count);
  for (let i = 0; i < a.count; i++)
    for (let j = 0; j < b.count; j++)
      for (let k = 0; k < dimensions; k++)
        crossed[i * b.count + j] = crossed[i * b.count + j]! + a.centred[i * dimensions + k]! * b.centred[j * dimensions + k]!;
  const traces = [...a.centred, ...b.centred].reduce((sum, value) => sum + value * value, 0);
  const means = a.mean.reduce((sum, value, k) => sum + (value - b.mean[k]!) ** 2, 0);
  return means + traces - 2 * nuclearNorm(crossed, a.count, b.count);
}

describe("frechetDistance", () => {
  it("has the closed forms of one and two dimensions", async () => {
    expect(await frechetDistance(gaussian([0], [4]), gaussian([3], [25]))).toBeCloseTo(18, 12);
    const [first, second] = [gaussian([0, 0], [2, 0.5, 0.5, 1]), gaussian([1, -1], [1, -0.3, -0.3, 3])];
    expect(await frechetDistance(first, second)).toBeCloseTo(2.9293118549677732, 12);
    expect(await frechetDistance(second, first)).toBeCloseTo(2.9293118549677732, 12);
  });

  it("of equal covariances is the squared distance of the means", async () => {
    const size = 160;
    const covariance = Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
    const zero = gaussian(new Array<number>(size).fill(0), covariance);
    expect(await frechetDistance(zero, gaussian(new Array<number>(size).fill(1), covariance))).toBeCloseTo(size, 9);
  });

  it("of three grey levels through a mean has a covariance of a quarter everywhere", async () => {
    const rows = Float32Array.from([0, 0.5, 1].flatMap((grey) => [grey, grey, grey]));
    const statistics = await featureStatistics(rows, 3);
    expect([...statistics.mean]).toEqual([0.5, 0.5, 0.5]);
    expect([...(await covarianceOf(statistics))]).toEqual(new Array(9).fill(0.25));
  });

  it.each([
    { n: 5, m: 9, dimensions: 24 },
    { n: 5, m: 80, dimensions: 24 },
    { n: 2, m: 40, dimensions: 18 },
    { n: 70, m: 55, dimensions: 12 },
    // Beyond what is done without threads and without squaring singular values.
    { n: 130, m: 150, dimensions: 200 },
    { n: 150, m: 420, dimensions: 140 },
    { n: 300, m: 420, dimensions: 140 },
  ])("of $n and $m rows of $dimensions is exact, from rows and from covariances", async ({ n, m, dimensions }) => {
    const x = rowsOf(n, dimensions, { seed: 3 });
    const y = rowsOf(m, dimensions, { seed: 4, shift: 0.2, scale: 1.2 });
    const [first, second] = [await featureStatistics(x, dimensions), await featureStatistics(y, dimensions)];
    const slow = slowDistance(x, y, dimensions);
    expect(await frechetDistance(first, second)).toBeCloseTo(slow, 6);
    expect(await frechetDistance(await full(first), second)).toBeCloseTo(slow, 4);
    expect(await frechetDistance(await full(first), await full(second))).toBeCloseTo(slow, 4);
  });

  it("of a set with itself is zero, and does not depend on the order of rows", async () => {
    const rows = rowsOf(40, 16);
    const reversed = Float32Array.from({ length: rows.length }, (_, index) => rows[(39 - Math.floor(index / 16)) * 16 + (index % 16)]!);
    const [first, second] = [await featureStatistics(rows, 16), await featureStatistics(reversed, 16)];
    expect(Math.abs(await frechetDistance(first, second))).toBeLessThan(1e-11);
  });

  it("grows with the square of the scale", async () => {
    const of = async (scale: number) =>
      frechetDistance(
        await featureStatistics(rowsOf(50, 6, { scale }), 6),
        await featureStatistics(rowsOf(60, 6, { seed: 2, scale: 1.5 * scale }), 6),
      );
    expect((await of(8)) / (await of(1))).toBeCloseTo(64, 5);
  });

  it("takes features that never change", async () => {
    const still = (seed: number) => rowsOf(30, 5, { seed }).map((value, index) => (index % 5 > 2 ? 0 : value));
    const [x, y] = [still(1), still(2)];
    const value = await frechetDistance(await featureStatistics(x, 5), await featureStatistics(y, 5));
    expect(value).toBeCloseTo(slowDistance(x, y, 5), 9);
  });

  it("refuses what does not fit", async () => {
    await expect(frechetDistance(gaussian([0], [1]), gaussian([0, 0], [1, 0, 0, 1]))).rejects.toThrow(ArgumentError);
    await expect(frechetDistance(gaussian([0], [Number.NaN]), gaussian([0], [1]))).rejects.toThrow("finite");
  });

  it("ends when it is told to", async () => {
    const statistics = await full(await featureStatistics(rowsOf(400, 130), 130));
    await expect(frechetDistance(statistics, statistics, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});
