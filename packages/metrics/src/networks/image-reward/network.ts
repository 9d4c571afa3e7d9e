import { add, attention, embedding, expand, gelu, multiply, reshape, rows, slice, subtract, type Value, type Weights } from "@refadgen/graph";
import { dense, norm } from "../vit/block.js";
import { type VitConfig, vit } from "../vit/vit.js";

/** BLIP's ViT-L/16 at 224 pixels. */
const visionConfig: VitConfig = { width: 1024, layers: 24, heads: 16, patch: 16, grid: 14 };
const [width, heads, layers, vocabulary, positions] = [768, 12, 12, 30524, 512];
const epsilon = 1e-12;
/** The reward head; between its layers there is only dropout. */
const head = [
  { layer: 0, channels: 1024 },
  { layer: 2, channels: 128 },
  { layer: 4, channels: 64 },
  { layer: 6, channels: 16 },
  { layer: 7, channels: 1 },
] as const;

export const visionTokens: number = 1 + visionConfig.grid ** 2;
export const visionWidth: number = visionConfig.width;

/** What the raw output is centred and scaled by: `(raw - mean) / deviation`. Source: THUDM/ImageReward ImageReward/ImageReward.py. */
export const rewardScale = { mean: 0.16717362830052426, deviation: 1.0333394966054072 } as const;

/**
 * The vision tower of ImageReward.
 *
 * @param pixels `[B, 3, 224, 224]`, normalised as for CLIP
 * @returns all tokens, normalised, `[B, 197, 1024]`
 */
export function imageRewardVision(pixels: Value, weights: Weights): Value {
  return vit(pixels, weights.at("blip.visual_encoder"), visionConfig);
}

export interface ImageRewardText {
  /** The last hidden states `[B, T, 768]`. */
  readonly states: Value;
  /** What the head makes of the first of them, `[B, 1]`. */
  readonly raw: Value;
}

/**
 * The text tower, which looks at the picture in every layer, and the reward head.
 *
 * Source: THUDM/ImageReward ImageReward/models/BLIP/med.py (BertModel, multimodal, no token types), ImageReward/ImageReward.py (MLP).
 *
 * @param ids int64 `[B, T]`
 * @param mask float32 `[B, T]`, 1 for tokens and 0 for padding
 * @param vision `[B, 197, 1024]`
 */
export function imageRewardText(ids: Value, mask: Value, vision: Value, weights: Weights): ImageRewardText {
  const [batch, tokens] = ids.dims as [number, number];
  const text = weights.at("blip.text_encoder");
  const tables = text.at("embeddings");
  const words = embedding(ids, tables.get("word_embeddings.weight", [vocabulary, width]));
  const places = rows(tables.get("position_embeddings.weight", [positions, width]), 0, tokens);
  let h = norm(add(words, reshape(words.graph.value(places), [1, tokens, width])), tables, "LayerNorm", epsilon);
  // Padding is pushed out of the softmax by -10000, as BERT does.
  const bias = expand(reshape(multiply(subtract(mask, 1), 10000), [batch, 1, 1, tokens]), ids.graph, [batch, 1, tokens, tokens]);
  for (let index = 0; index < layers; index++) h = bertLayer(h, vision, bias, text.at(`encoder.layer.${index}`));
  let raw = reshape(slice(h, 1, 0, 1), [batch, width]);
  for (const { layer, channels } of head) raw = dense(raw, weights, `mlp.layers.${layer}`, channels);
  return { states: h, raw };
}

/** Self-attention, attention to the picture, feed-forward; each is normalised after it was added. */
function bertLayer(x: Value, vision: Value, bias: Value, weights: Weights): Value {
  let h = attend(x, x, weights.at("attention"), bias);
  h = attend(h, vision, weights.at("crossattention"), undefined);
  const inner = gelu(dense(h, weights, "intermediate.dense", width * 4));
  return norm(add(dense(inner, weights, "output.dense", width), h), weights, "output.LayerNorm", epsilon);
}

function attend(x: Value, seen: Value, weights: Weights, bias: Value | undefined): Value {
  const project = (from: Value, name: string) => dense(from, weights.at("self"), name, width);
  const [query, key, value] = [project(x, "query"), project(seen, "key"), project(seen, "value")];
  const mixed = attention(query, key, value, { heads, ...(bias && { bias }) });
  return norm(add(dense(mixed, weights, "output.dense", width), x), weights, "output.LayerNorm", epsilon);
}

/** Tensors of the checkpoint that no score needs: a buffer, and the projections of BLIP's training. */
export function isUnusedByImageReward(key: string): boolean {
  return /(^|\.)(position_ids|vision_proj\.(weight|bias)|text_proj\.(weight|bias))$/.test(key);
}
