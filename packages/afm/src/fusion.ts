import { add, attention, GraphError, linear, multiply, shape, type Value, type Weights } from "@refadgen/graph";

/** Keys and values of one layer's reference features, `[B, S, C]` each. */
export interface ReferenceKeyValue {
  readonly key: Value;
  readonly value: Value;
}

export interface AttentionFusionInput extends ReferenceKeyValue {
  /** Queries, `[B, T, C]`. */
  readonly query: Value;
  /** Keys and values of the reference, `[B, S, C]`. */
  readonly reference: ReferenceKeyValue;
  /** λ, a float32 value `[]` or `[1]`: 0 ignores the reference, 1 is what RefAdGen was trained with. */
  readonly scale: Value;
  readonly heads: number;
}

/**
 * The Attention Fusion Module (RefAdGen, arXiv 2508.11695, Eq. 1):
 * `softmax(Q Kᵀ / √d) V + λ · softmax(Q K_refᵀ / √d) V_ref`.
 *
 * Two attentions that share their queries, not one over joined keys: each has its own softmax, so the reference adds to what the
 * layer does and does not compete with it. The layer's output projection comes after, once, on the sum.
 *
 * @returns `[B, T, C]`
 * @throws GraphError when sizes do not fit.
 */
export function attentionFusion({ query, key, value, reference, scale, heads }: AttentionFusionInput): Value {
  if (scale.dtype !== "float32" || scale.dims.length > 1 || scale.dims.some((size) => size !== 1)) {
    throw new GraphError(`attentionFusion: expected a float32 scale of one element, got ${scale.dtype} ${shape(scale.dims)}`);
  }
  if (query.dims[0] !== reference.key.dims[0]) {
    throw new GraphError(`attentionFusion: expected a reference for ${query.dims[0]} images, got ${reference.key.dims[0]}`);
  }
  const own = attention(query, key, value, { heads });
  return add(own, multiply(attention(query, reference.key, reference.value, { heads }), scale));
}

/** What a diffusion U-Net gives its self-attention parameter; `@refadgen/core-unet` calls the function `SelfAttention`. */
export interface LayerInput {
  /** `[B, T, C]`, after the layer's normalisation. */
  readonly hiddenStates: Value;
  /** The layer's path, e.g. `down_blocks.0.attentions.0.transformer_blocks.0.attn1`. */
  readonly name: string;
  /** The layer's own weights: `to_q`, `to_k`, `to_v`, `to_out.0`, named as diffusers names them. */
  readonly weights: Weights;
  readonly heads: number;
}

/**
 * A self-attention parameter that fuses a reference into every layer.
 *
 * @param reference keys and values for a layer's path; see `projectReference`
 * @param scale λ, float32 `[]`: an input of the graph, so that it may change from run to run
 */
export function fuseReference(reference: (name: string) => ReferenceKeyValue, scale: Value): (layer: LayerInput) => Value {
  return ({ hiddenStates, name, weights, heads }) => {
    const channels = hiddenStates.dims[2]!;
    const project = (part: string) => linear(hiddenStates, weights.get(`${part}.weight`, [channels, channels]));
    const [query, key, value] = [project("to_q"), project("to_k"), project("to_v")];
    const fused = attentionFusion({ query, key, value, reference: reference(name), scale, heads });
    return linear(fused, weights.get("to_out.0.weight", [channels, channels]), weights.get("to_out.0.bias", [channels]));
  };
}
