import { type Constant, Graph, type Node, type Value } from "../graph.js";
import { elementCount } from "../tensor.js";
import { isFloat, widenToFloat32 } from "../weights/widen.js";
import { type QuantizedWeight, quantizeWeights } from "./int8-weights.js";
import { type ActivationRanges, isConvolution } from "./ranges.js";

export interface Int8Options {
  /** What convolutions see; those that are not in it stay float32. Default: none. */
  readonly ranges?: ActivationRanges;
  /** Nodes that stay float32 besides those that always do; by name, which for layers with weights is that of the weight. */
  readonly keep?: (node: Node) => boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Fewer rows than this are no work worth converting; the time embedding has one for each image. */
const fewestRows = 16;

/**
 * The graph with linear layers and convolutions in 8 bits. Linear layers are quantised as they run (inputs by their own range at that
 * moment), convolutions by the ranges given. These stay float32: layers of a few rows (the time embedding and its projections), what reads an
 * input of the graph or gives an output (first and last layers), and convolutions of joined skips, whose halves have ranges of their own.
 */
export async function int8Graph(graph: Graph, { ranges = {}, keep = () => false, ...options }: Int8Options = {}): Promise<Graph> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const ends = new Set(graph.outputs.map(({ value }) => value.name));
  const starts = new Set(graph.inputs.map(({ name }) => name));
  const weightOf = (node: Node) => {
    const constant = graph.constants.get(node.inputs[1] ?? "");
    return constant && "parameter" in constant ? constant.parameter : undefined;
  };
  const chosen = graph.nodes.filter((node) => {
    const weight = weightOf(node);
    if (!weight || starts.has(node.inputs[0]!) || ends.has(node.outputs[0]!) || keep(node)) return false;
    if (node.op === "Gemm") return node.attributes.transB === 1n && (graph.values.get(node.inputs[0]!)?.dims[0] ?? 0) >= fewestRows;
    return (
      isConvolution(node) &&
      producers.get(node.inputs[0]!)?.op !== "Concat" &&
      ranges[node.inputs[0]!] !== undefined &&
      ranges[node.outputs[0]!] !== undefined
    );
  });
  const requests = chosen.map((node) => ({ parameter: weightOf(node)!, transposed: node.op === "Gemm" }));
  const weights = await quantizeWeights(requests, options);
  const table = new Map(chosen.map((node, index) => [node, weights[index]!]));
  const biases = new Map<Node, Float32Array>();
  for (const node of chosen) {
    const bias = isConvolution(node) ? graph.constants.get(node.inputs[2] ?? "") : undefined;
    if (bias) biases.set(node, await floatsOf(bias));
  }
  const scales = new Map<Node, Float32Array>();
  for (const [node, { scale }] of table) {
    if (isConvolution(node)) scales.set(node, await floatsOf({ dtype: "float32", dims: scale.dims, parameter: scale }));
  }
  return rewritten(graph, (node, out) => {
    const weight = table.get(node);
    if (!weight) return undefined;
    return isConvolution(node)
      ? convolution(node, weight, out, { ranges, bias: biases.get(node), scales: scales.get(node)! })
      : linear(node, weight, out);
  });
}

/** Builds part of the new graph: looks values up by their old names. */
interface Builder {
  readonly graph: Graph;
  readonly value: (name: string) => Value;
}

function linear(node: Node, { quantized, scale }: QuantizedWeight, { graph, value }: Builder): Value {
  const x = value(node.inputs[0]!);
  const bias = node.inputs[2] ? value(node.inputs[2]) : undefined;
  const [out] = graph.add(
    "DynamicQuantizeMatMul",
    [x, quantized, scale, undefined, bias],
    [{ dtype: "float32", dims: [x.dims[0]!, scale.dims[0]!] }],
    {
      domain: "com.microsoft",
    },
  );
  return out!;
}

function convolution(
  node: Node,
  { quantized, scale }: QuantizedWeight,
  { graph, value }: Builder,
  { ranges, bias, scales }: { readonly ranges: ActivationRanges; readonly bias: Float32Array | undefined; readonly scales: Float32Array },
): Value {
  const seen = levels(ranges[node.inputs[0]!]!);
  const x = throughBytes(graph, value(node.inputs[0]!), seen);
  const [weight] = graph.add("DequantizeLinear", [quantized, scale], [{ dtype: "float32", dims: quantized.dims }], { attributes: { axis: 0n } });
  const inputs: Value[] = [x, weight!];
  if (bias) {
    const steps = scales.map((one) => one * seen.scale);
    const whole = Int32Array.from(bias, (one, channel) => Math.round(one / steps[channel]!));
    const dims = [bias.length];
    const [wide] = graph.add(
      "DequantizeLinear",
      [graph.constant("int32", dims, whole), graph.constant("float32", dims, steps)],
      [{ dtype: "float32", dims }],
      {
        attributes: { axis: 0n },
      },
    );
    inputs.push(wide!);
  }
  const [out] = graph.add("Conv", inputs, [{ dtype: "float32", dims: node.outputs.map((name) => value(name).dims)[0]! }], {
    attributes: node.attributes,
  });
  return throughBytes(graph, out!, levels(ranges[node.outputs[0]!]!));
}

/** 256 levels over a range that includes zero, which is one of them. */
function levels([least, most]: readonly [number, number]): { readonly scale: number; readonly zero: number } {
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  const scale = Math.fround(high > low ? (high - low) / 255 : 1);
  return { scale, zero: Math.round(-low / scale) };
}

function throughBytes(graph: Graph, x: Value, { scale, zero }: { readonly scale: number; readonly zero: number }): Value {
  const parameters = [graph.constant("float32", [], Float32Array.of(scale)), graph.constant("uint8", [], Uint8Array.of(zero))];
  const [bytes] = graph.add("QuantizeLinear", [x, ...parameters], [{ dtype: "uint8", dims: x.dims }]);
  const [back] = graph.add("DequantizeLinear", [bytes!, ...parameters], [{ dtype: "float32", dims: x.dims }]);
  return back!;
}

/** Copies a graph, with other ops in place of some nodes; `replace` gives the value that stands for the node's output, or undefined. */
function rewritten(graph: Graph, replace: (node: Node, builder: Builder) => Value | undefined): Graph {
  const copy = new Graph(graph.name);
  const values = new Map<string, Value>(graph.inputs.map(({ name, dtype, dims }) => [name, copy.input(name, dtype, dims)]));
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

async function floatsOf(constant: Constant): Promise<Float32Array> {
  if ("data" in constant) return new Float32Array(constant.data.slice().buffer);
  const { stored, start, dims } = constant.parameter;
  const bytes = await stored.read();
  if (!isFloat(stored.dtype)) throw new TypeError(`int8: ${stored.name} is ${stored.dtype}`);
  return widenToFloat32(stored.dtype, bytes).slice(start, start + elementCount(dims));
}
