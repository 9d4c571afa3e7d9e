import type { Constant, Graph, Node, Value } from "../graph.js";
import { concat } from "../ops/layout.js";
import { type Builder, rewritten } from "../rewrite.js";
import { elementCount } from "../tensor.js";
import { isFloat, widenToFloat32 } from "../weights/widen.js";
import { type QuantizedWeight, quantizeWeights } from "./int8-weights.js";
import { type ActivationRanges, isConvolution, joinedChannels } from "./ranges.js";

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
 * moment), convolutions by the ranges given; those of joined skips by the range of each part. These stay float32: layers of a few rows (the time
 * embedding and its projections), and what reads an input of the graph or gives an output (first and last layers).
 */
export async function int8Graph(graph: Graph, { ranges = {}, keep = () => false, ...options }: Int8Options = {}): Promise<Graph> {
  const parts = joinedChannels(graph);
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
    return isConvolution(node) && (parts.get(node.inputs[0]!) ?? [node.inputs[0]!]).concat(node.outputs[0]!).every((name) => ranges[name]);
  });
  const joins = new Map<Node, readonly JoinedPart[]>();
  for (const node of chosen) {
    const names = isConvolution(node) ? parts.get(node.inputs[0]!) : undefined;
    if (names)
      joins.set(
        node,
        names.map((name) => partOf(graph, name, ranges)),
      );
  }
  const requests = chosen.map((node) => ({
    parameter: weightOf(node)!,
    transposed: node.op === "Gemm",
    // Each part of a join goes in as levels of its own; what a level is worth goes into the weights.
    inputScales: joins.has(node)
      ? Float32Array.from(joins.get(node)!.flatMap(({ channels, scale }) => Array<number>(channels).fill(scale)))
      : undefined,
  }));
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
      ? convolution(node, weight, out, { ranges, join: joins.get(node), bias: biases.get(node), scales: scales.get(node)! })
      : linear(node, weight, out);
  });
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

interface ConvolutionData {
  readonly ranges: ActivationRanges;
  /** What is joined to the input, if anything. */
  readonly join: readonly JoinedPart[] | undefined;
  readonly bias: Float32Array | undefined;
  readonly scales: Float32Array;
}

/** One part of what is joined along the channels, in 8 bits: `middle` is zero, `scale` what a level is worth. */
interface JoinedPart {
  readonly name: string;
  readonly channels: number;
  readonly scale: number;
}

const middle = 128;

function partOf(graph: Graph, name: string, ranges: ActivationRanges): JoinedPart {
  const [least, most] = ranges[name]!;
  const reach = Math.max(Math.abs(least), Math.abs(most));
  return { name, channels: graph.values.get(name)!.dims[1]!, scale: Math.fround(reach > 0 ? reach / 127 : 1) };
}

function convolution(
  node: Node,
  { quantized, scale }: QuantizedWeight,
  { graph, value }: Builder,
  { ranges, join, bias, scales }: ConvolutionData,
): Value {
  const seen = join ? { scale: 1, zero: middle } : levels(ranges[node.inputs[0]!]!);
  const x = join ? joinedBytes(graph, join, value) : throughBytes(graph, value(node.inputs[0]!), seen);
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

/** Parts as levels of their own, joined; a level counts 1. */
function joinedBytes(graph: Graph, join: readonly JoinedPart[], value: (name: string) => Value): Value {
  const zero = graph.constant("uint8", [], Uint8Array.of(middle));
  const bytes = join.map(({ name, scale }) => {
    const x = value(name);
    return graph.add("QuantizeLinear", [x, graph.constant("float32", [], Float32Array.of(scale)), zero], [{ dtype: "uint8", dims: x.dims }])[0]!;
  });
  const joined = concat(bytes, 1);
  const [levels] = graph.add(
    "DequantizeLinear",
    [joined, graph.constant("float32", [], Float32Array.of(1)), zero],
    [{ dtype: "float32", dims: joined.dims }],
  );
  return levels!;
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

async function floatsOf(constant: Constant): Promise<Float32Array> {
  if ("data" in constant) return new Float32Array(constant.data.slice().buffer);
  const { stored, start, dims } = constant.parameter;
  const bytes = await stored.read();
  if (!isFloat(stored.dtype)) throw new TypeError(`int8: ${stored.name} is ${stored.dtype}`);
  return widenToFloat32(stored.dtype, bytes).slice(start, start + elementCount(dims));
}
