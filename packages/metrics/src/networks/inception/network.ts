import { averagePool2d, batchNorm, concat, conv2d, linear, maxPool2d, mean, relu, type Value, type Weights } from "@refadgen/graph";
import type { InceptionLevel } from "../contract.js";

/** What each level is: pooled feature maps, or the classifier on top of the last. */
export type InceptionOutputs = ReadonlyMap<InceptionLevel, Value>;

/**
 * The Inception of FID: TensorFlow's network of 2015 as ported to PyTorch. Where it departs from torchvision's: average pooling leaves the
 * padding out, the last block takes the maximum, and there are 1008 classes.
 *
 * Source: mseitzer/pytorch-fid src/pytorch_fid/inception.py; pytorch/vision torchvision/models/inception.py.
 *
 * @param pixels `[B, 3, 299, 299]` in [-1, 1]
 * @returns 64, 192, 768, 2048: means over all positions, `[B, C]`; `logits`, `logits_unbiased`: `[B, 1008]`
 */
export function inception(pixels: Value, weights: Weights): InceptionOutputs {
  const conv = (x: Value, name: string, channels: number, options: Convolution) => basicConv(x, weights.at(name), channels, options);
  let h = conv(pixels, "Conv2d_1a_3x3", 32, { kernel: 3, stride: 2 }); // [B, 32, 149, 149]
  h = conv(h, "Conv2d_2a_3x3", 32, { kernel: 3 });
  h = conv(h, "Conv2d_2b_3x3", 64, { kernel: 3, padding: 1 });
  h = maxPool2d(h, { kernel: 3, stride: 2 }); // [B, 64, 73, 73]
  const first = h;
  h = conv(h, "Conv2d_3b_1x1", 80, { kernel: 1 });
  h = conv(h, "Conv2d_4a_3x3", 192, { kernel: 3 });
  h = maxPool2d(h, { kernel: 3, stride: 2 }); // [B, 192, 35, 35]
  const second = h;
  h = blockA(h, weights.at("Mixed_5b"), 32);
  h = blockA(h, weights.at("Mixed_5c"), 64);
  h = blockA(h, weights.at("Mixed_5d"), 64); // [B, 288, 35, 35]
  h = blockB(h, weights.at("Mixed_6a")); // [B, 768, 17, 17]
  h = blockC(h, weights.at("Mixed_6b"), 128);
  h = blockC(h, weights.at("Mixed_6c"), 160);
  h = blockC(h, weights.at("Mixed_6d"), 160);
  h = blockC(h, weights.at("Mixed_6e"), 192);
  const third = h;
  h = blockD(h, weights.at("Mixed_7a")); // [B, 1280, 8, 8]
  h = blockE(h, weights.at("Mixed_7b"), "average");
  h = blockE(h, weights.at("Mixed_7c"), "maximum"); // [B, 2048, 8, 8]
  const pooled = mean(h, [2, 3]);
  const classifier = weights.get("fc.weight", [1008, 2048]);
  return new Map<InceptionLevel, Value>([
    [64, mean(first, [2, 3])],
    [192, mean(second, [2, 3])],
    [768, mean(third, [2, 3])],
    [2048, pooled],
    ["logits", linear(pooled, classifier, weights.get("fc.bias", [1008]))],
    ["logits_unbiased", linear(pooled, classifier)],
  ]);
}

interface Convolution {
  readonly kernel: number | readonly [height: number, width: number];
  readonly stride?: number;
  /** On all sides, or above and below, left and right. */
  readonly padding?: number | readonly [vertical: number, horizontal: number];
}

/** Convolution without bias, batch normalisation, ReLU. */
function basicConv(x: Value, weights: Weights, channels: number, { kernel, stride = 1, padding = 0 }: Convolution): Value {
  const size = typeof kernel === "number" ? [kernel, kernel] : kernel;
  const [vertical, horizontal] = typeof padding === "number" ? [padding, padding] : padding;
  const h = conv2d(x, weights.get("conv.weight", [channels, x.dims[1]!, ...size]), undefined, {
    stride,
    padding: [vertical, horizontal, vertical, horizontal],
  });
  const statistic = (name: string) => weights.get(`bn.${name}`, [channels]);
  const statistics = { weight: statistic("weight"), bias: statistic("bias"), mean: statistic("running_mean"), variance: statistic("running_var") };
  return relu(batchNorm(h, statistics, { epsilon: 0.001 }));
}

