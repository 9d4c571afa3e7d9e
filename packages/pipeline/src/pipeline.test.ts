import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Image } from "@refadgen/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ArgumentError, ImageError, PipelineError, RefAdGenPipeline, WeightsError } from "./index.js";
import type { GenerateOptions } from "./options.js";

const micro = fileURLToPath(new URL("../../../assets/micro", import.meta.url));
const sources = { base: join(micro, "base"), checkpoint: join(micro, "refadgen", "mp_rank_00_model_states.pt") };
const call = { prompt: "a bottle on ice", steps: 2, width: 64, height: 72 } as const;

let pipeline: RefAdGenPipeline;
beforeAll(async () => {
  pipeline = await RefAdGenPipeline.fromPretrained(sources, { memory: "keep" });
});
afterAll(() => pipeline.dispose());

/** A red block on white, not square, with its mask. */
function block(): { readonly product: Image; readonly mask: Image } {
  const [width, height] = [60, 90];
  const inside = Array.from(
    { length: width * height },
    (_, pixel) => pixel % width > 15 && pixel % width < 45 && pixel > width * 20 && pixel < width * 80,
  );
  return {
    product: { width, height, channels: 3, data: Uint8Array.from(inside.flatMap((yes) => (yes ? [200, 30, 60] : [255, 255, 255]))) },
    mask: { width, height, channels: 1, data: Uint8Array.from(inside, (yes) => (yes ? 255 : 0)) },
  };
}

describe("seeds", () => {
  it("gives the same image for the same seed and another one for another", async () => {
    const [a, b, c] = [
      await pipeline.generate({ ...block(), ...call, seed: 5 }),
      await pipeline.generate({ ...block(), ...call, seed: 5n }),
      await pipeline.generate({ ...block(), ...call, seed: 6 }),
    ];
    expect(a.images[0]!.data).toEqual(b.images[0]!.data);
    expect(a.images[0]!.data).not.toEqual(c.images[0]!.data);
    expect([a.images[0]!.width, a.images[0]!.height]).toEqual([64, 72]);
  });

  it("makes each image of a list of seeds as if made alone, stochastic samplers too", async () => {
    for (const sampler of ["ddim", "euler-ancestral"]) {
      const options = { ...block(), ...call, sampler };
      const both = await pipeline.generate({ ...options, seed: [3, 9], imagesPerPrompt: 2 });
      const alone = [await pipeline.generate({ ...options, seed: 3 }), await pipeline.generate({ ...options, seed: 9 })];
      expect(both.images.map(({ data }) => data)).toEqual(alone.map(({ images }) => images[0]!.data));
    }
  });
});

describe("productEncoding", () => {
  it('with "mean" runs the reference once for all prompts and seeds', async () => {
    const options: GenerateOptions = { ...block(), ...call, productEncoding: "mean" };
    const first: string[] = [];
    await pipeline.generate({ ...options, onTensor: (name) => first.push(name) });
    const second: string[] = [];
    const reused = await pipeline.generate({ ...options, seed: 7, prompt: "another scene", onTensor: (name) => second.push(name) });
    expect(first).toContain("reference_latents");
    expect(second).not.toContain("reference_latents");
    const fresh = await RefAdGenPipeline.fromPretrained(sources);
    expect((await fresh.generate({ ...options, seed: 7, prompt: "another scene" })).images[0]!.data).toEqual(reused.images[0]!.data);
  });
});

