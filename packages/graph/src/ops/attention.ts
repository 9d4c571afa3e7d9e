import { GraphError } from "../error.js";
import { shape, type Value } from "../graph.js";

export interface AttentionOptions {
  /** Number of heads; must divide C. */
  readonly heads: number;
  /** Factor before the softmax; default 1 / √(C / heads). */
  readonly scale?: number;
  /** Whether a position sees only itself and those before it; default false. Leaves the fast kernel. */
  readonly causal?: boolean;
  /** Added to the scores before the softmax, `[B or 1, heads or 1, T, S]`. Leaves the fast kernel. */
  readonly bias?: Value;
}

/**
 * Multi-head scaled dot-product attention, `softmax(q · kᵀ · scale) · v` head by head.
 *
 * Keys and values as `[B, S, C]` take ONNX Runtime's flash kernel, which never holds the T × S scores.
 *
 * @param query `[B, T, C]`
 * @param key `[B, S, C]`
 * @param value `[B, S, C']`
 * @returns `[B, T, C']`
 * @throws GraphError when sizes do not fit.
 */
export function attention(query: Value, key: Value, value: Value, { heads, scale, causal = false, bias }: AttentionOptions): Value {
  const [batch, tokens, channels] = query.dims as [number, number, number];
  const [, sources, valueChannels] = value.dims as [number, number, number];
  const fits =
    query.dims.length === 3 && String(key.dims) === String([batch, sources, channels]) && value.dims.length === 3 && value.dims[0] === batch;
  if (!fits) throw new GraphError(`attention: query ${shape(query.dims)}, key ${shape(key.dims)} and value ${shape(value.dims)} do not fit`);
  if (channels % heads !== 0 || valueChannels % heads !== 0) throw new GraphError(`attention: ${heads} heads do not divide ${channels} channels`);
  if (causal && tokens !== sources) throw new GraphError(`attention: causal needs as many keys as queries, got ${sources} and ${tokens}`);
  const added = bias?.dims.length === 4 ? bias.dims : [];
  const widens = [batch, heads, tokens, sources].every((size, axis) => added[axis] === size || (axis < 2 && added[axis] === 1));
  if (bias && !widens)
    throw new GraphError(`attention: a bias of ${shape(bias.dims)} does not fit scores ${shape([batch!, heads, tokens!, sources!])}`);
  const inputs = [query, key, value, ...(bias ? [undefined, undefined, bias] : [])];
  const attributes = { num_heads: BigInt(heads), ...(scale === undefined ? {} : { scale }), ...(causal ? { unidirectional: 1n } : {}) };
  const [out] = query.graph.add("MultiHeadAttention", inputs, [{ dtype: query.dtype, dims: [batch, tokens, valueChannels] }], {
    domain: "com.microsoft",
    attributes,
  });
  return out!;
}
