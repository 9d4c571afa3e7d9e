import { type Operator, whole, wholes } from "../operator.js";

export const layout: Readonly<Record<string, Operator>> = {
  Reshape: { constants: [1], run: ({ tf, tensor, dims }) => tf.reshape(tensor(0), [...dims]) },
  Transpose: { run: ({ tf, node, tensor }) => tf.transpose(tensor(0), [...wholes(node, "perm", [])]) },
  Concat: {
    run: ({ tf, node, tensor }) =>
      tf.concat(
        node.inputs.map((_, index) => tensor(index)),
        whole(node, "axis", 0),
      ),
  },
  Expand: { constants: [1], run: ({ tf, tensor, dims }) => tf.broadcastTo(tensor(0), [...dims]) },
  Slice: {
    constants: [1, 2, 3, 4],
    run: ({ tf, tensor, numbers, has }) => {
      const x = tensor(0);
      const [from, to] = [numbers(1), numbers(2)];
      const axes = has(3) ? numbers(3) : from.map((_, axis) => axis);
      const [begin, end] = [x.shape.map(() => 0), [...x.shape]];
      const steps = x.shape.map(() => 1);
      for (const [index, axis] of axes.entries()) {
        begin[axis] = from[index]!;
        end[axis] = Math.min(to[index]!, x.shape[axis]!);
        if (has(4)) steps[axis] = numbers(4)[index]!;
      }
      if (steps.every((step) => step === 1)) {
        return tf.slice(
          x,
          begin,
          end.map((stop, axis) => stop - begin[axis]!),
        );
      }
      return tf.stridedSlice(x, begin, end, steps);
    },
  },
  Gather: { run: ({ tf, node, tensor }) => tf.gather(tensor(0), tf.cast(tensor(1), "int32"), whole(node, "axis", 0)) },
  GatherND: {
    refuses: (node) => (whole(node, "batch_dims", 0) === 1 ? undefined : "other than one batch dimension"),
    run: ({ tf, tensor, dims }) => {
      // x [B, T, …], indices [B, 1]: row b · T + index of the flattened table.
      const [x, indices] = [tensor(0), tensor(1)];
      const [batch, rows] = x.shape as [number, number];
      const flat = tf.reshape(x, [batch * rows, ...x.shape.slice(2)]);
      const offsets = tf.range(0, batch * rows, rows, "int32");
      return tf.reshape(tf.gather(flat, tf.add(tf.reshape(indices, [batch]), offsets)), [...dims]);
    },
  },
  Resize: {
    constants: [1, 2, 3],
    refuses: ({ attributes }) =>
      attributes.mode === "nearest" && attributes.coordinate_transformation_mode === "asymmetric" && attributes.nearest_mode === "floor"
        ? undefined
        : "anything but nearest, asymmetric, floor",
    run: ({ tf, tensor, dims }) => {
      let x = tensor(0);
      for (const [axis, size] of dims.entries()) {
        const from = x.shape[axis]!;
        if (from !== size)
          x = tf.gather(
            x,
            tf.tensor1d(
              Int32Array.from({ length: size }, (_, index) => Math.floor((index * from) / size)),
              "int32",
            ),
            axis,
          );
      }
      return x;
    },
  },
};