describe("savings", () => {
  const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a, (value, index) => Math.abs(value - b[index]!));
  const most = (values: readonly number[]) => Math.max(...values);
  /** The last latents of a call, and how many predictions of which batch it made. */
  async function made(options: Partial<GenerateOptions>, by: RefAdGenPipeline = pipeline) {
    const batches: number[] = [];
    let latents: Float32Array = new Float32Array();
    await by.generate({
      ...block(),
      ...call,
      steps: 4,
      ...options,
      onTensor: (name, tensor) => {
        if (name === "prediction") batches.push(tensor.dims[0]!);
        if (name === "latents") latents = tensor.data as Float32Array;
      },
    });
    return { latents, batches };
  }

  it("guidance at all timesteps is guidance, whichever way its halves are run; between two timesteps other steps run one half", async () => {
    const [whole, apart, part] = [await made({}), await made({ guidanceInterval: [0, 1000] }), await made({ guidanceInterval: [200, 600] })];
    expect(apart.batches).toEqual([2, 2, 2, 2]);
    expect(most(difference(whole.latents, apart.latents))).toBeLessThan(1e-3);
    expect(part.batches).toEqual([1, 2, 2, 1]);
    expect(most(difference(whole.latents, part.latents))).toBeGreaterThan(1e-2);
    const none = await made({ guidanceInterval: [999, 1000], guidanceScale: 7.5 });
    expect(most(difference(none.latents, (await made({ guidanceScale: 1 })).latents))).toBeLessThan(1e-3);
  });

  it("step caching reuses deep features: the first step is the exact one, the next is near it", async () => {
    const first = async (options: Partial<GenerateOptions>) => {
      const predictions: Float32Array[] = [];
      await pipeline.generate({
        ...block(),
        ...call,
        steps: 20,
        ...options,
        onTensor: (name, { data }) => name === "prediction" && predictions.push(data as Float32Array),
      });
      return predictions;
    };
    const [exact, cached] = [await first({}), await first({ cacheInterval: 2 })];
    expect(most(difference(exact[0]!, cached[0]!))).toBeLessThan(1e-3);
    const spread = Math.sqrt(exact[1]!.reduce((sum, value) => sum + value * value, 0) / exact[1]!.length);
    const rms = Math.sqrt(difference(exact[1]!, cached[1]!).reduce((sum, value) => sum + value * value, 0) / exact[1]!.length);
    expect(rms).toBeGreaterThan(1e-4 * spread);
    expect(rms).toBeLessThan(spread);
  });

  it("reference tokens of the product alone: all of them where the product fills the picture", async () => {
    const { product } = block();
    const full: Image = { width: 60, height: 90, channels: 1, data: new Uint8Array(5400).fill(255) };
    const [all, same] = [await made({ product, mask: full }), await made({ product, mask: full, referenceTokens: "product" })];
    expect(most(difference(all.latents, same.latents))).toBeLessThan(1e-3);
    const [exact, part] = [await made({}), await made({ referenceTokens: "product" })];
    expect(most(difference(exact.latents, part.latents))).toBeGreaterThan(1e-4);
  });

  it("int8 differs a little, and takes calibrated ranges", async () => {
    const ranges = await pipeline.calibrate({ ...block(), ...call, steps: 4 });
    expect(Object.keys(ranges).length).toBeGreaterThan(50);
    for (const [least, most] of Object.values(ranges)) expect(least).toBeLessThanOrEqual(most);
    const before = await made({ guidanceScale: 1, steps: 1 });
    for (const options of [{}, { ranges }]) {
      const int8 = await RefAdGenPipeline.fromPretrained(sources, { precision: "int8", ...options });
      const { latents } = await made({ guidanceScale: 1, steps: 1 }, int8);
      const differences = difference(before.latents, latents);
      expect(most(differences)).toBeGreaterThan(1e-4);
      expect(differences.every(Number.isFinite)).toBe(true);
    }
  });

  it.each([
    [{ guidanceInterval: [500, 200] }, /guidanceInterval/],
    [{ guidanceInterval: [0, 2000] }, /guidanceInterval/],
    [{ cacheInterval: 0 }, /cacheInterval/],
    [{ referenceTokens: "some" as "all" }, /referenceTokens/],
  ] as const)("%j is refused", async (options, message) => {
    const failed = await pipeline.generate({ ...block(), ...call, ...options }).catch((error: Error) => error);
    expect(ArgumentError.isInstance(failed) && failed.message).toMatch(message);
  });
});

describe("stream", () => {
  it("tells stages, steps with previews, and images in order", async () => {
    const seen: string[] = [];
    for await (const event of pipeline.stream({ ...block(), ...call })) {
      if (event.type === "step") {
        const preview = event.preview();
        expect([preview.width, preview.height, preview.data.length]).toEqual([8, 9, 216]);
      }
      seen.push(event.type === "stage" ? `${event.stage} ${event.status}` : event.type);
    }
    const stages = ["text", "product", "reference", "denoise", "decode"].flatMap((stage) => [`${stage} start`, `${stage} end`]);
    expect(seen).toEqual([...stages.slice(0, 7), "step", "step", "denoise end", "decode start", "image", "decode end"]);
  });

  it("stops at once when aborted and can be used again", async () => {
    const abort = new AbortController();
    const run = pipeline.generate({
      ...block(),
      ...call,
      steps: 50,
      signal: abort.signal,
      onStep: ({ step }) => void (step === 2 && abort.abort(new Error("enough"))),
    });
    await expect(run).rejects.toThrow("enough");
    await expect(pipeline.generate({ ...block(), ...call })).resolves.toMatchObject({ images: [{ width: 64 }] });
  });

  it("goes on after a caller leaves the loop early", async () => {
    for await (const event of pipeline.stream({ ...block(), ...call, steps: 20 })) if (event.type === "step") break;
    await expect(pipeline.generate({ ...block(), ...call })).resolves.toMatchObject({ images: [{ width: 64 }] });
  });
});

