import { createHash } from "node:crypto";
import { addNoise, noiseSchedule, renameEarlyAttention } from "@refadgen/core-unet";
import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Tensor, torchGenerator, type WeightLookup, Weights } from "@refadgen/graph";
import { type Image, imageToTensor, symmetricNormalization, toRgb } from "@refadgen/image";
import { weightFile } from "../../weights/catalogue.js";
import { BatchRunner } from "../batches.js";
import type { DenseFeatures, LoadedNetwork, LoadOptions, RunOptions } from "../contract.js";
import { contentKeyOf, expectFit, openInput, sessionOptions } from "../load.js";
import { encoderGraph, featureGraph, reductionOf, type Sides } from "./network.js";
import { type DiftParts, openDiffusers } from "./parts.js";

export interface LoadDiftOptions extends LoadOptions {
  /** Default `a photo of an upper-garment`, that of the published MP-LPIPS; for products `a photo of a` and what they are. */
  readonly prompt?: string;
  /** How many noisy copies are averaged. Default 8. */
  readonly ensemble?: number;
  /** How noisy they are, in steps of training. Default 41. */
  readonly timestep?: number;
  /** After which block of the way up features are taken. Default 2: 1/8 of the picture's sides. */
  readonly upBlock?: number;
  /** Of the noise. Default 0. */
  readonly seed?: number;
  /** The noise itself, instead of a seed: two tensors of standard normals `[ensemble, C, h, w]` for each picture. */
  readonly draws?: (role: "product" | "generated", dims: readonly number[]) => DiftDraws;
}

export interface DiftDraws {
  /** For the autoencoder's sample. */
  readonly sample: Float32Array;
  /** What is added to the latents. */
  readonly noise: Float32Array;
}

/** The steps on the way to the features. */
export interface DiftSteps {
  /** Mean and deviation of the latents, not scaled, `[1, C, h, w]`. */
  readonly mean: Tensor<"float32">;
  readonly deviation: Tensor<"float32">;
  /** `[ensemble, C, h, w]`. */
  readonly noisyLatents: Tensor<"float32">;
  /** Mean over the ensemble, `[1, C', h', w']`. */
  readonly features: Tensor<"float32">;
}

/** Diffusion features. */
export interface Dift extends LoadedNetwork, DenseFeatures {
  readonly name: string;
  /** The same as `features`, with all that leads to them. */
  steps(image: Image, role: "product" | "generated", options?: RunOptions): Promise<DiftSteps>;
}

/**
 * Loads DIFT: what a block of a Stable Diffusion U-Net makes of a slightly noised picture. Default: the catalogue's Stable Diffusion 2.1.
 *
 * Noise is that of PyTorch's CPU generator in the order of the published code (sample and noise of the product, then of the generated
 * picture), whichever picture is asked for first, so a seed gives the same features every time. On a GPU the published code draws others.
 *
 * Source: Tsingularity/dift src/models/dift_sd.py; ShineChen1024/MagicClothing metric/MP_LPIPS.
 *
 * @param source a folder in diffusers' layout (`unet`, `vae`, `text_encoder`, `scheduler`), a hub id, or the parts
 * @throws MetricWeightsError `missing`, `wrong-file`; WeightsError for a file that cannot be read; ArgumentError
 */
