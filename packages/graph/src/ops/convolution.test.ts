import { describe, it } from "vitest";
import { Graph } from "../graph.js";
import type { Tensor } from "../tensor.js";
import { type Conv2dOptions, conv2d } from "./convolution.js";
import { evaluate, expectClose, expectGraphError, gaussian, parameter, reader, sum, tabulate } from "./evaluate.test.support.js";

/** The sum of the definition, element by element. */
function slowConvolution(
  x: Tensor<"float32">,
  weight: Tensor<"float32">,
  bias: Tensor<"float32"> | undefined,
  { stride = 1, padding = 0, groups = 1 }: Conv2dOptions,
) {
  const [top, left, bottom, right] = typeof padding === "number" ? [padding, padding, padding, padding] : padding;
  const [batch, , height, width] = x.dims as [number, number, number, number];
  const [outChannels, perGroup, kernelHeight, kernelWidth] = weight.dims as [number, number, number, number];
  const [readX, readWeight] = [reader(x), reader(weight)];
  const outHeight = Math.floor((height + top + bottom - kernelHeight) / stride) + 1;
  const outWidth = Math.floor((width + left + right - kernelWidth) / stride) + 1;
  return tabulate([batch, outChannels, outHeight, outWidth], (b, k, i, j) => {
    const from = Math.floor(k / (outChannels / groups)) * perGroup;
    const window = sum(perGroup, (c) =>
      sum(kernelHeight, (u) => sum(kernelWidth, (v) => readX(b, from + c, i * stride + u - top, j * stride + v - left) * readWeight(k, c, u, v))),
    );
    return window + (bias?.data[k] ?? 0);
  });
}

describe("conv2d equals the sum of its definition", () => {
  it.each<[string, number[], number[], Conv2dOptions]>([
    ["3 × 3", [2, 3, 7, 5], [4, 3, 3, 3], { padding: 1 }],
    ["without padding", [2, 3, 7, 5], [4, 3, 3, 3], {}],
    ["1 × 1", [3, 5, 4, 7], [2, 5, 1, 1], {}],
    ["a stride of 2", [2, 3, 9, 6], [4, 3, 3, 3], { stride: 2, padding: 1 }],
    ["zeros below and to the right only", [2, 3, 8, 6], [3, 3, 3, 3], { stride: 2, padding: [0, 0, 1, 1] }],
    ["four different paddings", [1, 2, 5, 6], [3, 2, 2, 3], { padding: [0, 1, 2, 3] }],
    ["groups", [2, 6, 5, 4], [9, 2, 3, 3], { padding: 1, groups: 3 }],
    ["depthwise", [1, 5, 6, 7], [5, 1, 3, 3], { padding: 1, groups: 5 }],
    ["a kernel that is not square", [2, 2, 9, 4], [3, 2, 5, 1], { stride: 3 }],
  ])("%s", async (name, xDims, weightDims, options) => {
    const [x, weight, bias] = [gaussian("x", xDims), gaussian(`${name} weight`, weightDims), gaussian("bias", [weightDims[0]!])];
    const { withBias, without } = await evaluate({ x }, (inputs) => ({
      withBias: conv2d(inputs.x!, parameter("conv.weight", weight), parameter("conv.bias", bias), options),
      without: conv2d(inputs.x!, parameter("other.weight", weight), undefined, options),
    }));
    expectClose(withBias, slowConvolution(x, weight, bias, options), 1e-6);
    expectClose(without, slowConvolution(x, weight, undefined, options), 1e-6);
  });
});

describe("conv2d refuses", () => {
  const graph = new Graph("guards");
  const x = graph.input("x", "float32", [1, 4, 5, 6]);
  const weight = (...dims: number[]) => graph.input(`weight ${graph.inputs.length}`, "float32", dims);
  it.each<[string, () => unknown, RegExp]>([
    [
      "another number of channels",
      () => conv2d(x, weight(2, 3, 3, 3), undefined),
      /conv2d: expected x \[B, 3, H, W\].*\[2, 3, 3, 3\], got \[1, 4, 5, 6\]/,
    ],
    ["a weight that is not four-dimensional", () => conv2d(x, weight(2, 4, 3), undefined), /conv2d: expected/],
    [
      "an input that is not four-dimensional",
      () => conv2d(graph.input("flat", "float32", [1, 4, 5]), weight(2, 4, 3, 3), undefined),
      /conv2d: expected x .* got \[1, 4, 5\]/,
    ],
    ["another bias", () => conv2d(x, weight(2, 4, 3, 3), weight(3)), /conv2d: expected bias \[2\], got weight \d+ \[3\]/],
    ["a kernel larger than the input", () => conv2d(x, weight(2, 4, 7, 3), undefined), /smaller than the kernel/],
    ["groups that do not divide the outputs", () => conv2d(x, weight(3, 2, 3, 3), undefined, { groups: 2 }), /conv2d: expected/],
    ["a stride of 0", () => conv2d(x, weight(2, 4, 3, 3), undefined, { stride: 0 }), /conv2d: expected a stride/],
    ["half a stride", () => conv2d(x, weight(2, 4, 3, 3), undefined, { stride: 1.5 }), /conv2d: expected a stride/],
    ["negative padding", () => conv2d(x, weight(2, 4, 3, 3), undefined, { padding: -1 }), /conv2d: expected padding/],
    ["another element type", () => conv2d(graph.input("whole", "int64", [1, 4, 5, 6]), weight(2, 4, 3, 3), undefined), /conv2d: expected .*int64/],
    ["a value of another graph", () => conv2d(x, new Graph("other").input("w", "float32", [2, 4, 3, 3]), undefined), /belongs to the graph "other"/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
