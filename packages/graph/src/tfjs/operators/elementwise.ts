import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../backend.js";
import type { Operator } from "../operator.js";

type Unary = "exp" | "sin" | "cos" | "sqrt" | "tanh" | "sigmoid" | "relu" | "neg" | "abs" | "erf" | "log";
type Binary = "add" | "sub" | "mul" | "div" | "pow" | "maximum" | "minimum";

const unary = (name: Unary): Operator => ({ run: ({ tf, tensor }) => tf[name](tensor(0)) });
const binary = (name: Binary): Operator => ({ run: ({ tf, tensor }) => tf[name](tensor(0), tensor(1)) });

export const elementwise: Readonly<Record<string, Operator>> = {
  Add: binary("add"),
  Sub: binary("sub"),
  Mul: binary("mul"),
  Div: binary("div"),
  Pow: binary("pow"),
  Exp: unary("exp"),
  Log: unary("log"),
  Sin: unary("sin"),
  Cos: unary("cos"),
  Sqrt: unary("sqrt"),
  Tanh: unary("tanh"),
  Sigmoid: unary("sigmoid"),
  Relu: unary("relu"),
  Neg: unary("neg"),
  Abs: unary("abs"),
  Erf: unary("erf"),
  Identity: { run: ({ tf, tensor }) => tf.clone(tensor(0)) },
  Equal: { run: ({ tf, tensor }) => tf.equal(tensor(0), tensor(1)) },
  Where: { run: ({ tf, tensor }) => tf.where(tensor(0), tensor(1), tensor(2)) },
  // The backends' own cast to bool keeps other numbers than 0 and 1.
  Cast: { run: ({ tf, tensor, dtype }) => (dtype === "bool" ? tf.notEqual(tensor(0), tf.zerosLike(tensor(0))) : tf.cast(tensor(0), dtype)) },
  Clip: {
    constants: [1, 2],
    run: ({ tf, tensor, has, numbers }) =>
      tf.clipByValue(tensor(0), has(1) ? numbers(1)[0]! : Number.NEGATIVE_INFINITY, has(2) ? numbers(2)[0]! : Number.POSITIVE_INFINITY),
  },
  Gelu: {
    refuses: ({ attributes }) => (attributes.approximate === "tanh" ? "the tanh approximation" : undefined),
    run: ({ tf, tensor }) => gelu(tf, tensor(0)),
  },
};

/** `x · Φ(x)`, as `x · ½ (1 + erf(x / √2))`. */
function gelu(tf: TensorFlow, x: TfTensor): TfTensor {
  return tf.mul(x, tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5));
}
