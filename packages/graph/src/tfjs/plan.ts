import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { type Constant, type Graph, type Node, shape } from "../graph.js";
import { live } from "../serialize.js";
import { SessionError } from "../session/error.js";
import { type DType, elementCount } from "../tensor.js";
import { isFloat, widenToFloat32, widenToFloat64 } from "../weights/widen.js";
import type { TensorFlow } from "./backend.js";
import type { Operator } from "./operator.js";
import { operators } from "./operators.js";

/** One node ready to run: its operator, the values it reads, and those that nobody reads after it. */
export interface Step {
  readonly node: Node;
  readonly operator: Operator;
  readonly freed: readonly string[];
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Constants that are read as tensors. */
  readonly constants: ReadonlyMap<string, Constant>;
  /** Constants that are read as numbers. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
  /** Names under which convolution kernels are kept, and the constants they come from. */
  readonly kernels: ReadonlyMap<string, Constant>;
}

/** A kernel has a name of its own, so that a weight used in another way as well keeps its own layout there. */
export function kernelName(name: string): string {
  return `${name} as a kernel`;
}

/**
 * How the graph is run op by op.
 *
 * @throws SessionError `failed` that lists every operator or form of one that TensorFlow.js is not taught here
 */
export function planOf(graph: Graph): Plan {
  const { nodes, constants: used } = live(graph);
  const refused = [...new Set(nodes.flatMap(refusal))];
  if (refused.length > 0) throw new SessionError("failed", `${graph.name} cannot run on TensorFlow.js: ${refused.join("; ")}`);
  const numbers = new Map<string, readonly number[]>();
  const constants = new Map<string, Constant>();
  const kernels = new Map<string, Constant>();
  for (const node of nodes) {
    const operator = operators[node.op]!;
    for (const [index, name] of node.inputs.entries()) {
      const constant = used.get(name);
      if (!constant) continue;
      if (operator.constants?.includes(index)) {
        if ("data" in constant) numbers.set(name, [...widenToFloat64(constant.dtype, constant.data)]);
      } else if (operator.kernel === index) kernels.set(kernelName(name), constant);
      else constants.set(name, constant);
    }
  }
  for (const { value } of graph.outputs) {
    const constant = used.get(value.name) ?? graph.constants.get(value.name);
    if (constant) constants.set(value.name, constant);
  }
  const kept = new Set([...constants.keys(), ...graph.outputs.map(({ value }) => value.name)]);
  const lastUse = new Map(nodes.flatMap(({ inputs }, index) => inputs.map((name) => [name, index] as const)));
  const steps = nodes.map((node, index) => ({
    node,
    operator: operators[node.op]!,
    freed: [...new Set(node.inputs)].filter((name) => lastUse.get(name) === index && !kept.has(name)),
  }));
  return { steps, constants, numbers, kernels };
}

function refusal(node: Node): string[] {
  const operator = Object.hasOwn(operators, node.op) ? operators[node.op] : undefined;
  if (!operator) return [`the operator ${node.op}`];
  const form = operator.refuses?.(node);
  return form === undefined ? [] : [`${node.op} with ${form}`];
}

/** The element type that stands for the graph's: TensorFlow.js knows float32, int32 and bool. */
export function tfDtype(dtype: DType): "float32" | "int32" | "bool" {
  if (dtype === "bool") return "bool";
  return isFloat(dtype) ? "float32" : "int32";
}

/** A constant as a tensor; stored weights are read and widened one by one. */
export async function constantTensor(tf: TensorFlow, constant: Constant): Promise<TfTensor> {
  const dims = [...constant.dims];
  if (!("parameter" in constant)) return tf.tensor(values(constant.dtype, constant.data), dims, tfDtype(constant.dtype));
  const { stored, start } = constant.parameter;
  const count = elementCount(dims);
  const bytes = stored.readRange ? await stored.readRange(start, start + count) : await stored.read();
  const all = values(stored.dtype, bytes);
  const part = stored.readRange ? all : all.subarray(start, start + count);
  if (part.length !== count)
    throw new SessionError("failed", `${constant.parameter.name}: expected ${count} values for ${shape(dims)}, got ${part.length}`);
  // A copy: some backends keep the array they are given, and this one may be a view of a file's bytes.
  return tf.tensor(part.slice(), dims, tfDtype(constant.dtype));
}

/** From a convolution's kernel [K, C, kH, kW] to what TensorFlow.js takes, [kH, kW, C, K]. */
export const kernelOrder: number[] = [2, 3, 1, 0];

/** A convolution's kernel laid out as TensorFlow.js takes it. */
export async function kernelTensor(tf: TensorFlow, constant: Constant): Promise<TfTensor> {
  const stored = await constantTensor(tf, constant);
  const kernel = tf.transpose(stored, kernelOrder);
  stored.dispose();
  return kernel;
}

function values(dtype: DType, bytes: Uint8Array): Float32Array | Int32Array | Uint8Array {
  if (isFloat(dtype)) return widenToFloat32(dtype, bytes);
  return dtype === "bool" ? bytes : Int32Array.from(widenToFloat64(dtype, bytes));
}
