import { add, concat, conv2d, expand, GraphError, linear, reshape, shape, slice, transpose, type Value, type Weights } from "@refadgen/graph";
import type { ClipVisionConfig } from "./config.js";
import { encoderStates, norm } from "./encoder.js";

export interface ClipVisionOutputs {
  /** The normalised embeddings, then what each layer gives: `num_hidden_layers + 1` times `[B, 1 + patches, C]`, the class token first. */
  readonly hiddenStates: readonly Value[];
  /** What the last layer gives, not normalised, `[B, 1 + patches, C]`. */
  readonly lastHiddenState: Value;
  /** The class token, normalised, `[B, C]`. */
  readonly pooled: Value;
  /** `pooled` in the space shared with texts, `[B, projection_dim]`, not normalised; absent when the checkpoint has no `visual_projection`. */
  readonly imageEmbeds?: Value;
}

/**
 * CLIP's vision tower. Ops that lead to no output of the graph cost nothing, so take from the result what is needed;
 * IP-Adapter-Plus reads `hiddenStates.at(-2)`.
 *
 * Source: huggingface/transformers src/transformers/models/clip/modeling_clip.py (CLIPVisionModel, CLIPVisionModelWithProjection).
 *
 * @param pixels float32 `[B, 3, image_size, image_size]`, normalised as `clipImageTensor` does
 * @param weights the keys `vision_model.…` and `visual_projection.weight`; `isClipBuffer` names those that are no weights
 * @throws GraphError when `pixels` does not fit.
 */
export function clipVisionEncoder(pixels: Value, weights: Weights, config: ClipVisionConfig): ClipVisionOutputs {
  const { hidden_size: channels, num_channels: colors, image_size: side, patch_size: patch } = config;
  const batch = pixels.dims[0]!;
  if (pixels.dtype !== "float32" || String(pixels.dims) !== String([batch, colors, side, side])) {
    throw new GraphError(`clipVisionEncoder: expected float32 pixels [B, ${colors}, ${side}, ${side}], got ${pixels.dtype} ${shape(pixels.dims)}`);
  }
  const model = weights.at("vision_model");
  const tables = model.at("embeddings");
  const patches = (side / patch) ** 2;
  const map = conv2d(pixels, tables.get("patch_embedding.weight", [channels, colors, patch, patch]), undefined, { stride: patch });
  const tokens = transpose(reshape(map, [batch, channels, patches]), [0, 2, 1]); // [B, patches, C]
  const classToken = expand(tables.get("class_embedding", [channels]), pixels.graph, [batch, 1, channels]);
  const x = add(concat([classToken, tokens], 1), tables.get("position_embedding.weight", [patches + 1, channels]));

  // The key is spelt so in every published file.
  const hiddenStates = encoderStates(norm(x, model.at("pre_layrnorm"), config), model.at("encoder"), config, { causal: false });
  const lastHiddenState = hiddenStates.at(-1)!;
  const pooled = norm(reshape(slice(lastHiddenState, 1, 0, 1), [batch, channels]), model.at("post_layernorm"), config);
  const projection = [config.projection_dim, channels];
  return {
    hiddenStates,
    lastHiddenState,
    pooled,
    ...(weights.has("visual_projection.weight", projection)
      ? { imageEmbeds: linear(pooled, weights.get("visual_projection.weight", projection)) }
      : {}),
  };
}
