import { GraphError } from "../error.js";
import { type Graph, type Operand, shape, type Value } from "../graph.js";
import { add, multiply } from "./elementwise.js";
import { reshape } from "./layout.js";

/**
 * Group normalisation, as `torch.nn.functional.group_norm`: mean and variance over each group of C / groups channels and all positions.
 *
 * ONNX Runtime has no fast kernel of that name on CPUs; normalising `[B, groups, …]` instance by instance is the cheapest exact form.
 *
 * @param x `[B, C, …]`
 * @param weight `[C]`
 * @param bias `[C]`
 * @throws GraphError when sizes do not fit.
 */
export function groupNorm(x: Value, weight: Operand, bias: Operand, { groups, epsilon }: { readonly groups: number; readonly epsilon: number }): Value {
  const [batch, channels] = x.dims as [number, number];
  if (x.dims.length < 3 || channels % groups !== 0) throw new GraphError(`groupNorm: ${shape(x.dims)} does not split into ${groups} groups of channels`);
  expectPerChannel("groupNorm", channels, weight, bias);
  const { graph } = x;
  const perGroup = x.dims.slice(1).reduce((product, size) => product * size, 1) / groups;
  const grouped = reshape(x, [batch, groups, perGroup]);
  const [normal] = graph.add("InstanceNormalization", [grouped, filled(graph, groups, 1), filled(graph, groups, 0)], [grouped], {
    attributes: { epsilon },
    name: weight.name.replace(/\.weight$/, ""),
  });
  const column = [channels, ...x.dims.slice(2).map(() => 1)];
  return add(multiply(reshape(normal!, x.dims), column1(graph, weight, column)), column1(graph, bias, column));
}

/**
 * Layer normalisation over the last dimension, as `torch.nn.functional.layer_norm`.
 *
 * @param x `[…, C]`
 * @param weight `[C]`
 * @param bias `[C]`
 * @throws GraphError when sizes do not fit.
 */
export function layerNorm(x: Value, weight: Operand, bias: Operand, { epsilon = 1e-5 }: { readonly epsilon?: number } = {}): Value {
  expectPerChannel("layerNorm", x.dims.at(-1)!, weight, bias);
  const [out] = x.graph.add("LayerNormalization", [x, weight, bias], [x], { attributes: { axis: -1n, epsilon }, name: weight.name.replace(/\.weight$/, "") });
  return out!;
}

function expectPerChannel(where: string, channels: number, ...operands: readonly Operand[]): void {
  for (const { name, dims } of operands) {
    if (String(dims) !== String([channels])) throw new GraphError(`${where}: expected [${channels}], got ${name} ${shape(dims)}`);
  }
}

function column1(graph: Graph, operand: Operand, dims: readonly number[]): Value {
  return reshape(graph.value(operand), dims);
}

function filled(graph: Graph, length: number, value: number): Value {
  return graph.constant("float32", [length], new Float32Array(length).fill(value));
}