describe("without width and height", () => {
  it("follows the published chain and gives the product picture's size", async () => {
    const { images } = await pipeline.generate({ ...block(), prompt: "a bottle", steps: 1, guidanceScale: 1 });
    expect([images[0]!.width, images[0]!.height]).toEqual([60, 90]);
  });
});

describe("bad input is refused before anything is loaded", () => {
  const wrong: readonly [string, Partial<GenerateOptions>, RegExp][] = [
    ["an empty prompt", { prompt: "  " }, /prompt/],
    ["no prompt at all", { prompt: undefined as unknown as string }, /prompt/],
    ["a width that is no multiple of 8", { width: 100, height: 64 }, /width to be a multiple of 8.*100/],
    ["a width without height", { height: undefined as unknown as number }, /together/],
    ["half a step", { steps: 2.5 }, /steps/],
    ["NaN guidance", { guidanceScale: Number.NaN }, /guidanceScale/],
    ["an unknown sampler", { sampler: "magic" }, /magic/],
    ["fewer seeds than images", { seed: [1], imagesPerPrompt: 2 }, /2 seeds/],
    ["a broken seed", { seed: 0.5 }, /seed/],
    ["an unknown encoding", { productEncoding: "median" as "mean" }, /productEncoding/],
  ];
  it.each(wrong)("%s", async (_, options, message) => {
    const error: unknown = await pipeline.generate({ ...block(), ...call, ...options }).catch((caught: unknown) => caught);
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  it("a product that cannot be told from its background", async () => {
    const noise: Image = { width: 40, height: 50, channels: 3, data: Uint8Array.from({ length: 6000 }, (_, index) => (index * 7919) % 256) };
    await expect(pipeline.generate({ ...call, product: noise })).rejects.toMatchObject({ code: "mask-needed", name: "PipelineError" });
    await expect(pipeline.generate({ ...call, product: noise, mask: null })).resolves.toMatchObject({ images: [{ width: 64 }] });
  });

  it("a mask of another shape, and an empty one", async () => {
    const { product, mask } = block();
    const flat: Image = { width: 90, height: 60, channels: 1, data: mask.data };
    await expect(pipeline.generate({ ...call, product, mask: flat })).rejects.toMatchObject({ code: "mask-mismatch" });
    const empty: Image = { ...mask, data: new Uint8Array(mask.data.length) };
    await expect(pipeline.generate({ ...call, product, mask: empty })).rejects.toMatchObject({ code: "mask-mismatch" });
  });

  it("a picture that is not there", async () => {
    const error: unknown = await pipeline.generate({ ...call, product: "no-such-file.png" }).catch((caught: unknown) => caught);
    expect(ImageError.isInstance(error) && error.code).toBe("missing-file");
  });
});

describe("masks that nobody gave", () => {
  it("come from transparency or from a plain background, and agree with the given one", async () => {
    const { product, mask } = block();
    const transparent: Image = {
      ...product,
      channels: 4,
      data: Uint8Array.from({ length: mask.data.length * 4 }, (_, index) =>
        index % 4 === 3 ? mask.data[index >> 2]! : product.data[(index >> 2) * 3 + (index % 4)]!,
      ),
    };
    const given = await pipeline.generate({ ...call, product, mask });
    for (const one of [product, transparent])
      expect((await pipeline.generate({ ...call, product: one })).images[0]!.data).toEqual(given.images[0]!.data);
  });
});

describe("decodeTile", () => {
  it("decodes in tiles what is larger than one, and comes close to decoding at once", async () => {
    const options = { ...block(), ...call, width: 192, height: 256 };
    const [whole, tiled] = [await pipeline.generate(options), await pipeline.generate({ ...options, decodeTile: 128 })];
    const [a, b] = [whole.images[0]!.data, tiled.images[0]!.data];
    const difference = Math.sqrt(a.reduce((sum, level, index) => sum + (level - b[index]!) ** 2, 0) / a.length);
    // Group statistics of a tile are not those of the image: near, but not the same.
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(40);
  });
});

describe("parts from single files", () => {
  it("reads an autoencoder by latent-diffusion's names, and the image is the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "refadgen-single-"));
    try {
      await copyFile(join(sources.base, "vae", "config.json"), join(folder, "config.json"));
      await writeFile(
        join(folder, "vae.safetensors"),
        renamedSafetensors(await readFile(join(sources.base, "vae", "diffusion_pytorch_model.safetensors"))),
      );
      const single = await RefAdGenPipeline.fromPretrained({ ...sources, vae: join(folder, "vae.safetensors") });
      const [a, b] = [await single.generate({ ...block(), ...call }), await pipeline.generate({ ...block(), ...call })];
      expect(a.images[0]!.data).toEqual(b.images[0]!.data);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("says what a single-file base does not hold", async () => {
    const base = join(sources.base, "vae", "diffusion_pytorch_model.safetensors");
    const error: unknown = await RefAdGenPipeline.fromPretrained({ ...sources, base }).catch((caught: unknown) => caught);
    expect(PipelineError.isInstance(error) && error.message).toMatch(/imageEncoder: a single-file base holds none[\s\S]*tokenizer: a single-file/);
  });
});

/** The micro autoencoder's file with the names of latent-diffusion; values stay where they are. */
function renamedSafetensors(file: Buffer): Buffer {
  const length = Number(file.readBigUInt64LE(0));
  const header = Object.entries(JSON.parse(file.toString("utf8", 8, 8 + length)) as Readonly<Record<string, unknown>>);
  const rename = (key: string) =>
    key
      .replace(/^encoder\.down_blocks\.(\d)\.resnets/, "encoder.down.$1.block")
      .replace(/^encoder\.down_blocks\.(\d)\.downsamplers\.0/, "encoder.down.$1.downsample")
      .replace(/^decoder\.up_blocks\.(\d)\.resnets/, (_, block: string) => `decoder.up.${3 - Number(block)}.block`)
      .replace(/^decoder\.up_blocks\.(\d)\.upsamplers\.0/, (_, block: string) => `decoder.up.${3 - Number(block)}.upsample`)
      .replace(/mid_block\.resnets\.(\d)/, (_, layer: string) => `mid.block_${Number(layer) + 1}`)
      .replace(/mid_block\.attentions\.0\.group_norm/, "mid.attn_1.norm")
      .replace(/mid_block\.attentions\.0\.to_out\.0/, "mid.attn_1.proj_out")
      .replace(/mid_block\.attentions\.0\.to_(q|k|v)/, "mid.attn_1.$1")
      .replace("conv_norm_out", "norm_out")
      .replace("conv_shortcut", "nin_shortcut");
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header.map(([key, value]) => [rename(key), value]))));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, file.subarray(8 + length)]);
}

