import { Graph, type Node, type Value } from "./graph.js";
import { checkFeeds } from "./session/feeds.js";
import type { Tensor } from "./tensor.js";

/** Builds part of the new graph: looks values up by their old names. */
export interface Builder {
  readonly graph: Graph;
  readonly value: (name: string) => Value;
}

/**
 * The graph with some of its inputs fixed: what does not change from run to run then lies where the weights lie, on the device that runs it,
 * and is not sent again.
 *
 * @param tensors by the names of the inputs that go
 * @throws ArgumentError for a name that is no input, or a tensor of another type or size
 */
export function bindInputs(graph: Graph, tensors: Readonly<Record<string, Tensor>>): Graph {
  const inputs = graph.inputs.filter(({ name }) => tensors[name]);
  checkFeeds({ name: graph.name, inputs }, tensors);
  return rewritten(graph, () => undefined, tensors);
}

/**
 * Copies a graph, with other ops in place of some nodes.
 *
 * @param replace gives the value that stands for the node's output, or undefined
 * @param fixed inputs that become constants
 */
export function rewritten(
  graph: Graph,
  replace: (node: Node, builder: Builder) => Value | undefined,
  fixed: Readonly<Record<string, Tensor>> = {},
): Graph {
  const copy = new Graph(graph.name);
  const values = new Map<string, Value>();
  for (const { name, dtype, dims } of graph.inputs) {
    const tensor = fixed[name];
    values.set(name, tensor ? copy.constant(dtype, dims, tensor.data) : copy.input(name, dtype, dims));
  }
  const value = (name: string): Value => {
    const known = values.get(name);
    if (known) return known;
    const constant = graph.constants.get(name);
    if (!constant) return graph.values.get(name)!; // not computed yet: only its sizes are of use
    const made = "parameter" in constant ? copy.value(constant.parameter) : copy.constant(constant.dtype, constant.dims, constant.data);
    values.set(name, made);
    return made;
  };
  for (const node of graph.nodes) {
    const replaced = replace(node, { graph: copy, value });
    if (replaced) {
      values.set(node.outputs[0]!, replaced);
      continue;
    }
    const outputs = copy.add(
      node.op,
      node.inputs.map((name) => (name === "" ? undefined : value(name))),
      node.outputs.map((name) => graph.values.get(name)!),
      { domain: node.domain, attributes: node.attributes, name: node.name },
    );
    for (const [index, name] of node.outputs.entries()) values.set(name, outputs[index]!);
  }
  for (const { name, value: output } of graph.outputs) copy.output(name, values.get(output.name)!);
  return copy;
}
