import { fuseReference, projectReference, type ReferenceKeyValue, recordReference } from "@refadgen/afm";
import { type ClipTextConfig, type ClipVisionConfig, clipTextEncoder, clipVisionEncoder, type ResamplerConfig, resampler } from "@refadgen/clip";
import {
  type AutoencoderConfig,
  type ContextLayer,
  decodeLatents,
  encodeLatents,
  projectContext,
  selfAttention,
  type UNetConfig,
  unet,
} from "@refadgen/core-unet";
import { Graph, type Weights } from "@refadgen/graph";

export interface LatentSize {
  readonly batch: number;
  /** In latent pixels: an eighth of the image's. */
  readonly height: number;
  readonly width: number;
}

/** `ids` int64 `[1, 77]` → `states` `[1, 77, C]`. */
export function textGraph(weights: Weights, config: ClipTextConfig): Graph {
  const graph = new Graph("text-encoder");
  const ids = graph.input("ids", "int64", [1, config.max_position_embeddings]);
  graph.output("states", clipTextEncoder(ids, weights, config).lastHiddenState);
  return graph;
}

/** Images as CLIP sees them, `pixels` `[2, 3, S, S]` → reference tokens `tokens` `[2, 16, D]`. */
export function productTokensGraph(weights: Weights, config: ClipVisionConfig, resamplerWeights: Weights, resamplerConfig: ResamplerConfig): Graph {
  const graph = new Graph("image-encoder");
  const pixels = graph.input("pixels", "float32", [2, 3, config.image_size, config.image_size]);
  const penultimate = clipVisionEncoder(pixels, weights, config).hiddenStates.at(-2)!;
  graph.output("tokens", resampler(penultimate, resamplerWeights, resamplerConfig));
  return graph;
}

/** `image` `[1, 3, H, W]` in [-1, 1] → `mean` and `logvar` `[1, 4, H / 8, W / 8]`. */
export function encodeGraph(
  weights: Weights,
  config: AutoencoderConfig,
  { height, width }: { readonly height: number; readonly width: number },
): Graph {
  const graph = new Graph("vae-encoder");
  const { mean, logvar } = encodeLatents(graph.input("image", "float32", [1, config.in_channels, height, width]), weights, config);
  graph.output("mean", mean);
  graph.output("logvar", logvar);
  return graph;
}

/** `latents` `[1, 4, h, w]`, already divided by the scaling factor → `image` `[1, 3, 8 h, 8 w]`. */
export function decodeGraph(
  weights: Weights,
  config: AutoencoderConfig,
  { height, width }: { readonly height: number; readonly width: number },
): Graph {
  const graph = new Graph("vae-decoder");
  graph.output("image", decodeLatents(graph.input("latents", "float32", [1, config.latent_channels, height, width]), weights, config));
  return graph;
}

/**
 * The reference U-Net at timestep 0 and the projections of what its self-attention layers see.
 * `sample` `[B, 4, h, w]`, `context` `[B, S, D]` → `key.{layer}` and `value.{layer}` `[B, T, C]`.
 */
export function referenceGraph(weights: Weights, fusion: Weights, config: UNetConfig, size: LatentSize & { readonly tokens: number }): Graph {
  const graph = new Graph("reference-unet");
  const sample = graph.input("sample", "float32", [size.batch, config.in_channels, size.height, size.width]);
  const context = graph.input("context", "float32", [size.batch, size.tokens, config.cross_attention_dim]);
  const timestep = graph.constant("float32", [size.batch], new Float32Array(size.batch));
  const recorder = recordReference(selfAttention);
  unet({ sample, timestep, context }, weights, config, { selfAttention: recorder.selfAttention });
  for (const [name, { key, value }] of projectReference(recorder.features, fusion)) {
    graph.output(`key.${name}`, key);
    graph.output(`value.${name}`, value);
  }
  return graph;
}

/**
 * What the generation U-Net's cross-attention layers make of the text: `context` `[B, T, D]` → `key.{layer}` and `value.{layer}` `[B, T, C]`.
 */
export function contextGraph(weights: Weights, config: UNetConfig, { batch, tokens }: { readonly batch: number; readonly tokens: number }): Graph {
  const graph = new Graph("text-projections");
  const context = graph.input("context", "float32", [batch, tokens, config.cross_attention_dim]);
  for (const [name, { key, value }] of projectContext(context, weights, config)) {
    graph.output(`key.${name}`, key);
    graph.output(`value.${name}`, value);
  }
  return graph;
}

export interface GenerationSize extends LatentSize {
  /** Of the text. */
  readonly tokens: number;
  /** How many reference tokens a layer of that many tokens is given; default: as many. */
  readonly referenceTokens?: (tokens: number) => number;
}

/**
 * The generation U-Net with attention fusion. `sample` `[B, 5, h, w]` (latents and mask), `timestep` `[B]`, `scale` `[1]`, and
 * `key.{layer}`, `value.{layer}` of the reference graph (`…attn1`) and of the context graph (`…attn2`) → `prediction` `[B, 4, h, w]`.
 *
 * @param part `"whole"` (default); `"recording"` gives `deep` `[B, C, h, w]` besides; `"shallow"` takes that of an earlier step as an input and
 * computes the outermost layers only
 */
export function generationGraph(
  weights: Weights,
  config: UNetConfig,
  size: GenerationSize,
  { part = "whole" }: { readonly part?: "whole" | "recording" | "shallow" } = {},
): Graph {
  const graph = new Graph(part === "shallow" ? "generation-unet-shallow" : "generation-unet");
  const sample = graph.input("sample", "float32", [size.batch, config.in_channels, size.height, size.width]);
  const timestep = graph.input("timestep", "float32", [size.batch]);
  const scale = graph.input("scale", "float32", [1]);
  const deepChannels = config.block_out_channels[0]!;
  const deep = part === "shallow" ? graph.input("deep", "float32", [size.batch, deepChannels, size.height, size.width]) : undefined;
  const keyValue = (name: string, dims: readonly number[]): ReferenceKeyValue => ({
    key: graph.input(`key.${name}`, "float32", dims),
    value: graph.input(`value.${name}`, "float32", dims),
  });
  const context = ({ name, channels }: ContextLayer) => keyValue(name, [size.batch, size.tokens, channels]);
  // Reference and generation see latents of one size, so a layer's reference is as large as its own hidden states.
  const prediction = unet({ sample, timestep, context }, weights, config, {
    ...(deep && { deepFeatures: deep }),
    ...(part === "recording" && { onDeepFeatures: (features) => graph.output("deep", features) }),
    selfAttention: (layer) => {
      const [batch, tokens, channels] = layer.hiddenStates.dims as [number, number, number];
      const reference = keyValue(layer.name, [batch, size.referenceTokens?.(tokens) ?? tokens, channels]);
      return fuseReference(() => reference, scale)(layer);
    },
  });
  graph.output("prediction", prediction);
  return graph;
}
