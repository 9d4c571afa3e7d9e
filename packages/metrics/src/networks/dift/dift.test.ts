import { parseAutoencoderConfig, parseSchedulerConfig, parseUNetConfig } from "@refadgen/core-unet";
import { formulaGaussian, formulaWeights, torchGenerator } from "@refadgen/graph";
import type { Image } from "@refadgen/image";
import { expect, test } from "vitest";
import type { Dino } from "../contract.js";
import { noise, useOwnCache, worst } from "../recorded.test-support.js";
import { dinoFeatures } from "./dino-features.js";
import { type LoadDiftOptions, loadDift } from "./load.js";
import type { DiftParts } from "./parts.js";

useOwnCache();

const parts: DiftParts = {
  unet: formulaWeights("small-unet"),
  unetConfig: parseUNetConfig({
    block_out_channels: [32, 64],
    down_block_types: ["CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D"],
    layers_per_block: 1,
    cross_attention_dim: 16,
    attention_head_dim: [1, 2],
    use_linear_projection: true,
  }),
  autoencoder: formulaWeights("small-autoencoder"),
  autoencoderConfig: parseAutoencoderConfig({
    block_out_channels: [16, 16, 32],
    down_block_types: Array(3).fill("DownEncoderBlock2D"),
    up_block_types: Array(3).fill("UpDecoderBlock2D"),
    norm_num_groups: 16,
    scaling_factor: 0.5,
  }),
  scheduler: parseSchedulerConfig({ _class_name: "DDIMScheduler", beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" }),
  context: { dtype: "float32", dims: [1, 5, 16], data: formulaGaussian("context", [1, 5, 16]) },
};
const options: LoadDiftOptions = { ensemble: 2, upBlock: 0, threads: 1 };
const image: Image = noise(48, 40);

test("noise follows from the seed and the picture's role, not from the order of calls, and is drawn as the published code draws it", async () => {
  const [one, two] = [await loadDift(parts, { ...options, seed: 7 }), await loadDift(parts, { ...options, seed: 7 })];
  try {
    const product = await one.steps(image, "product");
    const generated = await one.steps(image, "generated");
    expect((await two.features(image, "generated")).data).toEqual(generated.features.data);
    expect((await two.features(image, "product")).data).toEqual(product.features.data);
    expect(worst(product.features.data, generated.features.data)).toBeGreaterThan(1e-3);
    // After the first block of the way up, which is enlarged: the latents' own size.
    expect(product.features.dims).toEqual([1, 64, 10, 12]);
    expect(product.noisyLatents.dims).toEqual([2, 4, 10, 12]);

    const generator = torchGenerator(7);
    const draws = ["product", "generated"].map(() => ({ sample: generator.randn([2, 4, 10, 12]).data, noise: generator.randn([2, 4, 10, 12]).data }));
    let alpha = 1;
    for (let t = 0; t <= 41; t++) alpha *= 1 - (Math.sqrt(0.00085) + ((Math.sqrt(0.012) - Math.sqrt(0.00085)) * t) / 999) ** 2;
    for (const [index, { mean, deviation, noisyLatents }] of [product, generated].entries()) {
      const { sample, noise: added } = draws[index]!;
      const expected = sample.map((value, i) => {
        const at = i % mean.data.length;
        return Math.sqrt(alpha) * 0.5 * (mean.data[at]! + deviation.data[at]! * value) + Math.sqrt(1 - alpha) * added[i]!;
      });
      expect(worst(noisyLatents.data, expected)).toBeLessThan(1e-5);
    }
    expect(await one.contentKey()).toBe(await two.contentKey());
  } finally {
    await Promise.all([one.dispose(), two.dispose()]);
  }
});

test("features are the mean over the ensemble; given noise is used, another setting is another key", async () => {
  const draws = (count: number) => ({ sample: new Float32Array(count), noise: formulaGaussian("noise", [count]) });
  const both = await loadDift(parts, { ...options, draws: (_, dims) => draws(dims.reduce((a, b) => a * b)) });
  const half = (from: number) =>
    loadDift(parts, {
      ...options,
      ensemble: 1,
      draws: (_, dims) => {
        const count = dims.reduce((a, b) => a * b);
        return { sample: new Float32Array(count), noise: draws(2 * count).noise.slice(from * count, (from + 1) * count) };
      },
    });
  const halves = [await half(0), await half(1)];
  try {
    const [a, b] = await Promise.all(halves.map((dift) => dift.features(image, "product")));
    const mean = a!.data.map((value, index) => (value + b!.data[index]!) / 2);
    expect(worst((await both.features(image, "product")).data, mean)).toBeLessThan(1e-5);
    expect(await both.contentKey()).not.toBe(await halves[0]!.contentKey());
  } finally {
    await Promise.all([both, ...halves].map((dift) => dift.dispose()));
  }
});

test("wrong settings are refused", async () => {
  await expect(loadDift(parts, { ...options, upBlock: 2 })).rejects.toThrow(/upBlock to be a whole number from 0 to 1, got 2/);
  await expect(loadDift(parts, { ...options, timestep: 1000 })).rejects.toThrow(/timestep/);
  await expect(loadDift(parts, { ...options, ensemble: 0 })).rejects.toThrow(/ensemble/);
  const dift = await loadDift(parts, { ...options, draws: () => ({ sample: new Float32Array(3), noise: new Float32Array(3) }) });
  try {
    await expect(dift.features(noise(42, 40), "product")).rejects.toThrow(/multiples of 4 from 32 on, got 42 × 40/);
    await expect(dift.features(image, "reference" as never)).rejects.toThrow(/role "product" or "generated"/);
    await expect(dift.features(image, "product")).rejects.toThrow(/draws of 960 values, got 3 for sample/);
  } finally {
    await dift.dispose();
  }
});

test("DINO's tokens become planes without the class token", async () => {
  const asked: (readonly number[])[] = [];
  const dino = {
    patch: 16,
    dimensions: 2,
    // Token t of picture: [10 t, 10 t + 1].
    tensorTokens: async ({ dims }: { readonly dims: readonly number[] }) => {
      asked.push(dims);
      return { dtype: "float32", dims: [1, 7, 2], data: Float32Array.from({ length: 14 }, (_, i) => 10 * Math.floor(i / 2) + (i % 2)) };
    },
  } as unknown as Dino;
  const { dims, data } = await dinoFeatures(dino).features(noise(40, 32), "product");
  expect(asked).toEqual([[1, 3, 32, 48]]);
  expect(dims).toEqual([1, 2, 2, 3]);
  expect([...data]).toEqual([10, 20, 30, 40, 50, 60, 11, 21, 31, 41, 51, 61]);
});
