import { concat, conv2d, maxPool2d, relu, type Value, type Weights } from "@refadgen/graph";
import type { LpipsBackbone } from "../contract.js";

/** A backbone: feature maps of an image, from the finest to the coarsest. */
export interface Backbone {
  /** Channels of each map. */
  readonly channels: readonly number[];
  /** Shortest side for which every map has at least one pixel. */
  readonly minimumSide: number;
  /** @param x `[B, 3, H, W]`, scaled as ImageNet's */
  features(x: Value, weights: Weights): Value[];
}

/**
 * The networks that LPIPS compares in, cut where its authors cut them. Keys are torchvision's, `features.N.…`.
 *
 * Source: richzhang/PerceptualSimilarity lpips/pretrained_networks.py; pytorch/vision torchvision/models/{alexnet,vgg,squeezenet}.py.
 */
export const backbones: Readonly<Record<LpipsBackbone, Backbone>> = {
  alex: { channels: [64, 192, 384, 256, 256], minimumSide: 31, features: alexnet },
  vgg: { channels: [64, 128, 256, 512, 512], minimumSide: 16, features: vgg16 },
  squeeze: { channels: [64, 128, 256, 384, 384, 512, 512], minimumSide: 17, features: squeezenet },
};

interface Convolution {
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
}

function convRelu(x: Value, weights: Weights, name: string, channels: number, { kernel, stride = 1, padding = 0 }: Convolution): Value {
  const weight = weights.get(`${name}.weight`, [channels, x.dims[1]!, kernel, kernel]);
  return relu(conv2d(x, weight, weights.get(`${name}.bias`, [channels]), { stride, padding }));
}

function alexnet(x: Value, weights: Weights): Value[] {
  const pool = (h: Value) => maxPool2d(h, { kernel: 3, stride: 2 });
  const first = convRelu(x, weights, "features.0", 64, { kernel: 11, stride: 4, padding: 2 });
  const second = convRelu(pool(first), weights, "features.3", 192, { kernel: 5, padding: 2 });
  const third = convRelu(pool(second), weights, "features.6", 384, { kernel: 3, padding: 1 });
  const fourth = convRelu(third, weights, "features.8", 256, { kernel: 3, padding: 1 });
  return [first, second, third, fourth, convRelu(fourth, weights, "features.10", 256, { kernel: 3, padding: 1 })];
}

function vgg16(x: Value, weights: Weights): Value[] {
  const blocks = [
    { channels: 64, layers: [0, 2] },
    { channels: 128, layers: [5, 7] },
    { channels: 256, layers: [10, 12, 14] },
    { channels: 512, layers: [17, 19, 21] },
    { channels: 512, layers: [24, 26, 28] },
  ];
  let h = x;
  return blocks.map(({ channels, layers }, index) => {
    if (index > 0) h = maxPool2d(h, { kernel: 2 });
    for (const layer of layers) h = convRelu(h, weights, `features.${layer}`, channels, { kernel: 3, padding: 1 });
    return h;
  });
}

/** Version 1.1. Its pools take windows that reach beyond the edge. */
function squeezenet(x: Value, weights: Weights): Value[] {
  const pool = (h: Value) => maxPool2d(h, { kernel: 3, stride: 2, ceil: true });
  const fire = (h: Value, layer: number, squeezed: number, expanded: number) => {
    const small = convRelu(h, weights, `features.${layer}.squeeze`, squeezed, { kernel: 1 });
    const one = convRelu(small, weights, `features.${layer}.expand1x1`, expanded, { kernel: 1 });
    return concat([one, convRelu(small, weights, `features.${layer}.expand3x3`, expanded, { kernel: 3, padding: 1 })], 1);
  };
  const first = convRelu(x, weights, "features.0", 64, { kernel: 3, stride: 2 });
  const second = fire(fire(pool(first), 3, 16, 64), 4, 16, 64);
  const third = fire(fire(pool(second), 6, 32, 128), 7, 32, 128);
  const fourth = fire(pool(third), 9, 48, 192);
  const fifth = fire(fourth, 10, 48, 192);
  const sixth = fire(fifth, 11, 64, 256);
  return [first, second, third, fourth, fifth, sixth, fire(sixth, 12, 64, 256)];
}
