import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { type FeatureRows, kernelDistances, type Subset } from "./kid.js";
import { numpyRandom } from "./numpy-random.js";
import { rowsOf } from "./rows.test-support.js";

function set(rows: readonly (readonly number[])[]): FeatureRows {
  return { rows: Float32Array.from(rows.flat()), count: rows.length, dimensions: rows[0]!.length };
}

function whole(count: number): Subset {
  const all = Int32Array.from({ length: count }, (_, index) => index);
  return { first: all, second: all };
}

function slow(x: FeatureRows, y: FeatureRows, { first, second }: Subset): number {
  const k = (a: FeatureRows, i: number, b: FeatureRows, j: number) => {
    let sum = 0;
    for (let d = 0; d < a.dimensions; d++) sum += a.rows[i * a.dimensions + d]! * b.rows[j * a.dimensions + d]!;
    return (sum / a.dimensions + 1) ** 3;
  };
  const m = first.length;
  let [own, crossed] = [0, 0];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      if (i !== j) own += k(x, first[i]!, x, first[j]!) + k(y, second[i]!, y, second[j]!);
      crossed += k(x, first[i]!, y, second[j]!);
    }
  }
  return own / (m * (m - 1)) - (2 * crossed) / (m * m);
}

describe("kernelDistances", () => {
  it("has the closed forms of small sets", async () => {
    const [two] = await kernelDistances(set([[1, 0], [0, 1]]), set([[1, 1], [0, 0]]), [whole(2)]); // biome-ignore format: rows
    expect(two).toBe(-2.375);
    const x = set([
      [1, 2, 3],
      [0, 1, 0],
      [2, 0, 1],
    ]);
    const y = set([
      [0, 0, 1],
      [1, 1, 1],
      [3, 1, 0],
    ]);
    expect((await kernelDistances(x, y, [whole(3)]))[0]).toBeCloseTo(-8.016460905349794, 12);
  });

  it("is the slow sum, whether kernels are kept, computed per subset, or by ONNX Runtime", async () => {
    const x: FeatureRows = { rows: rowsOf(40, 6), count: 40, dimensions: 6 };
    const y: FeatureRows = { rows: rowsOf(31, 6, { seed: 5, shift: 0.3 }), count: 31, dimensions: 6 };
    const random = numpyRandom(7);
    const subsets = Array.from({ length: 20 }, () => ({ first: random.choice(40, 12), second: random.choice(31, 12) }));
    const expected = subsets.map((subset) => slow(x, y, subset));
    for (const some of [subsets, subsets.slice(0, 1)]) {
      const values = await kernelDistances(x, y, some);
      for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 12);
    }
    const large: FeatureRows = { rows: rowsOf(260, 400), count: 260, dimensions: 400 };
    const other: FeatureRows = { rows: rowsOf(260, 400, { seed: 9, scale: 1.1 }), count: 260, dimensions: 400 };
    const [value] = await kernelDistances(large, other, [whole(260)]);
    expect(value).toBeCloseTo(slow(large, other, whole(260)), 10);
  });

  it("of a set and itself is slightly negative", async () => {
    const x: FeatureRows = { rows: rowsOf(30, 4), count: 30, dimensions: 4 };
    expect((await kernelDistances(x, x, [whole(30)]))[0]).toBeLessThan(0);
  });

  it("refuses unequal subsets and dimensions", async () => {
    const [x, y] = [set([[1], [2]]), set([[1, 2]])]; // biome-ignore format: rows
    await expect(kernelDistances(x, y, [])).rejects.toThrow(ArgumentError);
    await expect(kernelDistances(x, x, [{ first: Int32Array.of(0), second: Int32Array.of(1) }])).rejects.toThrow("at least 2 rows");
  });
});

describe("numpyRandom", () => {
  it("draws what numpy.random.RandomState(seed).choice(…, replace=False) draws", () => {
    const zero = numpyRandom(0);
    expect([...zero.choice(10, 4)]).toEqual([2, 8, 4, 9]);
    expect([...zero.choice(7, 7)]).toEqual([3, 1, 2, 6, 5, 0, 4]);
    expect([...numpyRandom(2020).choice(1000, 6)]).toEqual([725, 986, 815, 656, 469, 76]);
    expect([...numpyRandom(4294967295).choice(5, 5)]).toEqual([4, 1, 0, 2, 3]);
  });

  it("refuses other seeds and more than there are", () => {
    expect(() => numpyRandom(-1)).toThrow(ArgumentError);
    expect(() => numpyRandom(2 ** 32)).toThrow(ArgumentError);
    expect(() => numpyRandom(1).choice(3, 4)).toThrow(ArgumentError);
  });
});
