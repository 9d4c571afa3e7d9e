import type { Tensor4D, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { type Operator, type OperatorContext, whole, wholes } from "../operator.js";

interface Windows {
  /** [B, H, W, C] with the border that the windows reach into. */
  readonly padded: Tensor4D;
  readonly border: [number, number][];
  readonly kernel: [number, number];
  readonly strides: [number, number];
}

/** The picture as every backend takes it, filled at its borders as far as the last window reaches. */
function windowed({ tf, node, dims, tensor }: OperatorContext, fill: number): Windows {
  const x = tf.transpose(tensor(0), [0, 2, 3, 1]) as Tensor4D;
  const kernel = wholes(node, "kernel_shape", [1, 1]) as [number, number];
  const strides = wholes(node, "strides", [1, 1]) as [number, number];
  const pads = wholes(node, "pads", [0, 0, 0, 0]);
  const border = [0, 1].map((axis): [number, number] => {
    const reached = (dims[axis + 2]! - 1) * strides[axis]! + kernel[axis]!;
    return [pads[axis]!, Math.max(pads[axis + 2]!, reached - x.shape[axis + 1]! - pads[axis]!)];
  });
  return { padded: tf.pad(x, [[0, 0], ...border, [0, 0]], fill), border, kernel, strides };
}

function refuses(node: Parameters<NonNullable<Operator["refuses"]>>[0]): string | undefined {
  if (wholes(node, "dilations", [1, 1]).some((step) => step !== 1)) return "dilations";
  if (node.attributes.auto_pad !== undefined && node.attributes.auto_pad !== "NOTSET") return "auto_pad";
  return wholes(node, "kernel_shape", []).length === 2 ? undefined : "pictures of other than two dimensions";
}

export const pooling: Readonly<Record<string, Operator>> = {
  MaxPool: {
    refuses: (node) => refuses(node) ?? (node.outputs.length > 1 ? "indices" : undefined),
    run: (context) => {
      const { padded, kernel, strides } = windowed(context, Number.NEGATIVE_INFINITY);
      return context.tf.transpose(context.tf.maxPool(padded, kernel, strides, "valid"), [0, 3, 1, 2]);
    },
  },
  AveragePool: {
    refuses: (node) => refuses(node) ?? (whole(node, "ceil_mode", 0) === 0 ? undefined : "ceil_mode"),
    run: (context) => {
      const { tf, node, tensor } = context;
      const { padded, border, kernel, strides } = windowed(context, 0);
      const pool = (of: Tensor4D): TfTensor => tf.avgPool(of, kernel, strides, "valid");
      const means = pool(padded);
      const [, , height, width] = tensor(0).shape as [number, number, number, number];
      const inside = () => pool(tf.pad(tf.ones([1, height, width, 1]), [[0, 0], ...border, [0, 0]]) as Tensor4D);
      const counted = whole(node, "count_include_pad", 0) === 1 ? means : tf.div(means, inside());
      return tf.transpose(counted, [0, 3, 1, 2]);
    },
  },
};