export async function loadDift(
  source: string | DiftParts = weightFile("stable-diffusion-2-1").source!,
  options: LoadDiftOptions = {},
): Promise<Dift> {
  const { prompt = "a photo of an upper-garment", ensemble = 8, timestep = 41, upBlock = 2, seed = 0 } = options;
  const parts = typeof source === "string" ? await openDiffusers(source, prompt, options) : source;
  const { unetConfig, autoencoderConfig, scheduler, context } = parts;
  const blocks = unetConfig.up_block_types.length;
  const whole = (name: string, value: number, from: number, to: number) => {
    if (!Number.isInteger(value) || value < from || value > to)
      throw new ArgumentError(`loadDift: expected ${name} to be a whole number from ${from} to ${to}, got ${value}`);
  };
  whole("ensemble", ensemble, 1, 1024);
  whole("upBlock", upBlock, 0, blocks - 1);
  whole("timestep", timestep, 0, scheduler.num_train_timesteps - 1);
  whole("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  const [unetInput, autoencoderInput] = [
    await openInput("loadDift", parts.unet, rest(options)),
    await openInput("loadDift", parts.autoencoder, rest(options)),
  ];
  const unetWeights = Weights.from(unetInput.lookup);
  const autoencoderWeights = Weights.from(
    autoencoderInput.lookup,
    hasEarlyAttention(autoencoderInput.lookup) ? { rename: renameEarlyAttention } : {},
  );
  const reduction = reductionOf(autoencoderConfig);
  const features = (sides: Sides, block?: number) =>
    featureGraph(unetWeights, unetConfig, {
      sides,
      reduction,
      tokens: context.dims[1]!,
      timestep,
      ...(block === undefined ? {} : { upBlock: block }),
    });
  const smallest = { height: reduction * 8, width: reduction * 8 };
  const graphs = [encoderGraph(autoencoderWeights, autoencoderConfig, smallest), features(smallest)];
  expectFit(autoencoderWeights, autoencoderInput.lookup, {
    known: ["autoencoder"],
    description: "the autoencoder of a latent diffusion model",
    ignore: (key) => /^(decoder|post_quant_conv)\./.test(key),
  });
  expectFit(unetWeights, unetInput.lookup, { known: ["unet"], description: "the U-Net of a latent diffusion model" });
  const runner = new BatchRunner(sessionOptions({ optimization: "mapped", ...options }, unetInput.files[0]!));
  const schedule = noiseSchedule(scheduler);
  const weightKey = contentKeyOf(graphs);

  const once = async (
    key: string,
    graph: () => ReturnType<typeof encoderGraph>,
    feeds: Readonly<Record<string, Tensor<"float32">>>,
    signal?: AbortSignal,
  ) => {
    const inputs = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, { dims: dims.slice(1), dtype: "float32" } as const]));
    const row = () => Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, data]));
    return runner.run({ key, batch: 1, build: graph }, { count: 1, inputs, row }, { signal });
  };
  const steps: Dift["steps"] = async (image, role, { signal } = {}) => {
    const { width, height } = image;
    if (width % reduction !== 0 || height % reduction !== 0 || width < smallest.width || height < smallest.height)
      throw new ArgumentError(`features: expected sides that are multiples of ${reduction} from ${smallest.width} on, got ${width} × ${height}`);
    if (role !== "product" && role !== "generated")
      throw new ArgumentError(`features: expected role "product" or "generated", got "${String(role)}"`);
    const pixels: Tensor<"float32"> = { dtype: "float32", dims: [1, 3, height, width], data: imageToTensor(toRgb(image), symmetricNormalization) };
    const name = `${width} ${height}`;
    const encoded = await once(`encoder ${name}`, () => encoderGraph(autoencoderWeights, autoencoderConfig, { height, width }), { pixels }, signal);
    const [mean, deviation] = [encoded.mean!, encoded.deviation!];
    const dims = [ensemble, ...mean.dims.slice(1)];
    const { sample, noise } = options.draws ? checkedDraws(options.draws(role, dims), dims) : drawn(seed, role, dims);
    const clean = sample.map((value, index) => {
      const at = index % mean.data.length;
      return (mean.data[at]! + deviation.data[at]! * value) * autoencoderConfig.scaling_factor;
    });
    const tensor = (data: Float32Array): Tensor<"float32"> => ({ dtype: "float32", dims, data });
    const timesteps = Array<number>(ensemble).fill(timestep);
    const noisyLatents = addNoise({ schedule, clean: tensor(clean), noise: tensor(noise), timesteps });
    // One by one: the U-Net's activations are what takes memory, and a batch gains nothing.
    let sum: Float64Array | undefined;
    let found: readonly number[] = [];
    const each = mean.data.length;
    for (let index = 0; index < ensemble; index++) {
      const latents: Tensor<"float32"> = { dtype: "float32", dims: mean.dims, data: noisyLatents.data.subarray(index * each, (index + 1) * each) };
      const result = (await once(`features ${name}`, () => features({ height, width }, upBlock), { latents, context }, signal)).features!;
      sum ??= new Float64Array(result.data.length);
      for (let i = 0; i < sum.length; i++) sum[i]! += result.data[i]!;
      found = result.dims;
    }
    return { mean, deviation, noisyLatents, features: { dtype: "float32", dims: found, data: Float32Array.from(sum!, (value) => value / ensemble) } };
  };
  return {
    name: "dift",
    weights: [...unetInput.files, ...autoencoderInput.files],
    contentKey: async () => {
      const settings = { ensemble, timestep, upBlock, seed: options.draws ? "given" : seed, scheduler };
      const hash = createHash("sha256").update(`${await weightKey()}\n${JSON.stringify(settings)}\n`);
      return hash.update(new Uint8Array(context.data.buffer, context.data.byteOffset, context.data.byteLength)).digest("hex");
    },
    dispose: () => runner.dispose(),
    steps,
    features: async (image, role, runOptions) => (await steps(image, role, runOptions)).features,
  };
}

function rest({ sha256: _, ...options }: LoadDiftOptions): LoadOptions {
  return options;
}

function hasEarlyAttention(lookup: WeightLookup): boolean {
  return [...lookup.keys()].includes("encoder.mid_block.attentions.0.query.weight");
}

/** Draws of the product come first, whether they are used or not. */
function drawn(seed: number, role: "product" | "generated", dims: readonly number[]): DiftDraws {
  const generator = torchGenerator(seed);
  const next = () => generator.randn(dims).data;
  if (role === "generated") {
    next();
    next();
  }
  return { sample: next(), noise: next() };
}

function checkedDraws(draws: DiftDraws, dims: readonly number[]): DiftDraws {
  for (const [name, data] of Object.entries(draws)) {
    if (data.length !== elementCount(dims))
      throw new ArgumentError(`loadDift: expected draws of ${elementCount(dims)} values, got ${data.length} for ${name}`);
  }
  return draws;
}
