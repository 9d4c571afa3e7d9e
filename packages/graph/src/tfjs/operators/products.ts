import type { Tensor4D, Tensor as TfTensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../backend.js";
import { type Operator, real, whole, wholes } from "../operator.js";

export const products: Readonly<Record<string, Operator>> = {
  MatMul: {
    run: ({ tf, tensor }) => {
      const [a, b] = [tensor(0), tensor(1)];
      if (b.rank !== 2 || a.rank === 2) return tf.matMul(a, b);
      const rows = a.size / a.shape.at(-1)!;
      return tf.reshape(tf.matMul(tf.reshape(a, [rows, a.shape.at(-1)!]), b), [...a.shape.slice(0, -1), b.shape[1]!]);
    },
  },
  Gemm: {
    run: ({ tf, node, tensor, has }) => {
      const product = tf.matMul(tensor(0), tensor(1), whole(node, "transA", 0) === 1, whole(node, "transB", 0) === 1);
      const scaled = times(tf, product, real(node, "alpha", 1));
      return has(2) ? tf.add(scaled, times(tf, tensor(2), real(node, "beta", 1))) : scaled;
    },
  },
  Conv: {
    kernel: 1,
    run: ({ tf, node, tensor, has }) => {
      // [B, C, H, W] → [B, H, W, C]: the only layout that every backend computes.
      const x = tf.transpose(tensor(0), [0, 2, 3, 1]) as Tensor4D;
      const kernel = tensor(1) as Tensor4D; // [kH, kW, C / groups, K]
      const groups = whole(node, "group", 1);
      const [top, left, bottom, right] = wholes(node, "pads", [0, 0, 0, 0]) as [number, number, number, number];
      const [strides, dilations] = [wholes(node, "strides", [1, 1]), wholes(node, "dilations", [1, 1])];
      const padded = tf.pad(x, [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]);
      const convolve = (part: Tensor4D, weights: Tensor4D) =>
        tf.conv2d(part, weights, strides as [number, number], "valid", "NHWC", dilations as [number, number]);
      const parts = tf.split(padded, groups, 3) as Tensor4D[];
      const kernels = tf.split(kernel, groups, 3) as Tensor4D[];
      const joined =
        groups === 1
          ? convolve(padded, kernel)
          : tf.concat(
              parts.map((part, index) => convolve(part, kernels[index]!)),
              3,
            );
      const biased = has(2) ? tf.add(joined, tensor(2)) : joined;
      return tf.transpose(biased, [0, 3, 1, 2]);
    },
  },
  MultiHeadAttention: {
    refuses: ({ inputs }) =>
      inputs.some((name, index) => index > 2 && index !== 5 && name !== "") ? "projection bias, masks and past keys" : undefined,
    run: ({ tf, node, has, tensor }) => {
      const [query, key, value] = [tensor(0), tensor(1), tensor(2)];
      const heads = whole(node, "num_heads", 1);
      const scale = real(node, "scale", 1 / Math.sqrt(query.shape[2]! / heads));
      const [q, k, v] = [split(tf, tf.mul(query, scale), heads), split(tf, key, heads), split(tf, value, heads)];
      const [tokens, sources] = [q.shape[2]!, k.shape[2]!];
      const causal = whole(node, "unidirectional", 0) === 1;
      // Queries in runs, so that the scores of all of them never stand in memory at once.
      const run = Math.max(1, Math.floor(largestScores / (q.shape[0]! * heads * sources)));
      const results: TfTensor[] = [];
      for (let from = 0; from < tokens; from += run) {
        const length = Math.min(run, tokens - from);
        results.push(
          tf.tidy(() => {
            const part = tf.slice(q, [0, 0, from, 0], [-1, -1, length, -1]);
            const products = tf.matMul(part, k, false, true);
            const scores = has(5) ? tf.add(products, tf.slice(tensor(5), [0, 0, from, 0], [-1, -1, length, -1])) : products;
            const seen = causal ? tf.add(scores, laterMask(tf, from, length, sources)) : scores;
            return tf.matMul(tf.softmax(seen), v);
          }),
        );
      }
      const joined = results.length === 1 ? results[0]! : tf.concat(results, 2);
      return tf.reshape(tf.transpose(joined, [0, 2, 1, 3]), [query.shape[0]!, tokens, value.shape[2]!]);
    },
  },
};

/** Scores held at once by attention: 64 M values, 256 MB. */
const largestScores = 2 ** 26;

/** [B, T, C] → [B, heads, T, C / heads]. */
function split(tf: TensorFlow, x: TfTensor, heads: number): TfTensor {
  const [batch, tokens, channels] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, channels / heads]), [0, 2, 1, 3]);
}

/** 0 where a query may look, −10⁹ at later positions; `[rows, sources]`. */
function laterMask(tf: TensorFlow, first: number, rows: number, sources: number): TfTensor {
  const values = new Float32Array(rows * sources);
  for (let row = 0; row < rows; row++) values.fill(-1e9, row * sources + first + row + 1, (row + 1) * sources);
  return tf.tensor2d(values, [rows, sources]);
}

function times(tf: TensorFlow, x: TfTensor, factor: number): TfTensor {
  return factor === 1 ? x : tf.mul(x, factor);
}
