import { readFile } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import { formulaTensor, memoryWeights, type WeightSource, widenToFloat32 } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clip } from "../contract.js";
import { fixture, formulaFile, noise, useOwnCache, worst } from "../recorded.test-support.js";
import { loadClip } from "./load.js";
import { clipPixels } from "./preprocessing.js";
import { loadTokenize } from "./tokenizer.js";

useOwnCache();

const [width, layers, dimensions, patch, resolution, words] = [64, 2, 48, 16, 32, 49408];
const linears = [
  ["attn.out_proj", "self_attn.out_proj", width, width],
  ["mlp.c_fc", "mlp.fc1", 4 * width, width],
  ["mlp.c_proj", "mlp.fc2", width, 4 * width],
] as const;

async function values(name: string, dims: readonly number[]): Promise<Float32Array> {
  const gain = name.includes("positional") || name.includes("class_embedding") ? 3 : 1;
  return widenToFloat32("float32", await formulaTensor("clip", name, dims).read()).map((value) => value * gain);
}

/** The same small CLIP under OpenAI's names and under transformers', whose graph is another implementation. */
async function bothLayouts(): Promise<{ readonly openai: WeightSource; readonly transformers: WeightSource }> {
  const openai = new Map<string, { readonly dims: readonly number[]; readonly data: Float32Array }>();
  const transformers = new Map<string, { readonly dims: readonly number[]; readonly data: Float32Array }>();
  const same = async (theirs: string, other: string, ...dims: number[]) => {
    const data = await values(theirs, dims);
    openai.set(theirs, { dims, data });
    transformers.set(other, { dims, data });
  };
  const transposed = async (theirs: string, other: string, rows: number, columns: number) => {
    const data = await values(theirs, [rows, columns]);
    openai.set(theirs, { dims: [rows, columns], data });
    transformers.set(other, { dims: [columns, rows], data: data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!) });
  };
  const norm = async (theirs: string, other: string) => {
    await same(`${theirs}.weight`, `${other}.weight`, width);
    await same(`${theirs}.bias`, `${other}.bias`, width);
  };
  const tower = async (theirs: string, other: string) => {
    for (let layer = 0; layer < layers; layer++) {
      const [from, to] = [`${theirs}transformer.resblocks.${layer}`, `${other}.encoder.layers.${layer}`];
      const [weight, bias] = [
        await values(`${from}.attn.in_proj_weight`, [3 * width, width]),
        await values(`${from}.attn.in_proj_bias`, [3 * width]),
      ];
      openai.set(`${from}.attn.in_proj_weight`, { dims: [3 * width, width], data: weight });
      openai.set(`${from}.attn.in_proj_bias`, { dims: [3 * width], data: bias });
      for (const [part, name] of ["q_proj", "k_proj", "v_proj"].entries()) {
        transformers.set(`${to}.self_attn.${name}.weight`, { dims: [width, width], data: weight.slice(part * width ** 2, (part + 1) * width ** 2) });
        transformers.set(`${to}.self_attn.${name}.bias`, { dims: [width], data: bias.slice(part * width, (part + 1) * width) });
      }
      for (const [one, two, out, within] of linears) {
        await same(`${from}.${one}.weight`, `${to}.${two}.weight`, out, within);
        await same(`${from}.${one}.bias`, `${to}.${two}.bias`, out);
      }
      await norm(`${from}.ln_1`, `${to}.layer_norm1`);
      await norm(`${from}.ln_2`, `${to}.layer_norm2`);
    }
  };
  await same("positional_embedding", "text_model.embeddings.position_embedding.weight", 77, width);
  await same("token_embedding.weight", "text_model.embeddings.token_embedding.weight", words, width);
  await tower("", "text_model");
  await norm("ln_final", "text_model.final_layer_norm");
  await transposed("text_projection", "text_projection.weight", width, dimensions);
  await same("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", width, 3, patch, patch);
  await same("visual.class_embedding", "vision_model.embeddings.class_embedding", width);
  await same("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", (resolution / patch) ** 2 + 1, width);
  await norm("visual.ln_pre", "vision_model.pre_layrnorm");
  await tower("visual.", "vision_model");
  await norm("visual.ln_post", "vision_model.post_layernorm");
  await transposed("visual.proj", "visual_projection.weight", width, dimensions);
  await same("logit_scale", "logit_scale");
  const source = (tensors: typeof openai, description: string) =>
    memoryWeights(
      [...tensors].map(([name, { dims, data }]) => ({ name, dims, dtype: "float32" as const, data })),
      { description },
    );
  return { openai: source(openai, "openai"), transformers: source(transformers, "transformers") };
}

