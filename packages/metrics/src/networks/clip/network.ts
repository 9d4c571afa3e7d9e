import { type ClipEncoderConfig, clipTextEncoder, clipVisionEncoder } from "@refadgen/clip";
import {
  activation,
  add,
  argMax,
  cast,
  concat,
  conv2d,
  embedding,
  expand,
  matMul,
  pickRows,
  reshape,
  rows,
  slice,
  transpose,
  type Value,
  type Weights,
} from "@refadgen/graph";
import { type BlockKeys, norm, transformerBlock } from "../vit/block.js";
import type { ClipConfig, ClipTowerConfig } from "./config.js";

/** `quick_gelu` for all that OpenAI trained. */
export type ClipActivation = "quick_gelu" | "gelu";

const epsilon = 1e-5;
const keys: BlockKeys = {
  norm1: "ln_1",
  qkv: { weight: "attn.in_proj_weight", bias: "attn.in_proj_bias" },
  out: "attn.out_proj",
  norm2: "ln_2",
  fc1: "mlp.c_fc",
  fc2: "mlp.c_proj",
};

/**
 * The vision tower, whichever names the weights have.
 *
 * Source: openai/CLIP clip/model.py (VisionTransformer).
 *
 * @param pixels `[B, 3, resolution, resolution]`, normalised
 * @returns embeddings, not normalised, `[B, dimensions]`
 */
export function clipImageEmbeddings(pixels: Value, weights: Weights, config: ClipConfig, act: ClipActivation): Value {
  const { width, patch, resolution } = config.vision;
  if (config.layout === "transformers") {
    const sizes = { num_channels: 3, image_size: resolution, patch_size: patch };
    return clipVisionEncoder(pixels, weights, { ...encoderConfig(config.vision, config, act), ...sizes }).imageEmbeds!;
  }
  const batch = pixels.dims[0]!;
  const visual = weights.at("visual");
  const patches = (resolution / patch) ** 2;
  const map = conv2d(pixels, visual.get("conv1.weight", [width, 3, patch, patch]), undefined, { stride: patch });
  const tokens = transpose(reshape(map, [batch, width, patches]), [0, 2, 1]);
  const first = expand(visual.get("class_embedding", [width]), pixels.graph, [batch, 1, width]);
  let h = add(concat([first, tokens], 1), visual.get("positional_embedding", [patches + 1, width]));
  const classToken = (states: Value) => slice(states, 1, 0, 1);
  h = transformer(norm(h, visual, "ln_pre", epsilon), visual, config.vision, { act, causal: false, pick: classToken });
  const pooled = norm(reshape(h, [batch, width]), visual, "ln_post", epsilon);
  return matMul(pooled, visual.get("proj", [width, config.dimensions]));
}

/**
 * The text tower. A position sees only those before it, so texts may be given without what stands behind their end.
 *
 * Source: openai/CLIP clip/model.py (CLIP.encode_text).
 *
 * @param ids int64 `[B, T]`; the largest id of a row is where it ends
 * @returns embeddings, not normalised, `[B, dimensions]`
 */
export function clipTextEmbeddings(ids: Value, weights: Weights, config: ClipConfig, act: ClipActivation): Value {
  const { width, vocabulary, positions } = config.text;
  if (config.layout === "transformers") {
    const sizes = { vocab_size: vocabulary, max_position_embeddings: positions, eos_token_id: 2 };
    return clipTextEncoder(ids, weights, { ...encoderConfig(config.text, config, act), ...sizes }).textEmbeds!;
  }
  const places = weights.get("positional_embedding", [positions, width]);
  const words = embedding(ids, weights.get("token_embedding.weight", [vocabulary, width]));
  const ends = argMax(cast(ids, "int32"));
  const batch = ids.dims[0]!;
  const pick = (states: Value) => reshape(pickRows(states, ends), [batch, 1, width]);
  const h = transformer(add(words, rows(places, 0, ids.dims[1]!)), weights, config.text, { act, causal: true, pick });
  const pooled = norm(reshape(h, [batch, width]), weights, "ln_final", epsilon);
  return matMul(pooled, weights.get("text_projection", [width, config.dimensions]));
}

/** Tensors of a checkpoint that no metric reads. */
export function isUnusedByClip(key: string): boolean {
  return /(^|\.)(logit_scale|input_resolution|context_length|vocab_size|position_ids)$/.test(key);
}

interface TransformerOptions {
  readonly act: ClipActivation;
  readonly causal: boolean;
  /** Of the last layer only these positions are computed. */
  readonly pick: (states: Value) => Value;
}

function transformer(x: Value, weights: Weights, { layers, heads }: ClipTowerConfig, { act, causal, pick }: TransformerOptions): Value {
  let h = x;
  for (let layer = 0; layer < layers; layer++) {
    const last = layer === layers - 1 ? { pick } : {};
    h = transformerBlock(h, weights.at(`transformer.resblocks.${layer}`), { heads, epsilon, activation: activation(act), causal, keys, ...last });
  }
  return h;
}

function encoderConfig({ width, layers, heads }: ClipTowerConfig, { dimensions }: ClipConfig, act: ClipActivation): ClipEncoderConfig {
  return {
    hidden_size: width,
    intermediate_size: width * 4,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    hidden_act: act,
    layer_norm_eps: epsilon,
    projection_dim: dimensions,
  };
}
