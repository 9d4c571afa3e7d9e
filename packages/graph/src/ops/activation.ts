import { GraphError } from "../error.js";
import type { Value } from "../graph.js";
import { multiply, sigmoid } from "./elementwise.js";

/** `x · sigmoid(x)` (swish). Written as two ops that ONNX Runtime fuses into one. */
export const silu = (x: Value): Value => multiply(x, sigmoid(x));

/** `x · sigmoid(1.702 x)`, OpenAI CLIP's approximation of GELU. */
export const quickGelu = (x: Value): Value => multiply(x, sigmoid(multiply(x, 1.702)));

/** Exact GELU, `x · Φ(x)` by the error function. */
export function gelu(x: Value): Value {
  const [out] = x.graph.add("Gelu", [x], [x], { attributes: { approximate: "none" } });
  return out!;
}

/** Softmax over the last dimension. */
export function softmax(x: Value): Value {
  const [out] = x.graph.add("Softmax", [x], [x], { attributes: { axis: -1n } });
  return out!;
}

/** The activation that a published configuration names. Throws a `GraphError` that lists the known names. */
export function activation(name: string): (x: Value) => Value {
  const known: Readonly<Record<string, (x: Value) => Value>> = { silu, swish: silu, gelu, quick_gelu: quickGelu };
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!found) throw new GraphError(`activation: expected one of ${Object.keys(known).join(", ")}, got "${name}"`);
  return found;
}
