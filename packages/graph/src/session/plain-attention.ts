import type { Graph, Node, Value } from "../graph.js";
import { softmax } from "../ops/activation.js";
import { add, multiply } from "../ops/elementwise.js";
import { concat, reshape, slice, transpose } from "../ops/layout.js";
import { matMul } from "../ops/linear.js";
import { type Builder, rewritten } from "../rewrite.js";

/**
 * The graph with attention written out as matrix products and softmax, for providers whose own kernel gives something else. Scores are held for
 * some of the queries at a time.
 *
 * @param scoreBytes how many at once; the default is half of what WebGPU lets one buffer hold
 */
export function plainAttention(graph: Graph, scoreBytes: number = 2 ** 26): Graph {
  return rewritten(graph, (node, builder) => (node.op === "MultiHeadAttention" ? writtenOut(node, builder, scoreBytes) : undefined));
}

function writtenOut({ inputs, attributes }: Node, { graph, value }: Builder, scoreBytes: number): Value {
  const [query, key, values] = [0, 1, 2].map((index) => value(inputs[index]!)) as [Value, Value, Value];
  const bias = inputs[5] ? value(inputs[5]) : undefined;
  const heads = Number(attributes.num_heads);
  const [batch, tokens, channels] = query.dims as [number, number, number];
  const sources = key.dims[1]!;
  const scale = (attributes.scale as number | undefined) ?? 1 / Math.sqrt(channels / heads);
  const apart = (x: Value): Value => transpose(reshape(x, [batch, x.dims[1]!, heads, x.dims[2]! / heads]), [0, 2, 1, 3]);
  const [q, k, v] = [multiply(apart(query), scale), transpose(apart(key), [0, 1, 3, 2]), apart(values)];
  const atOnce = Math.max(1, Math.floor(scoreBytes / (4 * batch * heads * sources)));
  const parts: Value[] = [];
  for (let from = 0; from < tokens; from += atOnce) {
    const to = Math.min(from + atOnce, tokens);
    const rows = (x: Value): Value => (to - from === tokens || x.dims[2] === 1 ? x : slice(x, 2, from, to));
    let scores = matMul(rows(q), k);
    if (bias) scores = add(scores, rows(bias));
    if (attributes.unidirectional === 1n) scores = add(scores, later(graph, from, to, sources));
    parts.push(matMul(softmax(scores), v));
  }
  const joined = parts.length === 1 ? parts[0]! : concat(parts, 2);
  return reshape(transpose(joined, [0, 2, 1, 3]), [batch, tokens, values.dims[2]!]);
}

/** Takes everything after a position out of its softmax; within what float16 holds. */
function later(graph: Graph, from: number, to: number, sources: number): Value {
  const data = Float32Array.from({ length: (to - from) * sources }, (_, index) =>
    index % sources > from + Math.floor(index / sources) ? -60000 : 0,
  );
  return graph.constant("float32", [1, 1, to - from, sources], data);
}
