import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { matchedPatchDistance } from "../mp-lpips/measure.js";
import { planesOf } from "../pixel/planes.js";
import { ssimOf } from "../pixel/ssim-recipes.js";
import { rowsOf } from "../statistics/rows.test-support.js";
import { clipIAccumulator } from "./clip-i.js";
import { clipScoreAccumulator } from "./clip-score.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { dinoIAccumulator } from "./dino-i.js";
import { MetricError } from "./error.js";
import { fakeClip, fakeDino, fakeImageReward, fakeLpips, features, patterned } from "./fake-networks.test-support.js";
import { imageRewardAccumulator } from "./image-reward.js";
import { lpipsAccumulator } from "./lpips.js";
import { mpLpipsAccumulator } from "./mp-lpips.js";
import { psnrAccumulator } from "./psnr.js";
import type { ScoreState } from "./score-accumulator.js";
import { msSsimAccumulator, ssimAccumulator } from "./ssim.js";

const pictures = (from: number, count: number) => Array.from({ length: count }, (_, index) => patterned(from + index));
const pairs: PairBatch = { generated: pictures(1, 7), reference: pictures(20, 7), names: [..."abcdefg"] };

function part({ generated, reference, names }: PairBatch, from: number, to: number): PairBatch {
  return { generated: generated.slice(from, to), reference: reference.slice(from, to), names: names!.slice(from, to) };
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => Array.from(x).reduce((sum, value, index) => sum + value * y[index]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

const pairMetrics: readonly [string, () => Accumulator<PairBatch, ScoreState>][] = [
  ["lpips", () => lpipsAccumulator({ network: fakeLpips() })],
  ["clip-i", () => clipIAccumulator({ network: fakeClip() })],
  ["dino-i", () => dinoIAccumulator({ network: fakeDino() })],
  ["psnr", () => psnrAccumulator()],
  ["ssim", () => ssimAccumulator()],
];

describe.each(pairMetrics)("%s", (_name, create) => {
  it("is the same in one pass, in batches, and merged from parts that went through JSON-like copies", async () => {
    const whole = create();
    await whole.update(pairs);
    const expected = await whole.compute();
    expect(expected).toMatchObject({ n: 7, counts: { pairs: 7 }, skipped: [], warnings: [] });
    expect(expected.perImage!.map(({ name }) => name)).toEqual([..."abcdefg"]);
    expect(expected.interval!.low).toBeLessThanOrEqual(expected.value);
    expect(expected.interval!.high).toBeGreaterThanOrEqual(expected.value);

    const batches = create();
    await Promise.all([batches.update(part(pairs, 0, 3)), batches.update(part(pairs, 3, 4)), batches.update(part(pairs, 4, 7))]);
    expect(await batches.compute()).toEqual(expected);

    const merged = create();
    for (const [from, to] of [
      [0, 2],
      [2, 6],
      [6, 7],
    ] as const) {
      // biome-ignore format: rows
      const worker = create();
      await worker.update(part(pairs, from, to));
      merged.merge(structuredClone(worker.state()));
    }
    expect(await merged.compute()).toEqual(expected);
  });

  it("has the same value in any order", async () => {
    const [one, other] = [create(), create()];
    await one.update(pairs);
    const reversed = { generated: [...pairs.generated].reverse(), reference: [...pairs.reference].reverse() };
    await other.update(reversed);
    expect((await other.compute({ interval: false })).value).toBeCloseTo((await one.compute({ interval: false })).value, 12);
  });

  it("refuses unequal counts before anything is counted, and has no value of nothing", async () => {
    const accumulator = create();
    await expect(accumulator.update({ generated: pictures(1, 2), reference: pictures(1, 3) })).rejects.toThrow(ArgumentError);
    await expect(accumulator.update({ generated: [], reference: [] })).rejects.toThrow(ArgumentError);
    await expect(accumulator.update({ ...pairs, names: ["a"] })).rejects.toThrow("7 names");
    const error = await accumulator.compute().catch((caught: unknown) => caught);
    expect(MetricError.isInstance(error) && error.code).toBe("too-few");
  });
});

describe("merge", () => {
  it("refuses another metric, recipe, setting or network", async () => {
    const state = async (accumulator: Accumulator<PairBatch, ScoreState>) => {
      await accumulator.update(pairs);
      return accumulator.state();
    };
    const lpips = lpipsAccumulator({ network: fakeLpips() });
    const ssim = await state(ssimAccumulator());
    expect(() => lpips.merge(ssim)).toThrow("expected metric lpips, got ssim");
    const torchmetrics = await state(lpipsAccumulator({ network: fakeLpips(), recipe: "torchmetrics" }));
    expect(() => lpips.merge(torchmetrics)).toThrow("expected recipe");
    await lpips.update(pairs);
    const others = await state(lpipsAccumulator({ network: fakeLpips({ key: "other" }) }));
    expect(() => lpips.merge(others)).toThrow("expected weights");
    expect(() => ssimAccumulator({ sigma: 2 }).merge(ssim)).toThrow("expected settings");
    // Known only when the first score is computed.
    const late = lpipsAccumulator({ network: fakeLpips() });
    late.merge(others);
    await expect(late.update(pairs)).rejects.toThrow("weights");
  });

  it("waits for no update: a state in the middle of one is refused", async () => {
    const accumulator = psnrAccumulator();
    const update = accumulator.update(pairs);
    expect(() => accumulator.state()).toThrow("wait for them");
    await update;
    expect(accumulator.state().names).toHaveLength(7);
  });
});

describe("an update that fails", () => {
  it("leaves the others as they are", async () => {
    const accumulator = lpipsAccumulator({ network: fakeLpips() });
    const stopped = AbortSignal.abort(new Error("stop"));
    const results = await Promise.allSettled([
      accumulator.update(part(pairs, 0, 2)),
      accumulator.update(part(pairs, 2, 4), { signal: stopped }),
      accumulator.update(part(pairs, 4, 7)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await accumulator.compute()).perImage!.map(({ name }) => name)).toEqual([..."abefg"]);
  });

  it("is one with scores that are no numbers", async () => {
    const broken = fakeLpips();
    const network = { ...broken, distances: async () => ({ total: Float32Array.of(0.1, Number.NaN), layers: [] }) };
    const update = lpipsAccumulator({ network }).update(part(pairs, 0, 2));
    await expect(update).rejects.toThrow("NaN for b");
  });
});

describe("recipes", () => {
  it("of PSNR pool, average, or become infinite", async () => {
    const same = patterned(3);
    const batch = { generated: [patterned(1), same], reference: [patterned(20), same] };
    const of = async (recipe: "torchmetrics" | "piq" | "skimage") => {
      const accumulator = psnrAccumulator({ recipe });
      await accumulator.update(batch);
      return accumulator.compute();
    };
    const [pooled, piq, mean] = [await of("torchmetrics"), await of("piq"), await of("skimage")];
    const error = patterned(1).data.reduce((sum, value, index) => sum + (value - patterned(20).data[index]!) ** 2, 0) / 360;
    expect(pooled.value).toBeCloseTo(10 * Math.log10((2 * 255 ** 2) / error), 10);
    expect(pooled.perImage![0]!.value).toBeCloseTo(10 * Math.log10(255 ** 2 / error), 10);
    expect(piq.value).toBeCloseTo((80 - 10 * Math.log10(error / 255 ** 2 + 1e-8)) / 2, 10);
    expect(mean.value).toBe(Number.POSITIVE_INFINITY);
    expect(mean.warnings).toEqual([]);
  });

  it("of SSIM are those of the pixels, in threads as well", async () => {
    for (const size of [
      { width: 30, height: 25 },
      { width: 90, height: 70 },
    ]) {
      // biome-ignore format: sizes
      const [a, b] = [patterned(1, size), patterned(2, size)];
      const accumulator = ssimAccumulator({ recipe: "piq" });
      await accumulator.update({ generated: [a, b, a], reference: [b, b, a] });
      const { perImage } = await accumulator.compute();
      expect(perImage!.map(({ value }) => value)).toEqual([
        ssimOf(planesOf(a, 1 / 255), planesOf(b, 1 / 255), "piq"),
        expect.closeTo(1, 10),
        expect.closeTo(1, 10),
      ]);
    }
    const small = ssimAccumulator({ recipe: "piq" });
    await expect(small.update({ generated: pictures(1, 1), reference: pictures(2, 1) })).rejects.toThrow("at least 11 × 11");
    await expect(
      msSsimAccumulator().update({ generated: [patterned(1, { width: 170, height: 170 })], reference: [patterned(2, { width: 170, height: 170 })] }),
    ).rejects.toThrow(ArgumentError);
    await expect(small.update({ generated: pictures(1, 1), reference: [patterned(1, { width: 9, height: 40 })] })).rejects.toThrow("equal size");
  });

  it("of CLIP-Score clamp each picture or the mean, and prefix or do not", async () => {
    const network = fakeClip();
    const texts: string[] = [];
    const turned = { ...network, texts: async (given: readonly string[], options: Parameters<typeof network.texts>[1]) => {
      texts.push(...given);
      const { data, ...rest } = await network.texts(given, options);
      // The second prompt points the other way.
      return { ...rest, data: data.map((value, index) => (given[Math.floor(index / 8)]!.endsWith("against") ? -value : value)) };
    } }; // biome-ignore format: short
    const batch = { generated: pictures(1, 2), prompts: ["a bottle", "against"] };
    const cosines = batch.prompts.map((prompt) => prompt).map(async (prompt, index) => {
      const text = (words: string) => Float32Array.from({ length: 8 }, (_, k) => 1 + Math.sin((words.codePointAt(k % words.length) ?? 0) + k));
      return (plain: boolean) => (index === 1 ? -1 : 1) * cosine(features(batch.generated[index]!, 8), text(plain ? prompt : `A photo depicts ${prompt}`));
    }); // biome-ignore format: short
    const of = await Promise.all(cosines);
    const torchmetrics = clipScoreAccumulator({ network: turned });
    await torchmetrics.update(batch);
    const first = await torchmetrics.compute();
    expect(first.perImage!.map(({ value }) => value)).toEqual([expect.closeTo(100 * of[0]!(true), 4), expect.closeTo(100 * of[1]!(true), 4)]);
    expect(first.value).toBe(Math.max(0, (first.perImage![0]!.value + first.perImage![1]!.value) / 2));
    const hessel = clipScoreAccumulator({ network: turned, recipe: "hessel" });
    await hessel.update(batch);
    const second = await hessel.compute();
    expect(second.perImage!.map(({ value }) => value)).toEqual([expect.closeTo(2.5 * of[0]!(false), 5), 0]);
    expect(second.details).toEqual({});
    expect(texts).toContain("A photo depicts a bottle");
    expect(texts).toContain("against");
  });

  it("of CLIP-Score take references for RefCLIPScore", async () => {
    const network = fakeClip();
    const accumulator = clipScoreAccumulator({ network, recipe: "hessel" });
    const batch = { generated: pictures(1, 2), prompts: ["one", "two"], references: [["one"], ["something", "else"]] };
    await accumulator.update(batch);
    const { perImage, details } = await accumulator.compute();
    const text = async (words: string) => (await network.texts([`A photo depicts ${words}`], { truncation: "openai" })).data;
    const best = [1, Math.max(cosine(await text("two"), await text("something")), cosine(await text("two"), await text("else")))];
    const expected = perImage!.map(({ value }, index) => (2 * value * best[index]!) / (value + best[index]!));
    expect(details.refScore).toBeCloseTo((expected[0]! + expected[1]!) / 2, 5);
    await expect(clipScoreAccumulator({ network }).update(batch)).rejects.toThrow('references are for recipe "hessel"');
    await expect(accumulator.update({ ...batch, references: [["one"], []] })).rejects.toThrow("at least one reference");
  });

  it("that do not exist are refused", () => {
    expect(() => clipScoreAccumulator({ network: fakeClip(), recipe: "coco" as never })).toThrow("expected recipe torchmetrics, hessel");
    expect(() => lpipsAccumulator({ network: fakeLpips(), recipe: "piq" as never })).toThrow(ArgumentError);
    expect(() => psnrAccumulator({ recipe: "" as never })).toThrow(ArgumentError);
    expect(() => ssimAccumulator({ recipe: "x" as never })).toThrow(ArgumentError);
    expect(() => dinoIAccumulator({ network: fakeDino(), recipe: "x" as never })).toThrow(ArgumentError);
  });
});

describe("image-reward", () => {
  it("hands pictures and prompts to the network", async () => {
    const accumulator = imageRewardAccumulator({ network: fakeImageReward() });
    await accumulator.update({ generated: pictures(1, 2), prompts: ["a", "four"] });
    const { perImage, n, counts } = await accumulator.compute();
    expect(perImage).toEqual([
      { name: "0", value: expect.closeTo(features(patterned(1), 1)[0]! - 1, 5) },
      { name: "1", value: expect.closeTo(features(patterned(2), 1)[0]! - 4, 5) },
    ]);
    expect([n, counts]).toEqual([2, { pictures: 2 }]);
  });
});

describe("mp-lpips", () => {
  const mask = (light: number) => ({ width: 12, height: 10, channels: 1 as const, data: new Uint8Array(120).fill(light) });
  const dense = { name: "given", features: async () => ({ dtype: "float32" as const, dims: [1, 5, 4, 4], data: rowsOf(20, 4) }) };

  it("leaves pictures without a point out of the mean, and says so", async () => {
    const accumulator = mpLpipsAccumulator({ network: fakeLpips(), features: dense, size: 24, grid: 8, patch: 5 });
    const [generated, product] = [pictures(1, 2), pictures(5, 2)];
    await accumulator.update({ generated, product, productMasks: [mask(255), mask(0)], generatedMasks: [mask(255), mask(255)] });
    const result = await accumulator.compute();
    const expected = await matchedPatchDistance(
      { generated: generated[0]!, product: product[0]!, productMask: mask(255), generatedMask: mask(255) },
      dense,
      fakeLpips(),
      { size: 24, grid: 8, patch: 5 },
    );
    expect(result.value).toBe(expected.value);
    expect(result).toMatchObject({ n: 1, counts: { pictures: 2 }, details: { points: 9, outsideShare: 0 } });
    expect(result.perImage![1]!.value).toBeNaN();
    expect(result.warnings).toEqual([expect.stringContaining("1 of 2 pictures have no score")]);
    expect(result.settings).toMatchObject({ size: 24, grid: 8, patch: 5, dilation: 17, features: "given" });
  });
});
