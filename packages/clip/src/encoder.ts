import { activation, add, attention, layerNorm, linear, type Value, type Weights } from "@refadgen/graph";
import type { ClipEncoderConfig } from "./config.js";

export interface EncoderOptions {
  /** Whether a position sees only itself and those before it. */
  readonly causal: boolean;
}

/**
 * The transformer of both towers (transformers' `CLIPEncoder`): layers that normalise first.
 *
 * @param x `[B, T, C]`
 * @param weights the keys `layers.{i}.…`
 * @returns the hidden states: `x`, then what each layer gives; `[B, T, C]` each
 */
export function encoderStates(x: Value, weights: Weights, config: ClipEncoderConfig, { causal }: EncoderOptions): Value[] {
  const states = [x];
  for (let index = 0; index < config.num_hidden_layers; index++) {
    const layer = weights.at(`layers.${index}`);
    let h = states.at(-1)!;
    h = add(h, selfAttention(norm(h, layer.at("layer_norm1"), config), layer.at("self_attn"), config, causal));
    h = add(h, feedForward(norm(h, layer.at("layer_norm2"), config), layer.at("mlp"), config));
    states.push(h);
  }
  return states;
}

/** Layer normalisation with the keys `weight` and `bias`. */
export function norm(x: Value, weights: Weights, { hidden_size: channels, layer_norm_eps: epsilon }: ClipEncoderConfig): Value {
  return layerNorm(x, weights.get("weight", [channels]), weights.get("bias", [channels]), { epsilon });
}

function selfAttention(x: Value, weights: Weights, { hidden_size: channels, num_attention_heads: heads }: ClipEncoderConfig, causal: boolean): Value {
  const project = (input: Value, name: string) =>
    linear(input, weights.get(`${name}.weight`, [channels, channels]), weights.get(`${name}.bias`, [channels]));
  const mixed = attention(project(x, "q_proj"), project(x, "k_proj"), project(x, "v_proj"), { heads, causal });
  return project(mixed, "out_proj");
}

function feedForward(x: Value, weights: Weights, { hidden_size: channels, intermediate_size: inner, hidden_act }: ClipEncoderConfig): Value {
  const hidden = linear(x, weights.get("fc1.weight", [inner, channels]), weights.get("fc1.bias", [inner]));
  return linear(activation(hidden_act)(hidden), weights.get("fc2.weight", [channels, inner]), weights.get("fc2.bias", [channels]));
}
