import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { Attribute, Node } from "../graph.js";
import type { TensorFlow } from "./backend.js";

/** What an operator sees of its node. Whole numbers are int32 tensors, whatever the graph calls them. */
export interface OperatorContext {
  readonly tf: TensorFlow;
  readonly node: Node;
  /** Sizes of the first output, as the graph inferred them. */
  readonly dims: readonly number[];
  /** The element type of the first output, as TensorFlow.js knows it. */
  readonly dtype: "float32" | "int32" | "bool";
  /** Whether an optional input is there. */
  has(index: number): boolean;
  /** An input as a tensor. */
  tensor(index: number): TfTensor;
  /** The numbers of an input that the graph holds as a constant: shapes, axes, bounds. */
  numbers(index: number): readonly number[];
}

/** One ONNX operator in terms of TensorFlow.js. Runs inside `tf.tidy`: what it does not return is freed. */
export interface Operator {
  readonly run: (context: OperatorContext) => TfTensor;
  /** Index of the input that is a convolution's kernel: given as [kH, kW, C, K], a weight laid out once. */
  readonly kernel?: number;
  /** Inputs that are read as numbers, never as tensors. */
  readonly constants?: readonly number[];
  /** What of this operator is not there, for nodes that ask for it; such graphs are refused before anything is loaded. */
  readonly refuses?: (node: Node) => string | undefined;
}

/** A whole number among a node's attributes. */
export function whole(node: Node, name: string, absent: number): number {
  const value: Attribute | undefined = node.attributes[name];
  return value === undefined ? absent : Number(value);
}

/** A list of whole numbers among a node's attributes. */
export function wholes(node: Node, name: string, absent: readonly number[]): readonly number[] {
  const value = node.attributes[name];
  return Array.isArray(value) ? value.map(Number) : absent;
}

/** A real number among a node's attributes. */
export function real(node: Node, name: string, absent: number): number {
  const value = node.attributes[name];
  return typeof value === "number" ? value : absent;
}
