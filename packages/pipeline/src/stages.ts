import { clipImageTensor } from "@refadgen/clip";
import { decodeTiled } from "@refadgen/core-unet";
import type { Feeds, HeldTensor, Session, Tensor } from "@refadgen/graph";
import type { Image, Size } from "@refadgen/image";
import type { Components } from "./components.js";
import type { Models } from "./models.js";
import { contextGraph, decodeGraph, encodeGraph, productTokensGraph, referenceGraph, textGraph } from "./networks.js";
import { joined } from "./noise.js";
import type { GenerateOptions } from "./options.js";
import { autoencoderInput } from "./product.js";
import type { Request } from "./request.js";

type Floats = Tensor<"float32">;

/** What every stage works with. */
export interface Workplace {
  readonly models: Models;
  readonly components: Components;
  readonly show: NonNullable<GenerateOptions["onTensor"]>;
  readonly signal: AbortSignal | undefined;
}

export interface TextStates {
  /** `[1, T, D]` each. */
  readonly prompt: Floats;
  readonly negative: Floats;
  /** States of the empty text. */
  readonly nothing: Floats;
  /** What was cut off, for the user. */
  readonly warnings: readonly string[];
}

/** Texts to the states that the U-Nets attend to. */
export async function encodeTexts({ models, components, show, signal }: Workplace, { prompt, negativePrompt }: Request): Promise<TextStates> {
  const { tokenizer, text } = models;
  const maxLength = text.config.max_position_embeddings;
  const tokenized = [prompt, negativePrompt, ""].map((one) => tokenizer.tokenize(one, { maxLength }));
  const warnings = tokenized
    .filter(({ removed }) => removed !== "")
    .map(({ removed, length }) => `the text has ${length} tokens, ${maxLength} fit; ignored: "${removed}"`);
  const names = ["ids", "negative_ids", "null_ids"];
  const states = await components.use(
    "text-encoder",
    "",
    () => textGraph(text.weights, text.config),
    async (session) => {
      const all: Floats[] = [];
      for (const [index, { ids }] of tokenized.entries()) {
        const tensor: Tensor<"int64"> = { dtype: "int64", dims: [1, maxLength], data: BigInt64Array.from(ids, BigInt) };
        show(names[index]!, tensor);
        all.push((await session.run({ ids: tensor }, signal ? { signal } : {})).states as Floats);
      }
      return all;
    },
    signal,
  );
  const [promptStates, negative, nothing] = states as [Floats, Floats, Floats];
  show("text", promptStates);
  show("negative", negative);
  return { prompt: promptStates, negative, nothing, warnings };
}

/** Keys and values of the generation U-Net's cross-attention layers for these states: `key.{layer}`, `value.{layer}`. */
export async function projectTexts(
  { models, components, signal }: Workplace,
  states: readonly Floats[],
): Promise<Readonly<Record<string, Floats>>[]> {
  const [batch, tokens] = states[0]!.dims as [number, number, number];
  return components.use(
    "text-projections",
    `${batch} × ${tokens}`,
    () => contextGraph(models.unet.generation, models.unet.config, { batch, tokens }),
    async (session) => {
      const all: Readonly<Record<string, Floats>>[] = [];
      for (const context of states) all.push((await session.run({ context }, signal ? { signal } : {})) as Readonly<Record<string, Floats>>);
      return all;
    },
    signal,
  );
}

/** The product as tokens of the image encoder, `[1, 16, D]`, and those of a picture of zeros for the half without guidance. */
export async function productTokens(
  { models, components, show, signal }: Workplace,
  image: Image,
): Promise<{ readonly cond: Floats; readonly uncond: Floats }> {
  const { config, weights, resampler, resamplerWeights } = models.vision!;
  const seen = clipImageTensor(image, models.preprocessor);
  const dims = [1, 3, config.image_size, config.image_size];
  show("clip_image", { dtype: "float32", dims, data: seen });
  const pixels = joined([
    { dtype: "float32", dims, data: new Float32Array(seen.length) },
    { dtype: "float32", dims, data: seen },
  ]);
  const outputs = await components.use(
    "image-encoder",
    "",
    () => productTokensGraph(weights, config, resamplerWeights, resampler),
    (session) => session.run({ pixels }, signal ? { signal } : {}),
    signal,
  );
  const { dims: tokenDims, data } = outputs.tokens as Floats;
  const half = (index: number): Floats => ({
    dtype: "float32",
    dims: [1, ...tokenDims.slice(1)],
    data: data.slice((index * data.length) / 2, ((index + 1) * data.length) / 2),
  });
  return { uncond: half(0), cond: half(1) };
}

