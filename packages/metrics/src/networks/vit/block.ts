import { add, attention, layerNorm, linear, rows, type Value, type Weights } from "@refadgen/graph";

export interface BlockOptions {
  readonly heads: number;
  /** Of the layer normalisations. */
  readonly epsilon: number;
  readonly activation: (x: Value) => Value;
  /** Whether a position sees only itself and those before it; default false. */
  readonly causal?: boolean;
  /** Which positions are wanted: of the last block often only one counts. Default all. */
  readonly pick?: (states: Value) => Value;
  readonly keys: BlockKeys;
}

/** What a checkpoint calls the parts of a block; those of `qkv` are whole keys, the others lack `.weight` and `.bias`. */
export interface BlockKeys {
  readonly norm1: string;
  readonly qkv: { readonly weight: string; readonly bias: string };
  readonly out: string;
  readonly norm2: string;
  readonly fc1: string;
  readonly fc2: string;
}

/** facebookresearch/dino, timm and BLIP. */
export const vitKeys: BlockKeys = {
  norm1: "norm1",
  qkv: { weight: "attn.qkv.weight", bias: "attn.qkv.bias" },
  out: "attn.proj",
  norm2: "norm2",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
};

/**
 * A transformer block that normalises first and keeps queries, keys and values in one weight, as DINO, BLIP and OpenAI's CLIP have it.
 *
 * @param x `[B, T, C]`
 * @returns the same size, or what `pick` leaves: `[B, T', C]`
 */
export function transformerBlock(x: Value, weights: Weights, options: BlockOptions): Value {
  const { heads, epsilon, activation, causal = false, pick = (states: Value) => states, keys } = options;
  const channels = x.dims[2]!;
  const stacked = weights.get(keys.qkv.weight, [channels * 3, channels]);
  const stackedBias = weights.get(keys.qkv.bias, [channels * 3]);
  const normal = norm(x, weights, keys.norm1, epsilon);
  const [query, key, value] = [0, 1, 2].map((part) => {
    const [from, to] = [part * channels, (part + 1) * channels];
    return linear(normal, rows(stacked, from, to), rows(stackedBias, from, to));
  }) as [Value, Value, Value];
  const h = add(pick(x), dense(pick(attention(query, key, value, { heads, causal })), weights, keys.out, channels));
  const inner = activation(dense(norm(h, weights, keys.norm2, epsilon), weights, keys.fc1, channels * 4));
  return add(h, dense(inner, weights, keys.fc2, channels));
}

/** Layer normalisation with the keys `name.weight` and `name.bias`. */
export function norm(x: Value, weights: Weights, name: string, epsilon: number): Value {
  const channels = x.dims.at(-1)!;
  return layerNorm(x, weights.get(`${name}.weight`, [channels]), weights.get(`${name}.bias`, [channels]), { epsilon });
}

/** A linear layer with the keys `name.weight` and `name.bias`. */
export function dense(x: Value, weights: Weights, name: string, channels: number): Value {
  return linear(x, weights.get(`${name}.weight`, [channels, x.dims.at(-1)!]), weights.get(`${name}.bias`, [channels]));
}
