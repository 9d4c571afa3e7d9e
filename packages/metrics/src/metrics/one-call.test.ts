import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { encodeImage } from "@refadgen/image";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../evaluate/fixture-images.test-support.js";
import { saveStatistics } from "../statistics/npz.js";
import type { MetricProgress } from "./contract.js";
import { MetricError } from "./error.js";
import { fakeClip, fakeDino, fakeImageReward, fakeInception, fakeLpips, features, patterned } from "./fake-networks.test-support.js";
import { fidAccumulator } from "./fid.js";
import { clipI, clipScore, dinoI, fid, imageReward, kid, lpips, mpLpips, precisionRecall, psnr, ssim } from "./one-call.js";

let folder: string;
let real: string;
let generated: string;

async function fill(name: string, from: number, count: number): Promise<string> {
  const root = join(folder, name);
  await mkdir(root, { recursive: true });
  for (let index = 0; index < count; index++)
    await writeFile(join(root, `${String(index).padStart(2, "0")}.png`), await encodeImage(patterned(from + index), { format: "png" }));
  return root;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  real = await fill("real", 1, 12);
  generated = await fill("generated", 40, 9);
});

describe("fid", () => {
  const options = { features: fakeInception(), level: 64 as const };

  it("of folders is that of the accumulator, with progress", async () => {
    const progress: MetricProgress[] = [];
    const result = await fid(real, generated, { ...options, batchSize: 5, onProgress: (step) => progress.push(step) });
    const accumulator = fidAccumulator(options);
    for (let index = 0; index < 12; index++) await accumulator.update({ side: "real", pictures: [patterned(1 + index)] });
    for (let index = 0; index < 9; index++) await accumulator.update({ side: "generated", pictures: [patterned(40 + index)] });
    expect(result.value).toBeCloseTo((await accumulator.compute()).value, 10);
    expect(result).toMatchObject({ counts: { real: 12, generated: 9 }, n: 9 });
    expect(progress.filter(({ stage }) => stage === "features").map(({ done, total }) => [done, total])).toEqual([
      [5, 21],
      [10, 21],
      [12, 21],
      [17, 21],
      [21, 21],
    ]);
    expect(progress.at(-1)).toMatchObject({ stage: "distance", done: 1 });
  });

  it("takes saved statistics for the real set", async () => {
    const accumulator = fidAccumulator(options);
    for (let index = 0; index < 12; index++) await accumulator.update({ side: "real", pictures: [patterned(1 + index)] });
    const path = join(folder, "real.npz");
    await saveStatistics(path, await accumulator.statistics("real"));
    const result = await fid(path, generated, options);
    expect(result.value).toBeCloseTo((await fid(real, generated, options)).value, 6);
    expect(result.counts).toEqual({ real: 12, generated: 9 });
  });

  it("goes on from kept features after it was ended", async () => {
    const cacheDirectory = join(folder, "cache");
    let runs = 0;
    const controller = new AbortController();
    const onRun = (count: number) => {
      runs += count;
      if (runs >= 8) controller.abort(new Error("killed"));
    };
    const first = fid(real, generated, { ...options, features: fakeInception({ onRun }), cacheDirectory, batchSize: 4, signal: controller.signal });
    await expect(first).rejects.toThrow("killed");
    let rest = 0;
    const again = { ...options, features: fakeInception({ onRun: (count) => (rest += count) }), cacheDirectory };
    const result = await fid(real, generated, again);
    expect(rest).toBeLessThanOrEqual(21 - 4);
    expect(result.value).toBe((await fid(real, generated, options)).value);
    rest = 0;
    await fid(real, generated, again);
    expect(rest).toBe(0);
    // Other weights share nothing.
    await fid(real, generated, { ...again, features: fakeInception({ key: "other", onRun: (count) => (rest += count) }) });
    expect(rest).toBe(21);
    expect((await readdir(cacheDirectory)).length).toBeGreaterThan(0);
  });

  it("says when its cache cannot be written, and computes all the same", async () => {
    const file = join(folder, "no-folder");
    await writeFile(file, "");
    const result = await fid(real, generated, { ...options, cacheDirectory: join(file, "cache") });
    expect(result.value).toBe((await fid(real, generated, options)).value);
    expect(result.warnings.join()).toContain("features cannot be kept");
  });

  it("lists bad pictures, or ends at the first", async () => {
    const bad = await fill("bad", 70, 5);
    await writeFile(join(bad, "02.png"), "");
    await expect(fid(real, bad, options)).rejects.toThrow(/02\.png cannot be read \(truncated\)/);
    const result = await fid(real, bad, { ...options, onBadImage: "skip" });
    expect(result.counts.generated).toBe(4);
    expect(result.skipped).toMatchObject([{ name: "02.png", code: "truncated" }]);
    expect(result.warnings.join()).toContain("1 pictures were skipped: 02.png (truncated)");
    const none = join(folder, "none-good");
    await mkdir(none);
    await writeFile(join(none, "0.png"), "");
    const error = await fid(real, none, { ...options, onBadImage: "skip" }).catch((caught: unknown) => caught);
    expect(MetricError.isInstance(error) && error.message).toContain("1 were skipped");
    await expect(fid(real, [patterned(1)], options)).rejects.toThrow("at least 2 generated pictures, got 1");
  });

  it("counts files as its recipe does", async () => {
    const mixed = await fill("mixed", 90, 3);
    await writeFile(join(mixed, "UPPER.PNG"), await encodeImage(patterned(7), { format: "png" }));
    await fill("mixed/sub", 95, 2);
    const count = async (recipe: "pytorch-fid" | "clean-fid" | "torch-fidelity") => (await fid(real, mixed, { ...options, recipe })).counts.generated;
    expect([await count("pytorch-fid"), await count("clean-fid"), await count("torch-fidelity")]).toEqual([3, 6, 4]);
    expect((await fid(real, mixed, { ...options, recursive: true })).counts.generated).toBe(5);
    await expect(fid(real, mixed, { ...options, recipe: "x" as never })).rejects.toThrow(ArgumentError);
    await expect(fid(real, mixed, { ...options, batchSize: 0 })).rejects.toThrow(ArgumentError);
  });
});