describe("fromPretrained", () => {
  it("lists every part that is missing", async () => {
    const error: unknown = await RefAdGenPipeline.fromPretrained({ ...sources, vae: "./nowhere/vae", checkpoint: "nowhere.pt" }).catch(
      (caught: unknown) => caught,
    );
    expect(PipelineError.isInstance(error) && error.code).toBe("missing-component");
    expect((error as Error).message).toMatch(/vae[\s\S]*checkpoint/);
  });

  it("says of a path that leads nowhere that it may be one", async () => {
    const error: unknown = await RefAdGenPipeline.fromPretrained({ ...sources, vae: "nowhere/vae" }, { hub: { offline: true } }).catch(
      (caught: unknown) => caught,
    );
    expect((error as Error).message).toMatch(/"nowhere\/vae" is no file or folder here, and on the hub: .*not in the cache/);
  });

  it("refuses a checkpoint of another kind", async () => {
    const error: unknown = await RefAdGenPipeline.fromPretrained({ ...sources, checkpoint: join(micro, "ip-adapter-plus.bin") }).catch(
      (caught: unknown) => caught,
    );
    expect(WeightsError.isInstance(error) && error.code).toBe("mismatch");
  });

  it("refuses weights of another network, naming the keys", async () => {
    const folder = await mkdtemp(join(tmpdir(), "refadgen-pipeline-"));
    try {
      await cp(sources.base, folder, { recursive: true });
      await copyFile(join(sources.base, "unet", "diffusion_pytorch_model.safetensors"), join(folder, "vae", "diffusion_pytorch_model.safetensors"));
      const error: unknown = await RefAdGenPipeline.fromPretrained({ ...sources, base: folder }).catch((caught: unknown) => caught);
      expect(WeightsError.isInstance(error) && error.code).toBe("mismatch");
      expect((error as Error).message).toMatch(/missing {5}decoder\.[\s\S]*unexpected {2}up_blocks/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
