import { Graph, type Node, type Value } from "../graph.js";
import { cast } from "../ops/elementwise.js";

/** Ops whose sums or exponentials would lose too much, or overflow, in float16: normalisation's statistics. They stay float32. */
const wide = new Set(["ReduceMean", "ReduceSumSquare", "ReduceSum", "Sqrt", "LayerNormalization", "Exp", "Sin", "Cos"]);

/**
 * The graph in half precision: weights and what flows between ops are float16, inputs and outputs stay float32 and are cast inside, and so are
 * normalisation's statistics and the time embedding's sinusoids. For providers that have float16 kernels; a CPU computes these in float32.
 */
export function float16Graph(graph: Graph): Graph {
  const copy = new Graph(graph.name);
  const narrow = new Map<string, Value>();
  const full = new Map<string, Value>();
  for (const { name, dtype, dims } of graph.inputs) full.set(name, copy.input(name, dtype, dims));
  const asFull = (name: string): Value => {
    const known = full.get(name);
    if (known) return known;
    const half = narrow.get(name);
    const constant = graph.constants.get(name);
    const made = half
      ? cast(half, "float32")
      : constant && "parameter" in constant
        ? copy.value(constant.parameter)
        : copy.constant(constant!.dtype, constant!.dims, (constant as { readonly data: Uint8Array }).data);
    full.set(name, made);
    return made;
  };
  const asNarrow = (name: string): Value => {
    const known = narrow.get(name);
    if (known) return known;
    const value = asFull(name);
    const made = value.dtype === "float32" ? cast(value, "float16") : value;
    narrow.set(name, made);
    return made;
  };
  const keeps = ({ op, inputs }: Node) => wide.has(op) || inputs.every((name) => name === "" || graph.values.get(name)?.dtype !== "float32");
  for (const node of graph.nodes) {
    const stays = keeps(node);
    const outputs = copy.add(
      node.op,
      // What follows a resize's picture are factors, float32 by definition.
      node.inputs.map((name, index) => (name === "" ? undefined : stays || (node.op === "Resize" && index > 0) ? asFull(name) : asNarrow(name))),
      node.outputs.map((name) => {
        const { dtype, dims } = graph.values.get(name)!;
        return { dtype: !stays && dtype === "float32" ? "float16" : dtype, dims };
      }),
      { domain: node.domain, attributes: node.attributes, name: node.name },
    );
    for (const [index, name] of node.outputs.entries()) (stays || outputs[index]!.dtype !== "float16" ? full : narrow).set(name, outputs[index]!);
  }
  for (const { name, value } of graph.outputs) copy.output(name, asFull(value.name));
  return copy;
}
