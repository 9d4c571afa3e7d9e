import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import { beforeAll, describe, expect, it } from "vitest";
import { clipIRecipes } from "../metrics/clip-i.js";
import { clipScoreRecipes } from "../metrics/clip-score.js";
import { metricNames } from "../metrics/contract.js";
import { fidRecipes } from "../metrics/fid.js";
import { kidRecipes } from "../metrics/kid.js";
import { lpipsRecipes } from "../metrics/lpips.js";
import { precisionRecallRecipes } from "../metrics/precision-recall.js";
import { psnrRecipes } from "../metrics/psnr.js";
import type { Clip, Dino, ImageReward, Inception, LoadedNetwork, Lpips, Picture } from "../networks/contract.js";
import { imageOf } from "../networks/pictures.js";
import { msSsimRecipes, ssimRecipes } from "../pixel/ssim-recipes.js";
import { saveStatistics } from "../statistics/npz.js";
import { featureStatistics } from "../statistics/statistics.js";
import { createDriver } from "./drivers.js";
import { EvaluationError } from "./error.js";
import { type EvaluateOptions, evaluate } from "./evaluate.js";
import { temporaryFolder, writeImages } from "./fixture-images.test-support.js";
import type { DenseNetwork } from "./networks.js";
import { detailNames, quantitiesOf, recipeNames } from "./plan.js";

let root: string;
const folders = () => ({ generated: join(root, "generated"), reference: join(root, "reference"), masks: join(root, "masks") });
beforeAll(async () => {
  root = await temporaryFolder();
  const seeds = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`${index}.png`, index + 1]));
  const size = { width: 192, height: 180 };
  await writeImages(folders().generated, seeds, size);
  await writeImages(folders().reference, Object.fromEntries(Object.entries(seeds).map(([name, seed]) => [name, seed + 0.4])), size);
  for (const kind of ["generated", "product"]) await writeImages(join(folders().masks, kind), seeds, { ...size, channels: 1 });
});

/** Loads of networks that are counted; each gives numbers that follow from the pixels in a simple way. */
function fakeNetworks(): EvaluateOptions["networks"] & { readonly runs: Record<string, number> } {
  const runs: Record<string, number> = {};
  const loaded = (name: string): LoadedNetwork => ({
    name,
    weights: [name],
    contentKey: async () => `key of ${name}`,
    dispose: () => Promise.reject(new Error("not theirs")),
  });
  const unused = () => Promise.reject(new Error("not needed"));
  const embed = (name: string, pictures: readonly Picture[], width: number): Tensor<"float32"> => {
    runs[name] = (runs[name] ?? 0) + pictures.length;
    const data = Float32Array.from({ length: pictures.length * width }, (_, index) => {
      const { data: pixels } = imageOf(pictures[Math.floor(index / width)]!);
      return pixels[((index % width) * 37) % pixels.length]! / 255;
    });
    return { dtype: "float32", dims: [pictures.length, width], data };
  };
  const inception: Inception = {
    ...{ ...loaded("inception"), tensorFeatures: unused },
    features: async (pictures, { levels = [2048] }) => new Map(levels.map((level) => [level, embed("inception", pictures, level as number)])),
  };
  const clip: Clip = {
    ...{ ...loaded("clip"), dimensions: 8, resolution: 224, imageTensor: unused, tokens: unused, tokenize: () => [] },
    images: async (pictures) => embed("clip", pictures, 8),
    texts: async (texts) => ({
      dtype: "float32",
      dims: [texts.length, 8],
      data: Float32Array.from({ length: texts.length * 8 }, (_, index) => 1 + (index % 8)),
    }),
  };
  const dino: Dino = {
    ...loaded("dino"),
    dimensions: 8,
    patch: 16,
    tokens: unused,
    tensorTokens: unused,
    embeddings: async (pictures) => embed("dino", pictures, 8),
  };
  const imageReward: ImageReward = {
    ...{ ...loaded("image-reward"), vision: unused, rewardsOf: unused, tokenize: async () => [] },
    rewards: async (pictures, prompts) => {
      runs["image-reward"] = (runs["image-reward"] ?? 0) + pictures.length;
      return Float32Array.from(prompts, ({ length }) => length / 10);
    },
  };
  const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a, (value, index) => Math.abs(value - b[index]!)).reduce((x, y) => x + y, 0) / a.length;
  const lpips: Lpips = {
    ...{ ...loaded("lpips-alex"), backbone: "alex", learned: true, minimumSide: 31 },
    distances: async (first, second) => ({
      total: Float32Array.from(first, (picture, index) => difference(imageOf(picture).data, imageOf(second[index]!).data) / 255),
      layers: [],
    }),
    tensorDistances: async (first, second) => {
      const each = first.data.length / first.dims[0]!;
      const part = ({ data }: Tensor<"float32">, row: number) => data.subarray(row * each, (row + 1) * each);
      return { total: Float32Array.from({ length: first.dims[0]! }, (_, row) => difference(part(first, row), part(second, row))), layers: [] };
    },
  };
  const dense: DenseNetwork = {
    ...loaded("dift"),
    features: async ({ data, width, height }) => {
      runs.dift = (runs.dift ?? 0) + 1;
      const [rows, columns] = [Math.ceil(height / 8), Math.ceil(width / 8)];
      const values = Float32Array.from({ length: 3 * rows * columns }, (_, index) => {
        const [channel, y, x] = [Math.floor(index / (rows * columns)), Math.floor(index / columns) % rows, index % columns];
        return data[(Math.min(height - 1, y * 8) * width + Math.min(width - 1, x * 8)) * 3 + channel]! + 1;
      });
      return { dtype: "float32", dims: [1, 3, rows, columns], data: values };
    },
  };
  return { inception, clip, dino, imageReward, lpips, dense, runs };
}

