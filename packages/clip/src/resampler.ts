import {
  add,
  attention,
  concat,
  expand,
  GraphError,
  gelu,
  layerNorm,
  linear,
  rows,
  shape,
  type Value,
  type Weights,
  WeightsError,
} from "@refadgen/graph";

/** Sizes of an IP-Adapter-Plus Resampler; names as in its source. */
export interface ResamplerConfig {
  /** Width inside. */
  readonly dim: number;
  /** Number of layers. */
  readonly depth: number;
  /** Width of one head. */
  readonly dim_head: number;
  readonly heads: number;
  /** Number of tokens that come out. */
  readonly num_queries: number;
  /** Width of the image encoder's hidden states. */
  readonly embedding_dim: number;
  /** Width of the tokens that come out: that of the U-Net's cross-attention. */
  readonly output_dim: number;
  /** Width of the feed-forward layers as a multiple of `dim`. */
  readonly ff_mult: number;
}

/** The published Resampler for SD-1.5, `ip-adapter-plus_sd15.bin`. */
export const resamplerSd15: ResamplerConfig = {
  dim: 768,
  depth: 4,
  dim_head: 64,
  heads: 12,
  num_queries: 16,
  embedding_dim: 1280,
  output_dim: 768,
  ff_mult: 4,
};

/**
 * The Resampler that turns an image encoder's hidden states into a few tokens for cross-attention.
 *
 * Source: tencent-ailab/IP-Adapter ip_adapter/resampler.py.
 *
 * @param hiddenStates `[B, N, embedding_dim]`, any N
 * @param weights the keys under `image_proj` of an IP-Adapter file, or under `proj.` of RefAdGen's
 * @returns `[B, num_queries, output_dim]`
 * @throws GraphError when `hiddenStates` does not fit.
 */
export function resampler(hiddenStates: Value, weights: Weights, config: ResamplerConfig = resamplerSd15): Value {
  const { dim, depth, num_queries: queries, embedding_dim, output_dim } = config;
  const [batch, , width] = hiddenStates.dims;
  if (hiddenStates.dims.length !== 3 || width !== embedding_dim) {
    throw new GraphError(`resampler: expected hiddenStates [B, N, ${embedding_dim}], got ${shape(hiddenStates.dims)}`);
  }
  const x = linear(hiddenStates, weights.get("proj_in.weight", [dim, embedding_dim]), weights.get("proj_in.bias", [dim])); // [B, N, dim]
  let latents = expand(weights.get("latents", [1, queries, dim]), hiddenStates.graph, [batch!, queries, dim]);
  for (let index = 0; index < depth; index++) {
    const layer = weights.at(`layers.${index}`);
    latents = add(latents, perceiverAttention(x, latents, layer.at("0"), config));
    latents = add(latents, feedForward(latents, layer.at("1"), config));
  }
  const out = linear(latents, weights.get("proj_out.weight", [output_dim, dim]), weights.get("proj_out.bias", [output_dim]));
  return norm(out, weights.at("norm_out"));
}

/** The latents ask, the image's tokens and the latents themselves answer. */
function perceiverAttention(x: Value, latents: Value, weights: Weights, { dim, dim_head, heads }: ResamplerConfig): Value {
  const inner = dim_head * heads;
  const asking = norm(latents, weights.at("norm2"));
  const answering = concat([norm(x, weights.at("norm1")), asking], 1); // [B, N + queries, dim]
  const keyValue = weights.get("to_kv.weight", [inner * 2, dim]);
  const mixed = attention(
    linear(asking, weights.get("to_q.weight", [inner, dim])),
    linear(answering, rows(keyValue, 0, inner)),
    linear(answering, rows(keyValue, inner, inner * 2)),
    { heads },
  );
  return linear(mixed, weights.get("to_out.weight", [dim, inner]));
}

function feedForward(x: Value, weights: Weights, { dim, ff_mult }: ResamplerConfig): Value {
  const inner = dim * ff_mult;
  return linear(gelu(linear(norm(x, weights.at("0")), weights.get("1.weight", [inner, dim]))), weights.get("3.weight", [dim, inner]));
}

function norm(x: Value, weights: Weights): Value {
  const channels = x.dims.at(-1)!;
  return layerNorm(x, weights.get("weight", [channels]), weights.get("bias", [channels]));
}

export interface ResamplerSizes {
  /** Width of one head, which no tensor's size tells; default 64, as in every published file. */
  readonly dim_head?: number;
}

/**
 * The configuration of a Resampler from the sizes of its tensors: its files have no `config.json`.
 *
 * @param dims the sizes of the tensor under a key such as `proj_in.weight`, or undefined
 * @throws WeightsError `mismatch` when a tensor is missing or the sizes contradict each other.
 */
export function resamplerConfigOf(dims: (key: string) => readonly number[] | undefined, { dim_head = 64 }: ResamplerSizes = {}): ResamplerConfig {
  const sizes = (key: string, rank: number): readonly number[] => {
    const found = dims(key);
    if (found?.length !== rank)
      throw new WeightsError("mismatch", `resamplerConfigOf: expected ${key} with ${rank} dimensions, got ${found ? shape(found) : "none"}`);
    return found;
  };
  const [, num_queries, dim] = sizes("latents", 3) as [number, number, number];
  const [, embedding_dim] = sizes("proj_in.weight", 2) as [number, number];
  const [output_dim] = sizes("proj_out.weight", 2) as [number];
  const [inner] = sizes("layers.0.0.to_q.weight", 2) as [number];
  const [hidden] = sizes("layers.0.1.1.weight", 2) as [number];
  let depth = 1;
  while (dims(`layers.${depth}.0.to_q.weight`)) depth++;
  const [heads, ff_mult] = [inner / dim_head, hidden / dim];
  if (!Number.isInteger(heads) || !Number.isInteger(ff_mult)) {
    throw new WeightsError(
      "mismatch",
      `resamplerConfigOf: expected heads of ${dim_head} and a multiple of ${dim}, got to_q of ${inner} and a feed-forward layer of ${hidden}`,
    );
  }
  return { dim, depth, dim_head, heads, num_queries, embedding_dim, output_dim, ff_mult };
}
