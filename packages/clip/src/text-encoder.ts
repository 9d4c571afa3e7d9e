import { ArgumentError } from "@refadgen/errors";
import { add, argMax, cast, embedding, GraphError, linear, pickRows, rows, shape, type Value, type Weights } from "@refadgen/graph";
import type { ClipTextConfig } from "./config.js";
import { encoderStates, norm } from "./encoder.js";

export interface ClipTextOptions {
  /**
   * Which of the hidden states `states` is: an index, counted from the end where negative. Default -1, the last layer.
   * diffusers' `clip_skip` n is -(n + 1); "clip skip 2" of other programs is -2.
   */
  readonly layer?: number;
  /** Whether the final layer normalisation is applied to `states`; default true. SD-1.x expects it whatever the layer. */
  readonly finalNorm?: boolean;
}

export interface ClipTextOutputs {
  /** The states of the chosen layer, `[B, T, C]`: what a U-Net's cross-attention reads. */
  readonly states: Value;
  /** The embeddings, then what each layer gives, none of them normalised: `num_hidden_layers + 1` times `[B, T, C]`. */
  readonly hiddenStates: readonly Value[];
  /** The last layer, normalised, `[B, T, C]`. */
  readonly lastHiddenState: Value;
  /** The row of `lastHiddenState` at the end-of-text token, `[B, C]`. */
  readonly pooled: Value;
  /** `pooled` in the space shared with images, `[B, projection_dim]`, not normalised; absent when the checkpoint has no `text_projection`. */
  readonly textEmbeds?: Value;
}

/**
 * CLIP's text tower. Ops that lead to no output of the graph cost nothing, so take from the result what is needed.
 *
 * Source: huggingface/transformers src/transformers/models/clip/modeling_clip.py (CLIPTextModel, CLIPTextModelWithProjection).
 *
 * @param ids int32 or int64 `[B, T]`, T at most `max_position_embeddings`. Padding is not masked.
 * @param weights the keys `text_model.…`; `isClipBuffer` names those that are no weights
 * @throws GraphError when `ids` does not fit; ArgumentError for a layer that is not there.
 */
export function clipTextEncoder(ids: Value, weights: Weights, config: ClipTextConfig, options: ClipTextOptions = {}): ClipTextOutputs {
  const { layer = -1, finalNorm = true } = options;
  const { hidden_size: channels, num_hidden_layers: layers, max_position_embeddings: positions } = config;
  const [, tokens] = ids.dims;
  if (ids.dims.length !== 2 || tokens! < 1 || tokens! > positions || (ids.dtype !== "int32" && ids.dtype !== "int64")) {
    throw new GraphError(`clipTextEncoder: expected int64 or int32 ids [B, T] with T of 1 to ${positions}, got ${ids.dtype} ${shape(ids.dims)}`);
  }
  if (!Number.isInteger(layer) || layer > layers || layer < -layers - 1) {
    throw new ArgumentError(`clipTextEncoder: expected a layer from ${-layers - 1} to ${layers}, got ${layer}`);
  }
  const model = weights.at("text_model");
  const tables = model.at("embeddings");
  const position = tables.get("position_embedding.weight", [positions, channels]);
  const embedded = embedding(ids, tables.get("token_embedding.weight", [config.vocab_size, channels]));
  const x = add(embedded, tokens === positions ? position : rows(position, 0, tokens!)); // [B, T, C]

  const hiddenStates = encoderStates(x, model.at("encoder"), config, { causal: true });
  const normalised = (states: Value) => norm(states, model.at("final_layer_norm"), config);
  const lastHiddenState = normalised(hiddenStates.at(-1)!);
  const chosen = hiddenStates.at(layer)!;
  const pooled = pickRows(lastHiddenState, endPositions(ids, config.eos_token_id));
  const projection = [config.projection_dim, channels];
  return {
    states: finalNorm ? normalised(chosen) : chosen,
    hiddenStates,
    lastHiddenState,
    pooled,
    ...(weights.has("text_projection.weight", projection) ? { textEmbeds: linear(pooled, weights.get("text_projection.weight", projection)) } : {}),
  };
}

/**
 * Where each text ends, int64 `[B]`: the first end-of-text token. Files that give 2 as its id do not mean it; there the largest id is
 * looked for, which is CLIP's end of text unless tokens were added.
 */
function endPositions(ids: Value, eosTokenId: number): Value {
  const whole = cast(ids, "int32");
  if (eosTokenId === 2) return argMax(whole);
  const { graph } = ids;
  const [found] = graph.add("Equal", [whole, graph.constant("int32", [], Int32Array.of(eosTokenId))], [{ dtype: "bool", dims: ids.dims }]);
  return argMax(cast(found!, "int32"));
}

/** Whether a key of a CLIP checkpoint is a buffer of older files that no network reads: what `Weights.verify` may ignore. */
export function isClipBuffer(key: string): boolean {
  return key.endsWith("embeddings.position_ids");
}
