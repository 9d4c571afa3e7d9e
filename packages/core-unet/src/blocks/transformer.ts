import {
  add,
  attention,
  conv2d,
  gelu,
  groupNorm,
  layerNorm,
  linear,
  multiply,
  reshape,
  rows,
  transpose,
  type Value,
  type Weights,
} from "@refadgen/graph";

/** What a self-attention layer is given. */
export interface SelfAttentionInput {
  /** `[B, T, C]`, after the layer's normalisation. */
  readonly hiddenStates: Value;
  /** The layer's path, e.g. `down_blocks.0.attentions.0.transformer_blocks.0.attn1`. */
  readonly name: string;
  /** The layer's weights: `to_q`, `to_k`, `to_v`, `to_out.0`. */
  readonly weights: Weights;
  readonly heads: number;
}

/** A self-attention layer: `[B, T, C]` → `[B, T, C]`. Reference attention and feature recording are other values of this type. */
export type SelfAttention = (input: SelfAttentionInput) => Value;

/** Keys and values of the context for one cross-attention layer, `[B, S, C]` each. */
export interface ContextKeyValue {
  readonly key: Value;
  readonly value: Value;
}

export interface TransformerOptions {
  /** The block's path in the network, e.g. `down_blocks.0.attentions.0`. */
  readonly name: string;
  readonly heads: number;
  readonly groups: number;
  /** Whether the projections around the layers are linear (SD-2.x) or 1×1 convolutions (SD-1.x). */
  readonly linearProjection: boolean;
  readonly selfAttention: SelfAttention;
}

/** The self-attention that Stable Diffusion was trained with. */
export const selfAttention: SelfAttention = ({ hiddenStates, weights, heads }) => {
  const channels = hiddenStates.dims[2]!;
  const project = (name: string) => linear(hiddenStates, weights.get(`${name}.weight`, [channels, channels]));
  return attentionOutput(attention(project("to_q"), project("to_k"), project("to_v"), { heads }), weights);
};

/** The projection that ends an attention layer, `to_out.0`. */
export function attentionOutput(x: Value, weights: Weights): Value {
  const channels = x.dims[2]!;
  return linear(x, weights.get("to_out.0.weight", [channels, channels]), weights.get("to_out.0.bias", [channels]));
}

/**
 * One spatial transformer (diffusers' `Transformer2DModel` with one layer): self-attention, attention to the context, feed-forward.
 *
 * @param x `[B, C, H, W]`
 * @param context `[B, S, D]`, or what the layer makes of it
 * @returns `[B, C, H, W]`
 */
export function spatialTransformer(x: Value, context: Value | ContextKeyValue, weights: Weights, options: TransformerOptions): Value {
  const { groups, heads, linearProjection } = options;
  const [batch, channels, height, width] = x.dims as [number, number, number, number];
  const normal = groupNorm(x, weights.get("norm.weight", [channels]), weights.get("norm.bias", [channels]), { groups, epsilon: 1e-6 });
  const kernel = linearProjection ? [channels, channels] : [channels, channels, 1, 1];
  const projIn = [weights.get("proj_in.weight", kernel), weights.get("proj_in.bias", [channels])] as const;
  const projOut = [weights.get("proj_out.weight", kernel), weights.get("proj_out.bias", [channels])] as const;
  const toTokens = (map: Value) => transpose(reshape(map, [batch, channels, height * width]), [0, 2, 1]);
  const toMap = (tokens: Value) => reshape(transpose(tokens, [0, 2, 1]), [batch, channels, height, width]);

  let h = linearProjection ? linear(toTokens(normal), ...projIn) : toTokens(conv2d(normal, ...projIn)); // [B, T, C]
  const block = weights.at("transformer_blocks.0");
  const norm = (name: string) => layerNorm(h, block.get(`${name}.weight`, [channels]), block.get(`${name}.bias`, [channels]));
  const name = `${options.name}.transformer_blocks.0.attn1`;
  h = add(h, options.selfAttention({ hiddenStates: norm("norm1"), name, weights: block.at("attn1"), heads }));
  h = add(h, crossAttention(norm("norm2"), context, block.at("attn2"), heads));
  h = add(h, feedForward(norm("norm3"), block.at("ff.net")));
  return add(linearProjection ? toMap(linear(h, ...projOut)) : conv2d(toMap(h), ...projOut), x);
}

function crossAttention(x: Value, context: Value | ContextKeyValue, weights: Weights, heads: number): Value {
  const channels = x.dims[2]!;
  const query = linear(x, weights.get("to_q.weight", [channels, channels]));
  const { key, value } = "key" in context ? context : contextKeyValue(context, weights, channels);
  return attentionOutput(attention(query, key, value, { heads }), weights);
}

/**
 * What a cross-attention layer makes of the context; it depends on neither the picture nor the timestep.
 *
 * @param context `[B, S, D]`
 * @param weights the layer's: `to_k`, `to_v`
 */
export function contextKeyValue(context: Value, weights: Weights, channels: number): ContextKeyValue {
  const project = (name: string) => linear(context, weights.get(`${name}.weight`, [channels, context.dims[2]!]));
  return { key: project("to_k"), value: project("to_v") };
}

/** GEGLU and a projection back. The two halves of GEGLU's weight are used as two layers, which spares splitting the result. */
function feedForward(x: Value, weights: Weights): Value {
  const channels = x.dims[2]!;
  const inner = channels * 4;
  const weight = weights.get("0.proj.weight", [inner * 2, channels]);
  const bias = weights.get("0.proj.bias", [inner * 2]);
  const hidden = linear(x, rows(weight, 0, inner), rows(bias, 0, inner));
  const gate = linear(x, rows(weight, inner, inner * 2), rows(bias, inner, inner * 2));
  return linear(multiply(hidden, gelu(gate)), weights.get("2.weight", [channels, inner]), weights.get("2.bias", [channels]));
}