describe("one network under two layouts", () => {
  let clips: readonly [Clip, Clip];
  beforeAll(async () => {
    const { openai, transformers } = await bothLayouts();
    clips = [await loadClip(openai, { threads: 1 }), await loadClip(transformers, { threads: 1 })];
  });
  afterAll(() => Promise.all(clips.map((clip) => clip.dispose())));

  test("sizes are those of the weights", () => {
    for (const clip of clips) expect(clip).toMatchObject({ dimensions, resolution, name: "clip-vit-64-16-32" });
  });

  test("pictures, any number of them", async () => {
    const pictures = [noise(40, 33), noise(60, 50, { seed: 2 }), noise(32, 99, { seed: 3 })];
    const [a, b] = await Promise.all(clips.map((clip) => clip.images(pictures, { preprocessing: "openai" })));
    expect(a!.dims).toEqual([3, dimensions]);
    expect(worst(a!.data, b!.data)).toBeLessThan(2e-5);
    const alone = await clips[0].images([pictures[1]!], { preprocessing: "openai" });
    expect(worst(alone.data, a!.data.subarray(dimensions, 2 * dimensions))).toBeLessThan(1e-5);
    const pixels = { dtype: "float32" as const, dims: [1, 3, resolution, resolution], data: clipPixels(pictures[1]!, resolution, "openai") };
    expect(worst((await clips[1].imageTensor(pixels)).data, alone.data)).toBeLessThan(2e-5);
  });

  test("texts; what stands behind the end changes nothing, whatever length is computed", async () => {
    const texts = ["a red bottle", "a photo of a cat on a mat, soft light ".repeat(3), "x ".repeat(90), ""];
    const [a, b] = await Promise.all(clips.map((clip) => clip.texts(texts, { truncation: "openai" })));
    expect(a!.dims).toEqual([4, dimensions]);
    expect(worst(a!.data, b!.data)).toBeLessThan(2e-5);
    for (const [index, text] of texts.entries()) {
      const alone = await clips[0].texts([text], { truncation: "openai" });
      expect(worst(alone.data, a!.data.subarray(index * dimensions, (index + 1) * dimensions)), text).toBeLessThan(1e-5);
    }
    const short = [49406, 320, 736, 49407];
    const padded = [...short, ...Array<number>(60).fill(49407)];
    expect(worst((await clips[1].tokens([short])).data, (await clips[1].tokens([padded])).data)).toBeLessThan(1e-5);
  });

  test("the longest length is reached: 77 tokens without an end end with the largest id", async () => {
    const row = Array.from({ length: 77 }, (_, index) => (index === 70 ? 49000 : 1000 + index));
    const [a, b] = await Promise.all(clips.map((clip) => clip.tokens([row])));
    expect(worst(a!.data, b!.data)).toBeLessThan(2e-5);
  });

  test("wrong arguments are refused", async () => {
    const [clip] = clips;
    const refused: readonly (() => Promise<unknown>)[] = [
      () => clip.images([], { preprocessing: "openai" }),
      () => clip.images([noise(9, 9)], { preprocessing: "hessel" as never }),
      () => clip.texts([], { truncation: "openai" }),
      () => clip.texts([7 as never], { truncation: "openai" }),
      () => clip.texts(["a"], { truncation: "none" as never }),
      () => clip.tokens([[1, 2], [3]]),
      () => clip.tokens([[49408]]),
      () => clip.tokens([Array<number>(78).fill(1)]),
      () => clip.imageTensor({ dtype: "float32", dims: [1, 3, 16, 16], data: new Float32Array(768) }),
    ];
    for (const attempt of refused) await expect(attempt()).rejects.toSatisfy((error) => ArgumentError.isInstance(error));
  });
});

test("a TorchScript archive of OpenAI's kind, half of it in float16, gives what OpenAI's code gives", async () => {
  // Made and answered by openai/CLIP's model.py with random weights, PyTorch 2.15 (traced, saved with torch.jit.save).
  const { ids, image, text }: { readonly ids: number[][]; readonly image: number[]; readonly text: number[] } = JSON.parse(
    await readFile(fixture("clip-tiny.json"), "utf8"),
  );
  const clip = await loadClip(fixture("clip-tiny.pt"), { threads: 1 });
  try {
    expect(clip).toMatchObject({ dimensions: 32, resolution: 32, weights: [fixture("clip-tiny.pt")] });
    const pixels = Float32Array.from({ length: 2 * 3 * 32 * 32 }, (_, i) => Math.sin(Math.fround(i * Math.fround(0.37))));
    const found = await clip.imageTensor({ dtype: "float32", dims: [2, 3, 32, 32], data: pixels });
    expect(worst(found.data, image)).toBeLessThan(2e-5);
    expect(worst((await clip.tokens(ids)).data, text)).toBeLessThan(2e-5);
    expect(await clip.contentKey()).toMatch(/^[0-9a-f]{64}$/);
  } finally {
    await clip.dispose();
  }
});

describe("tokens", () => {
  test("OpenAI's ids, without the repair of wrongly decoded text", async () => {
    const tokenize = await loadTokenize();
    const rows: readonly { readonly text: string; readonly ids: readonly number[] }[] = JSON.parse(
      await readFile(fixture("openai-ids.json"), "utf8"),
    );
    for (const { text, ids } of rows) {
      const [found] = tokenize([text], "openai");
      expect(found, text).toEqual([49406, ...ids, 49407, ...Array<number>(75 - ids.length).fill(0)]);
    }
  });

  test("long texts keep their end with OpenAI's truncation and lose it with torchmetrics'", async () => {
    const tokenize = await loadTokenize();
    const long = "product ".repeat(100);
    const [[openai], [torchmetrics]] = [tokenize([long], "openai"), tokenize([long], "torchmetrics")];
    expect(openai).toHaveLength(77);
    expect(openai!.at(-1)).toBe(49407);
    expect(torchmetrics!.slice(0, 76)).toEqual(openai!.slice(0, 76));
    expect(torchmetrics!.at(-1)).toBe(openai![75]);
    expect(tokenize(["a"], "torchmetrics")[0]!.slice(0, 5)).toEqual([49406, 320, 49407, 49407, 49407]);
  });
});

test.each([
  ["a vision tower alone", { "vision_model.embeddings.patch_embedding.weight": [64, 3, 16, 16] }, /got a CLIP vision tower without its text tower/],
  ["a ResNet", { "visual.layer1.0.conv1.weight": [64], text_projection: [64, 48] }, /got a CLIP of OpenAI with a ResNet/],
  ["another file", { "some.weight": [3] }, /expected the weights of CLIP with a ViT.*got none of their tensors/],
])("%s is refused", async (_, shapes, message) => {
  await expect(loadClip(formulaFile("x", shapes as Readonly<Record<string, readonly number[]>>))).rejects.toThrow(message);
});
