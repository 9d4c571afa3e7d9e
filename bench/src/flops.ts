import type { Graph } from "@refadgen/graph";

/**
 * Floating-point operations of one run: two for every multiplication with addition in convolutions, matrix products and attention,
 * nothing for the rest. Every op that was added counts, so ask graphs all of whose ops lead to an output.
 */
export function countFlops(graph: Graph): number {
  let total = 0;
  for (const { op, inputs, outputs } of graph.nodes) {
    const dims = (name: string | undefined) => graph.values.get(name ?? "")?.dims ?? [];
    const [a, b] = [dims(inputs[0]), dims(inputs[1])];
    const out = product(dims(outputs[0]));
    if (op === "Conv") total += 2 * out * product(b.slice(1));
    else if (op === "Gemm" || op === "MatMul") total += 2 * out * a.at(-1)!;
    // Scores and the mixing of values: queries [B, T, C] against keys [B, S, C].
    else if (op === "MultiHeadAttention") total += 4 * product(a) * b[1]!;
  }
  return total;
}

/**
 * What the projection of the reference's features to `key.*` and `value.*` would add if it were done in every step, as the published
 * code does; ours gives them to the graph as inputs `[B, T, C]`. Those of the text (`attn2`) are a graph of their own.
 */
export function projectionFlops(graph: Graph): number {
  return graph.inputs.filter(({ name }) => /^(key|value)\..*attn1$/.test(name)).reduce((sum, { dims }) => sum + 2 * product(dims) * dims.at(-1)!, 0);
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, size) => all * size, 1);
}
