import { GraphError } from "../error.js";
import { type Graph, type Operand, shape, type Value } from "../graph.js";
import { elementCount } from "../tensor.js";

/** A constant list of integers, as shape arguments take it. */
export function integers(graph: Graph, values: readonly number[]): Value {
  return graph.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
}

/** The same elements in other sizes. Throws a `GraphError` when their number differs. */
export function reshape(x: Operand & Value, dims: readonly number[]): Value {
  if (elementCount(dims) !== elementCount(x.dims)) throw new GraphError(`reshape: ${shape(x.dims)} does not fit ${shape(dims)}`);
  if (String(dims) === String(x.dims)) return x;
  const [out] = x.graph.add("Reshape", [x, integers(x.graph, dims)], [{ dtype: x.dtype, dims }]);
  return out!;
}

/** Dimensions in another order: `transpose(x [B, C, T], [0, 2, 1])` → `[B, T, C]`. */
export function transpose(x: Value, order: readonly number[]): Value {
  if (order.length !== x.dims.length || ![...order].sort((a, b) => a - b).every((axis, index) => axis === index)) {
    throw new GraphError(`transpose: expected an order of ${x.dims.length} axes, got ${shape(order)}`);
  }
  const [out] = x.graph.add("Transpose", [x], [{ dtype: x.dtype, dims: order.map((axis) => x.dims[axis]!) }], {
    attributes: { perm: order.map(BigInt) },
  });
  return out!;
}

/** Values joined along `axis`; all other sizes must be equal. */
export function concat(values: readonly Operand[], axis: number): Value {
  const first = values.find((value): value is Value => "graph" in value);
  if (!first) throw new GraphError("concat: expected at least one computed value");
  if (!Number.isInteger(axis) || axis < 0 || axis >= first.dims.length) throw new GraphError(`concat: ${shape(first.dims)} has no axis ${axis}`);
  const other = values.find((value) => value.dtype !== first.dtype);
  if (other) throw new GraphError(`concat: expected ${first.dtype}, got ${other.name} ${other.dtype}`);
  const others = (operand: Operand) => String(operand.dims.toSpliced(axis, 1));
  if (values.some((value) => value.dims.length !== first.dims.length || others(value) !== others(first))) {
    throw new GraphError(`concat: sizes do not fit along axis ${axis}: ${values.map((value) => shape(value.dims)).join(", ")}`);
  }
  const dims = first.dims.with(
    axis,
    values.reduce((sum, value) => sum + value.dims[axis]!, 0),
  );
  const [out] = first.graph.add("Concat", values, [{ dtype: first.dtype, dims }], { attributes: { axis: BigInt(axis) } });
  return out!;
}

/** The elements `from` to `to` (exclusive) along `axis`. */
export function slice(x: Value, axis: number, from: number, to: number): Value {
  if (![from, to].every(Number.isInteger) || !(axis < x.dims.length && 0 <= from && from < to && to <= x.dims[axis]!)) {
    throw new GraphError(`slice: ${from} to ${to} along axis ${axis} is outside ${shape(x.dims)}`);
  }
  const { graph } = x;
  const bounds = [integers(graph, [from]), integers(graph, [to]), integers(graph, [axis])];
  const [out] = graph.add("Slice", [x, ...bounds], [{ dtype: x.dtype, dims: x.dims.with(axis, to - from) }]);
  return out!;
}

/** `x` repeated to larger sizes; a dimension of 1 may grow, every other must be equal. */
export function expand(x: Operand, graph: Graph, dims: readonly number[]): Value {
  const aligned = [...Array(Math.max(0, dims.length - x.dims.length)).fill(1), ...x.dims];
  if (aligned.length !== dims.length || aligned.some((size, axis) => size !== 1 && size !== dims[axis])) {
    throw new GraphError(`expand: ${shape(x.dims)} does not fit ${shape(dims)}`);
  }
  const [out] = graph.add("Expand", [x, integers(graph, dims)], [{ dtype: x.dtype, dims }]);
  return out!;
}