/** The product's latents, scaled: one for each draw of the posterior's noise, or its mean alone. */
export async function encodeProduct(
  { models, components, show, signal }: Workplace,
  image: Image,
  size: Size,
  noise: readonly Floats[],
): Promise<readonly Floats[]> {
  const { config, weights } = models.vae;
  const product: Floats = { dtype: "float32", dims: [1, 3, size.height, size.width], data: autoencoderInput(image, size) };
  show("product", product);
  const outputs = await components.use(
    "vae-encoder",
    `${size.height} × ${size.width}`,
    () => encodeGraph(weights, config, size),
    (session) => session.run({ image: product }, signal ? { signal } : {}),
    signal,
  );
  const [mean, logvar] = [outputs.mean as Floats, outputs.logvar as Floats];
  const factor = Math.fround(config.scaling_factor);
  const std = logvar.data.map((value) => Math.exp(Math.fround(0.5 * value)));
  const draw = (sample: Floats | undefined): Floats => ({
    ...mean,
    data: mean.data.map((value, index) => (sample ? Math.fround(value + Math.fround(std[index]! * sample.data[index]!)) : value) * factor),
  });
  const latents = noise.length > 0 ? noise.map(draw) : [draw(undefined)];
  show("reference_latents", joined(latents));
  return latents;
}

/** The reference U-Net's keys and values for every product latent. */
export async function referenceFeatures(
  { models, components, signal }: Workplace,
  latents: readonly Floats[],
  contexts: Floats,
): Promise<readonly Readonly<Record<string, Floats>>[]> {
  const { reference, fusion, config } = models.unet;
  const [, , height, width] = latents[0]!.dims as [number, number, number, number];
  const [batch, tokens] = contexts.dims as [number, number, number];
  return components.use(
    "reference-unet",
    `${batch} × ${tokens} × ${height} × ${width}`,
    () => referenceGraph(reference, fusion, config, { batch, tokens, height, width }),
    async (session) => {
      const all: Readonly<Record<string, Floats>>[] = [];
      for (const one of latents) {
        const sample = batch === 1 ? one : joined([one, one]);
        all.push((await session.run({ sample, context: contexts }, signal ? { signal } : {})) as Readonly<Record<string, Floats>>);
      }
      return all;
    },
    signal,
  );
}

/** Moves keys and values into the session that reads them at every step; with `copy`, ours stay usable. */
export async function holdAll(
  session: Session,
  tensors: Readonly<Record<string, Floats>>,
  { copy }: { readonly copy: boolean },
): Promise<Readonly<Record<string, HeldTensor>> & Feeds> {
  const held: Record<string, HeldTensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) held[name] = await session.hold(copy ? { ...tensor, data: tensor.data.slice() } : tensor);
  return held;
}

/** Latents to pixels `[1, 3, H, W]` in [0, 1]; at once, or in tiles of `decodeTile` pixels where the image is larger. */
export async function decode({ models, components, signal }: Workplace, latents: Floats, decodeTile: number | undefined): Promise<Floats> {
  const { config, weights } = models.vae;
  const [, , height, width] = latents.dims as [number, number, number, number];
  const factor = Math.fround(config.scaling_factor);
  const unscaled: Floats = { ...latents, data: latents.data.map((value) => value / factor) };
  const side = (length: number) => Math.min(length, decodeTile === undefined ? length : decodeTile / 8);
  const tile = { height: side(height), width: side(width) };
  const image = await components.use(
    "vae-decoder",
    `${tile.height} × ${tile.width}`,
    () => decodeGraph(weights, config, tile),
    async (session) => {
      const decodeOne = async (part: Tensor) => (await session.run({ latents: part }, signal ? { signal } : {})).image!;
      const whole = tile.height === height && tile.width === width;
      return (
        whole ? await decodeOne(unscaled) : await decodeTiled({ latents: unscaled, decode: decodeOne, tile, ...(signal && { signal }) })
      ) as Floats;
    },
    signal,
  );
  return { ...image, data: image.data.map((value) => Math.min(1, Math.max(0, Math.fround(value / 2) + 0.5))) };
}