describe("evaluate with the package's metrics", () => {
  it("gives every metric, each network's features once, and nothing twice in a second run", async () => {
    const networks = fakeNetworks();
    const prompts = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [String(index), "p".repeat(index + 1)]));
    const options: EvaluateOptions = {
      ...{ metrics: metricNames, networks, cacheDirectory: join(root, "cache") },
      recipes: { kid: "clean-fid", "precision-recall": "torch-fidelity" },
      options: {
        fid: { level: 64 },
        kid: { level: 64, input: "pytorch-fid", subsets: 5 },
        "precision-recall": { level: 64, input: "pytorch-fid" },
        "mp-lpips": { size: 160 },
      },
    };
    const first = await evaluate({ ...folders(), prompts }, options);
    expect(first.metrics.map(({ metric, n }) => [metric, n])).toEqual(
      metricNames.map((metric) => [metric, metric === "mp-lpips" ? expect.any(Number) : 9]),
    );
    for (const { metric, value, recipe } of first.metrics) expect([metric, Number.isFinite(value), recipe.length > 0]).toEqual([metric, true, true]);
    // Nine pictures a side: Inception, CLIP-I and DINO-I see 18; CLIP-Score wants another processing and sees its nine again.
    expect(networks.runs).toEqual({ inception: 18, clip: 27, dino: 18, "image-reward": 9, dift: 18 });
    for (const { metric, details, interval } of first.metrics) {
      expect([metric, Object.keys(details).sort()]).toEqual([metric, [...(detailNames[metric] ?? [])].sort()]);
      expect([metric, interval !== undefined]).toEqual([metric, quantitiesOf(metric, { interval: true }).includes("low")]);
    }
    const [reward, pair] = [first.metrics.find(({ metric }) => metric === "image-reward")!, first.metrics.find(({ metric }) => metric === "lpips")!];
    expect(reward.value).toBeCloseTo(0.5, 6);
    expect(reward.interval!.low).toBeLessThan(0.5);
    expect(pair.networks).toEqual([{ name: "lpips-alex", key: "key of lpips-alex" }]);
    const second = await evaluate({ ...folders(), prompts }, options);
    expect(networks.runs).toEqual({ inception: 18, clip: 27, dino: 18, "image-reward": 9, dift: 18 });
    expect(second.metrics.map((metric) => ({ ...metric, seconds: 0, cached: 0 }))).toEqual(
      first.metrics.map((metric) => ({ ...metric, seconds: 0, cached: 0 })),
    );
  });

  it("compares with statistics instead of real pictures", async () => {
    const networks = fakeNetworks();
    const features = await networks.inception!.features(
      [
        { width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(9) },
        { width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(99) },
      ],
      { input: "pytorch-fid", levels: [64] },
    );
    const real = join(root, "real.npz");
    await saveStatistics(real, await featureStatistics(features.get(64)!.data, 64));
    const options: EvaluateOptions = { metrics: ["fid"], networks, options: { fid: { level: 64 } }, cache: false };
    const { metrics } = await evaluate({ generated: folders().generated, real }, options);
    expect(metrics[0]).toMatchObject({ metric: "fid", counts: { real: 2, generated: 9 }, n: 2 });
    await expect(evaluate({ generated: folders().generated, real }, { ...options, metrics: ["fid", "kid"], options: {} })).rejects.toThrow(
      EvaluationError,
    );
  });

  it("uses a network that is given, whatever its kind, and fetches none", async () => {
    const { lpips } = fakeNetworks();
    const vgg: Lpips = { ...lpips!, name: "lpips-vgg", backbone: "vgg" };
    const { metrics } = await evaluate(folders(), { metrics: ["lpips"], networks: { lpips: vgg }, offline: true, cache: false });
    expect(metrics[0]!.settings).toMatchObject({ network: "lpips-vgg" });
  });

  it("refuses too few pictures, unknown options and recipes by name", async () => {
    const networks = fakeNetworks();
    const run = (options: EvaluateOptions) => evaluate(folders(), { networks, cache: false, ...options });
    await expect(run({ metrics: ["kid"] })).rejects.toMatchObject({ code: "too-few" });
    await expect(run({ metrics: ["kid"], options: { kid: { subset: 5 } } })).rejects.toThrow(
      /unknown option subset of kid; expected input, level, subsets/,
    );
    await expect(run({ metrics: ["psnr"], options: { psnr: { range: 5 } } })).rejects.toThrow(/it has none/);
    await expect(run({ metrics: ["fid"], recipes: { fid: "mine" } })).rejects.toThrow(ArgumentError);
    await expect(run({ metrics: ["mp-lpips"], matching: "dino", options: { "mp-lpips": { prompt: "a shoe" } } })).rejects.toThrow(
      /options of matching by dift/,
    );
  });

  it("knows the recipes that metrics have, the default first", async () => {
    expect(recipeNames).toMatchObject({
      "clip-score": clipScoreRecipes,
      kid: kidRecipes,
      lpips: lpipsRecipes,
      psnr: psnrRecipes,
      "clip-i": clipIRecipes,
    });
    expect(recipeNames).toMatchObject({ fid: fidRecipes, "precision-recall": precisionRecallRecipes, ssim: ssimRecipes, "ms-ssim": msSsimRecipes });
    const networks = fakeNetworks();
    const pool = {
      lpips: networks.lpips,
      clip: networks.clip,
      dino: networks.dino,
      inception: networks.inception,
      imageReward: networks.imageReward,
      dift: networks.dense,
    };
    const served = Object.fromEntries(Object.entries(pool).map(([name, network]) => [name, async () => network])) as never;
    for (const metric of metricNames) {
      const { recipe } = await createDriver({ metric, recipe: undefined, settings: {}, pool: served, statistics: undefined });
      expect([metric, recipe]).toEqual([metric, recipeNames[metric][0]]);
    }
  });

  it("never keeps, nor reports, what is not a number", async () => {
    const networks = fakeNetworks();
    const broken: Inception = {
      ...networks.inception!,
      features: async (pictures) =>
        new Map([[64, { dtype: "float32", dims: [pictures.length, 64], data: new Float32Array(pictures.length * 64).fill(Number.NaN) }]]),
    };
    const act = evaluate(folders(), {
      metrics: ["fid"],
      networks: { inception: broken },
      cacheDirectory: join(root, "nan-cache"),
      options: { fid: { level: 64 } },
    });
    await expect(act).rejects.toMatchObject({ code: "not-finite" });
  });
});
