import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../backend.js";
import type { Operator, OperatorContext } from "../operator.js";
import { real, whole } from "../operator.js";

/** Axes by ONNX's rules: an optional input or attribute, negative ones counted from the end; all where none is given. */
function axesOf({ node, has, numbers, tensor }: OperatorContext): number[] {
  const attribute = node.attributes.axes;
  const given = Array.isArray(attribute) ? attribute.map(Number) : has(1) ? numbers(1) : tensor(0).shape.map((_, axis) => axis);
  return given.map((axis) => (axis < 0 ? axis + tensor(0).rank : axis));
}

/** The sum first, then its division: the backends' own mean divides every value first and rounds each. */
function mean(tf: TensorFlow, x: TfTensor, axes: number[], keepDims: boolean): TfTensor {
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  return tf.div(tf.sum(x, axes, keepDims), count);
}

function reduction(name: "sum" | "max" | "min"): Operator {
  return { constants: [1], run: (context) => context.tf[name](context.tensor(0), axesOf(context), whole(context.node, "keepdims", 1) === 1) };
}

export const reductions: Readonly<Record<string, Operator>> = {
  ReduceMean: {
    constants: [1],
    run: (context) => mean(context.tf, context.tensor(0), axesOf(context), whole(context.node, "keepdims", 1) === 1),
  },
  ReduceSum: reduction("sum"),
  ReduceMax: reduction("max"),
  ReduceMin: reduction("min"),
  ReduceSumSquare: {
    constants: [1],
    run: (context) => context.tf.sum(context.tf.square(context.tensor(0)), axesOf(context), whole(context.node, "keepdims", 1) === 1),
  },
  ReduceL2: {
    constants: [1],
    run: (context) =>
      context.tf.sqrt(context.tf.sum(context.tf.square(context.tensor(0)), axesOf(context), whole(context.node, "keepdims", 1) === 1)),
  },
  ArgMax: {
    refuses: (node) => (whole(node, "keepdims", 1) === 0 ? undefined : "keepdims"),
    run: ({ tf, node, tensor }) => tf.argMax(tensor(0), (whole(node, "axis", 0) + tensor(0).rank) % tensor(0).rank),
  },
  Softmax: {
    run: ({ tf, node, tensor }) => tf.softmax(tensor(0), (whole(node, "axis", -1) + tensor(0).rank) % tensor(0).rank),
  },
  LayerNormalization: {
    refuses: (node) => (whole(node, "axis", -1) === -1 ? undefined : "an axis other than the last"),
    run: ({ tf, node, tensor, has }) => {
      const x = tensor(0);
      const axis = x.rank - 1;
      const centred = tf.sub(x, mean(tf, x, [axis], true));
      const variance = mean(tf, tf.square(centred), [axis], true);
      const scaled = tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, real(node, "epsilon", 1e-5)))), tensor(1));
      return has(2) ? tf.add(scaled, tensor(2)) : scaled;
    },
  },
  BatchNormalization: {
    refuses: (node) => (whole(node, "training_mode", 0) === 0 ? undefined : "training_mode"),
    run: ({ tf, node, tensor }) => {
      const x = tensor(0);
      const perChannel = (index: number) => tf.reshape(tensor(index), [-1, ...x.shape.slice(2).map(() => 1)]);
      const factor = tf.div(perChannel(1), tf.sqrt(tf.add(perChannel(4), real(node, "epsilon", 1e-5))));
      return tf.add(tf.mul(tf.sub(x, perChannel(3)), factor), perChannel(2));
    },
  },
};