const across = { kernel: [1, 7], padding: [0, 3] } as const;
const down = { kernel: [7, 1], padding: [3, 0] } as const;
const square = { kernel: 3, padding: 1 } as const;

function blockA(x: Value, weights: Weights, poolChannels: number): Value {
  const conv = (h: Value, name: string, channels: number, options: Convolution) => basicConv(h, weights.at(name), channels, options);
  const one = conv(x, "branch1x1", 64, { kernel: 1 });
  const five = conv(conv(x, "branch5x5_1", 48, { kernel: 1 }), "branch5x5_2", 64, { kernel: 5, padding: 2 });
  let double = conv(x, "branch3x3dbl_1", 64, { kernel: 1 });
  double = conv(double, "branch3x3dbl_2", 96, square);
  double = conv(double, "branch3x3dbl_3", 96, square);
  return concat([one, five, double, conv(neighbourMean(x), "branch_pool", poolChannels, { kernel: 1 })], 1);
}

function blockB(x: Value, weights: Weights): Value {
  const conv = (h: Value, name: string, channels: number, options: Convolution) => basicConv(h, weights.at(name), channels, options);
  const three = conv(x, "branch3x3", 384, { kernel: 3, stride: 2 });
  let double = conv(x, "branch3x3dbl_1", 64, { kernel: 1 });
  double = conv(double, "branch3x3dbl_2", 96, square);
  double = conv(double, "branch3x3dbl_3", 96, { kernel: 3, stride: 2 });
  return concat([three, double, maxPool2d(x, { kernel: 3, stride: 2 })], 1);
}

function blockC(x: Value, weights: Weights, inner: number): Value {
  const conv = (h: Value, name: string, channels: number, options: Convolution) => basicConv(h, weights.at(name), channels, options);
  const one = conv(x, "branch1x1", 192, { kernel: 1 });
  let seven = conv(x, "branch7x7_1", inner, { kernel: 1 });
  seven = conv(seven, "branch7x7_2", inner, across);
  seven = conv(seven, "branch7x7_3", 192, down);
  let double = conv(x, "branch7x7dbl_1", inner, { kernel: 1 });
  double = conv(double, "branch7x7dbl_2", inner, down);
  double = conv(double, "branch7x7dbl_3", inner, across);
  double = conv(double, "branch7x7dbl_4", inner, down);
  double = conv(double, "branch7x7dbl_5", 192, across);
  return concat([one, seven, double, conv(neighbourMean(x), "branch_pool", 192, { kernel: 1 })], 1);
}

function blockD(x: Value, weights: Weights): Value {
  const conv = (h: Value, name: string, channels: number, options: Convolution) => basicConv(h, weights.at(name), channels, options);
  const three = conv(conv(x, "branch3x3_1", 192, { kernel: 1 }), "branch3x3_2", 320, { kernel: 3, stride: 2 });
  let seven = conv(x, "branch7x7x3_1", 192, { kernel: 1 });
  seven = conv(seven, "branch7x7x3_2", 192, across);
  seven = conv(seven, "branch7x7x3_3", 192, down);
  seven = conv(seven, "branch7x7x3_4", 192, { kernel: 3, stride: 2 });
  return concat([three, seven, maxPool2d(x, { kernel: 3, stride: 2 })], 1);
}

function blockE(x: Value, weights: Weights, pool: "average" | "maximum"): Value {
  const conv = (h: Value, name: string, channels: number, options: Convolution) => basicConv(h, weights.at(name), channels, options);
  const cross = (h: Value, wide: string, tall: string) =>
    concat([conv(h, wide, 384, { kernel: [1, 3], padding: [0, 1] }), conv(h, tall, 384, { kernel: [3, 1], padding: [1, 0] })], 1);
  const one = conv(x, "branch1x1", 320, { kernel: 1 });
  const three = cross(conv(x, "branch3x3_1", 384, { kernel: 1 }), "branch3x3_2a", "branch3x3_2b");
  const wide = conv(conv(x, "branch3x3dbl_1", 448, { kernel: 1 }), "branch3x3dbl_2", 384, square);
  const double = cross(wide, "branch3x3dbl_3a", "branch3x3dbl_3b");
  const neighbours = pool === "average" ? neighbourMean(x) : maxPool2d(x, { kernel: 3, stride: 1, padding: 1 });
  return concat([one, three, double, conv(neighbours, "branch_pool", 192, { kernel: 1 })], 1);
}

function neighbourMean(x: Value): Value {
  return averagePool2d(x, { kernel: 3, stride: 1, padding: 1, countPadding: false });
}
