import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { frechetDistance } from "../statistics/frechet.js";
import { kernelDistances } from "../statistics/kid.js";
import { neighbourScores } from "../statistics/neighbours.js";
import { covarianceOf, featureStatistics } from "../statistics/statistics.js";
import type { Accumulator, SetBatch } from "./contract.js";
import { MetricError } from "./error.js";
import { fakeInception, features, patterned } from "./fake-networks.test-support.js";
import { fidAccumulator } from "./fid.js";
import { drawSubsets, kidAccumulator } from "./kid.js";
import { precisionRecallAccumulator } from "./precision-recall.js";

const pictures = (from: number, count: number) => Array.from({ length: count }, (_, index) => patterned(from + index));
const real = pictures(1, 30);
const generated = pictures(50, 24);

function rows(set: readonly ReturnType<typeof patterned>[], width = 64) {
  const all = new Float32Array(set.length * width);
  for (const [index, picture] of set.entries()) all.set(features(picture, width), index * width);
  return { rows: all, count: set.length, dimensions: width };
}

const options = { features: fakeInception(), level: 64 as const };
const setMetrics: readonly [string, () => Accumulator<SetBatch>][] = [
  ["fid", () => fidAccumulator(options)],
  ["kid", () => kidAccumulator({ ...options, subsetSize: 10, subsets: 6 })],
  ["precision-recall", () => precisionRecallAccumulator(options)],
];

async function feed(accumulator: Accumulator<SetBatch>, side: "real" | "generated", set: typeof real, size: number) {
  // Calls overlap; their order counts.
  const updates: Promise<void>[] = [];
  for (let from = 0; from < set.length; from += size) updates.push(accumulator.update({ side, pictures: set.slice(from, from + size) }));
  await Promise.all(updates);
}

describe.each(setMetrics)("%s", (metric, create) => {
  it("is the same in one pass, in batches of any size, and merged from parts", async () => {
    const whole = create();
    await feed(whole, "real", real, 30);
    await feed(whole, "generated", generated, 24);
    const expected = await whole.compute();
    expect(expected).toMatchObject({ metric, n: 24, counts: { real: 30, generated: 24 } });
    expect(expected.warnings[0]).toContain("30 real and 24 generated");

    const batches = create();
    await feed(batches, "generated", generated, 5);
    await feed(batches, "real", real, 7);
    expect((await batches.compute()).value).toBeCloseTo(expected.value, 10);

    const merged = create();
    for (const [from, to] of [
      [0, 11],
      [11, 12],
      [12, 30],
    ] as const) {
      // biome-ignore format: rows
      const worker = create();
      await feed(worker, "real", real.slice(from, to), 4);
      if (from < 24) await feed(worker, "generated", generated.slice(from, to), 4);
      merged.merge(structuredClone(worker.state()));
    }
    const together = await merged.compute();
    expect(together.counts).toEqual(expected.counts);
    expect(together.value).toBeCloseTo(expected.value, 10);
  });

  it("refuses no pictures, unknown sides, and features that are not finite", async () => {
    const accumulator = create();
    await expect(accumulator.update({ side: "real", pictures: [] })).rejects.toThrow(ArgumentError);
    await expect(accumulator.update({ side: "fake" as never, pictures: real })).rejects.toThrow(ArgumentError);
    const spoil = (row: Float32Array, index: number) => {
      if (index === 3) row[5] = Number.NaN;
    };
    const broken =
      metric === "fid"
        ? fidAccumulator({ ...options, features: fakeInception({ spoil }) })
        : kidAccumulator({ ...options, features: fakeInception({ spoil }) });
    const error = await broken.update({ side: "real", pictures: real }).catch((caught: unknown) => caught);
    expect(MetricError.isInstance(error) && error.code).toBe("not-finite");
    const none = await create()
      .compute()
      .catch((caught: unknown) => caught);
    expect(MetricError.isInstance(none) && none.code).toBe("too-few");
  });

  it("refuses parts of other networks", async () => {
    const other = metric === "fid" ? fidAccumulator({ ...options, features: fakeInception({ key: "b" }) }) : undefined;
    if (!other) return;
    await feed(other, "real", real, 30);
    const accumulator = create();
    await feed(accumulator, "real", real, 30);
    expect(() => accumulator.merge(other.state())).toThrow("expected weights");
    expect(() => accumulator.merge({ ...(other.state() as object), metric: "kid" })).toThrow("expected metric");
  });
});

