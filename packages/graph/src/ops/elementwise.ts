import { GraphError } from "../error.js";
import { type Graph, type Operand, shape, type Value } from "../graph.js";

/** A float32 constant `[]`. */
export function scalar(graph: Graph, value: number): Value {
  return graph.constant("float32", [], Float32Array.of(value));
}

/** Sum; sizes are equal or broadcast as in ONNX (aligned at the end, 1 fits all). */
export const add = (a: Value, b: Operand | number): Value => binary("Add", a, b);
/** Difference, broadcast as `add`. */
export const subtract = (a: Value, b: Operand | number): Value => binary("Sub", a, b);
/** Product, broadcast as `add`. */
export const multiply = (a: Value, b: Operand | number): Value => binary("Mul", a, b);
/** Quotient, broadcast as `add`. */
export const divide = (a: Value, b: Operand | number): Value => binary("Div", a, b);

export const exp = (x: Value): Value => unary("Exp", x);
export const sin = (x: Value): Value => unary("Sin", x);
export const cos = (x: Value): Value => unary("Cos", x);
export const sqrt = (x: Value): Value => unary("Sqrt", x);
export const tanh = (x: Value): Value => unary("Tanh", x);
export const sigmoid = (x: Value): Value => unary("Sigmoid", x);
export const relu = (x: Value): Value => unary("Relu", x);

/** `x` limited to `[low, high]`. */
export function clamp(x: Value, low: number, high: number): Value {
  if (x.dtype !== "float32") throw new GraphError(`clamp: expected float32, got ${x.dtype}`);
  if (!(low <= high)) throw new GraphError(`clamp: expected low below high, got ${low} and ${high}`);
  const [out] = x.graph.add("Clip", [x, scalar(x.graph, low), scalar(x.graph, high)], [x]);
  return out!;
}

/** Converted to another element type. */
export function cast(x: Value, dtype: "float32" | "int64" | "int32" | "float16" | "bool"): Value {
  if (x.dtype === dtype) return x;
  const codes = { float32: 1n, int32: 6n, int64: 7n, bool: 9n, float16: 10n };
  const [out] = x.graph.add("Cast", [x], [{ dtype, dims: x.dims }], { attributes: { to: codes[dtype] } });
  return out!;
}

function unary(op: string, x: Value): Value {
  if (!x.dtype.startsWith("float")) throw new GraphError(`${op}: expected real numbers, got ${x.dtype}`);
  const [out] = x.graph.add(op, [x], [x]);
  return out!;
}

function binary(op: string, a: Value, b: Operand | number): Value {
  const other = typeof b === "number" ? scalar(a.graph, b) : b;
  if (other.dtype !== a.dtype) throw new GraphError(`${op}: expected ${a.dtype}, got ${other.dtype}`);
  const [out] = a.graph.add(op, [a, other], [{ dtype: a.dtype, dims: broadcast(op, a.dims, other.dims) }]);
  return out!;
}

function broadcast(op: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const [left, right] = [a[a.length - rank + index] ?? 1, b[b.length - rank + index] ?? 1];
    if (left !== right && left !== 1 && right !== 1) throw new GraphError(`${op}: ${shape(a)} and ${shape(b)} do not fit`);
    return left === 1 ? right : left;
  });
}