describe("kid and precisionRecall", () => {
  it("run over folders", async () => {
    const features64 = { features: fakeInception(), level: 64 as const };
    expect(await kid(real, generated, { ...features64, subsetSize: 5, subsets: 4 })).toMatchObject({ metric: "kid", n: 9 });
    expect(await precisionRecall(real, real, features64)).toMatchObject({ value: 1, details: { precision: 1, recall: 1, coverage: 1 } });
  });
});

describe("metrics of prompts", () => {
  it("take prompts by place and by name", async () => {
    const prompts = Array.from({ length: 9 }, (_, index) => "x".repeat(index + 1));
    const byPlace = await imageReward(generated, prompts, { network: fakeImageReward() });
    const byName = new Map(prompts.map((prompt, index) => [`0${index}`, prompt]));
    expect((await imageReward(generated, byName, { network: fakeImageReward(), batchSize: 2 })).perImage).toEqual(byPlace.perImage);
    expect(byPlace.perImage![3]).toEqual({ name: "03.png", value: expect.closeTo(features(patterned(43), 1)[0]! - 4, 5) });
    const record = Object.fromEntries(prompts.map((prompt, index) => [`0${index}.png`, prompt]));
    expect((await clipScore(generated, record, { network: fakeClip() })).n).toBe(9);
    await expect(imageReward(generated, prompts.slice(1), { network: fakeImageReward() })).rejects.toThrow("8 prompts and 9 pictures");
    await expect(imageReward(generated, { "00": "only one" }, { network: fakeImageReward() })).rejects.toThrow("a prompt for 01.png");
  });

  it("keep CLIP's features, and take references", async () => {
    let runs = 0;
    const network = fakeClip({ onRun: (count) => (runs += count) });
    const prompts = new Array<string>(9).fill("a bottle");
    const options = { network, recipe: "hessel" as const, cacheDirectory: join(folder, "clip-cache"), references: prompts.map((prompt) => [prompt]) };
    const first = await clipScore(generated, prompts, options);
    const second = await clipScore(generated, prompts, options);
    expect(second).toEqual(first);
    expect(runs).toBe(9);
    // A reference equal to the prompt has cosine 1.
    const expected = first.perImage!.map(({ value }) => (2 * value) / (value + 1));
    expect(first.details.refScore).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 9, 5);
  });
});

describe("metrics of pairs", () => {
  it("pair folders by name and say what is left over", async () => {
    await expect(lpips(generated, real, { network: fakeLpips() })).rejects.toThrow("3 pictures have no partner");
    const result = await lpips(generated, real, { network: fakeLpips(), onUnmatched: "skip", batchSize: 4 });
    expect(result).toMatchObject({ n: 9, counts: { pairs: 9 } });
    expect(result.skipped.map(({ name }) => name)).toEqual(["09.png", "10.png", "11.png"]);
    const [a, b] = [patterned(43).data, patterned(4).data];
    expect(result.perImage![3]).toEqual({
      name: "03.png",
      value: expect.closeTo(a.reduce((sum, value, at) => sum + Math.abs(value - b[at]!), 0) / a.length / 127.5, 5),
    });
    expect(result.interval).toMatchObject({ level: 0.95 });
    expect((await psnr(generated, generated, { interval: false })).value).toBe(Number.POSITIVE_INFINITY);
    expect((await ssim(generated, generated, { sigma: 0.8 })).value).toBeCloseTo(1, 12);
  });

  it("compare every generated picture with every reference where asked to", async () => {
    const of = async (from: number, count: number) => Array.from({ length: count }, (_, index) => features(patterned(from + index), 8));
    const [ours, theirs] = [await of(40, 9), await of(1, 12)];
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, index) => sum + value * y[index]!, 0);
    const expected = ours.map((x) => theirs.reduce((sum, y) => sum + dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 0) / 12);
    const result = await dinoI(generated, real, { network: fakeDino(), pairing: "all", batchSize: 5 });
    expect(result).toMatchObject({ n: 9, details: { references: 12 }, settings: { pairing: "all" } });
    for (const [index, { value }] of result.perImage!.entries()) expect(value).toBeCloseTo(expected[index]!, 5);
    expect((await clipI(generated, real, { network: fakeClip(), pairing: "all" })).value).toBeCloseTo(result.value, 5);
    expect((await clipI(generated, real, { network: fakeClip(), onUnmatched: "skip" })).counts).toEqual({ pairs: 9 });
    await expect(dinoI(generated, real, { network: fakeDino(), pairing: "some" as never })).rejects.toThrow(ArgumentError);
  });

  it("match patches of folders with masks", async () => {
    const whole = { width: 12, height: 10, channels: 1 as const, data: new Uint8Array(120).fill(255) };
    const masks = new Array(9).fill(whole);
    const dense = { name: "given", features: async () => ({ dtype: "float32" as const, dims: [1, 2, 1, 1], data: Float32Array.of(1, 2) }) };
    const settings = { network: fakeLpips(), features: dense, size: 24, grid: 8, patch: 5 };
    const result = await mpLpips({ generated, product: generated, generatedMasks: masks, productMasks: masks }, settings);
    expect(result).toMatchObject({ n: 9, details: { points: 81 } });
    await expect(mpLpips({ generated, product: real, generatedMasks: masks, productMasks: masks }, settings)).rejects.toThrow("9 generated");
  });
});