describe("fid", () => {
  it("is the distance of the features' statistics", async () => {
    const accumulator = fidAccumulator(options);
    await feed(accumulator, "real", real, 8);
    await feed(accumulator, "generated", generated, 8);
    const expected = await frechetDistance(await featureStatistics(rows(real).rows, 64), await featureStatistics(rows(generated).rows, 64));
    const { value, settings, recipe } = await accumulator.compute();
    expect(value).toBeCloseTo(expected, 10);
    expect(settings).toEqual({ network: "fake-inception", level: 64 });
    expect(recipe).toBe("pytorch-fid");
  });

  it("of a set with itself is zero", async () => {
    const accumulator = fidAccumulator(options);
    await feed(accumulator, "real", real, 30);
    await feed(accumulator, "generated", [...real].reverse(), 7);
    expect(Math.abs((await accumulator.compute()).value)).toBeLessThan(1e-10);
  });

  it("takes statistics in place of the real set, and hands them out", async () => {
    const first = fidAccumulator(options);
    await feed(first, "real", real, 9);
    await feed(first, "generated", generated, 9);
    const statistics = await first.statistics("real");
    expect(statistics.count).toBe(30);
    const second = fidAccumulator({ ...options, real: statistics });
    await feed(second, "generated", generated, 24);
    expect((await second.compute()).value).toBeCloseTo((await first.compute()).value, 10);
    await expect(second.update({ side: "real", pictures: real })).rejects.toThrow("given as statistics");
    const { dimensions, mean } = statistics;
    const third = fidAccumulator({ ...options, real: { dimensions, mean, covariance: await covarianceOf(statistics) } });
    await feed(third, "generated", generated, 24);
    expect(await third.compute()).toMatchObject({ n: 24, counts: { generated: 24 } });
    expect((await third.compute()).warnings.join()).toContain("does not say how many");
    expect(() => fidAccumulator({ features: fakeInception(), real: statistics })).toThrow("2048 dimensions");
  });

  it("needs two pictures of each set", async () => {
    const accumulator = fidAccumulator(options);
    await feed(accumulator, "real", real, 30);
    await feed(accumulator, "generated", generated.slice(0, 1), 1);
    await expect(accumulator.compute()).rejects.toThrow("at least 2 generated pictures, got 1");
  });
});

describe("kid", () => {
  it("draws its subsets as each package does", async () => {
    const sizes = { subsets: 3, size: 4, seed: 2020, real: 9, generated: 7 };
    const [fidelity, clean, torch] = (["torch-fidelity", "clean-fid", "torchmetrics"] as const).map((recipe) => drawSubsets(recipe, sizes));
    // Whoever is drawn first gets the generator's first numbers.
    expect(fidelity![0]).not.toEqual(clean![0]);
    expect([...clean![0]!.second].every((index) => index < 9)).toBe(true);
    for (const subsets of [fidelity!, clean!, torch!]) {
      expect(subsets).toHaveLength(3);
      for (const { first, second } of subsets) {
        expect(new Set(first).size).toBe(4);
        expect(Math.max(...first)).toBeLessThan(7);
        expect(Math.max(...second)).toBeLessThan(9);
      }
    }
  });

  it("is the mean over subsets, with its deviation", async () => {
    const accumulator = kidAccumulator({ ...options, subsetSize: 9, subsets: 5, seed: 4 });
    await feed(accumulator, "real", real, 30);
    await feed(accumulator, "generated", generated, 24);
    const drawn = drawSubsets("torch-fidelity", { subsets: 5, size: 9, seed: 4, real: 30, generated: 24 });
    const values = [...(await kernelDistances(rows(generated), rows(real), drawn))];
    const mean = values.reduce((sum, value) => sum + value, 0) / 5;
    const result = await accumulator.compute();
    expect(result.value).toBeCloseTo(mean, 12);
    expect(result.details.std).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 5), 12);
    expect(result.settings).toMatchObject({ input: "torch-fidelity", subsets: 5, subsetSize: 9, seed: 4 });
  });

  it("refuses sets below the subset size, which clean-fid reduces", async () => {
    const [strict, clean] = [kidAccumulator(options), kidAccumulator({ ...options, recipe: "clean-fid", subsets: 3 })];
    for (const accumulator of [strict, clean]) {
      await feed(accumulator, "real", real, 30);
      await feed(accumulator, "generated", generated, 24);
    }
    await expect(strict.compute()).rejects.toThrow("(1000), got 30 real and 24 generated");
    expect((await clean.compute()).details.subsetSize).toBe(24);
    expect(() => kidAccumulator({ ...options, subsets: 0 })).toThrow(ArgumentError);
    expect(() => kidAccumulator({ ...options, subsetSize: 1 })).toThrow(ArgumentError);
  });
});

describe("precision-recall", () => {
  it("is that of the features; its value is the F-score", async () => {
    for (const [recipe, k, closed] of [
      ["torch-fidelity", 3, true],
      ["prdc", 5, false],
    ] as const) {
      // biome-ignore format: recipes
      const accumulator = precisionRecallAccumulator({ ...options, recipe });
      await feed(accumulator, "real", real, 30);
      await feed(accumulator, "generated", generated, 24);
      const { fScore, radii, ...details } = await neighbourScores(rows(real), rows(generated), { k, closed });
      const result = await accumulator.compute();
      expect(result.details).toEqual(details);
      expect(result.value).toBe(fScore);
      expect(radii.real).toHaveLength(30);
    }
  });

  it("needs more pictures than neighbours", async () => {
    const accumulator = precisionRecallAccumulator({ ...options, k: 24 });
    await feed(accumulator, "real", real, 30);
    await feed(accumulator, "generated", generated, 24);
    await expect(accumulator.compute()).rejects.toThrow("more than 24 pictures");
    expect(() => precisionRecallAccumulator({ ...options, k: 0.5 })).toThrow(ArgumentError);
  });
});
