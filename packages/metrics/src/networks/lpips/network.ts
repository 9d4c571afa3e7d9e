import { add, concat, conv2d, divide, multiply, slice, sqrt, subtract, sumOfSquares, type Value, type Weights } from "@refadgen/graph";
import type { LpipsBackbone, LpipsRecipe } from "../contract.js";
import { backbones } from "./backbones.js";

export interface LpipsGraphOptions {
  readonly backbone: LpipsBackbone;
  readonly recipe: LpipsRecipe;
}

const shift = Float32Array.of(-0.03, -0.088, -0.188);
const scale = Float32Array.of(0.458, 0.448, 0.45);

/**
 * Distances at every pixel of every layer's map, version 0.1 of LPIPS.
 *
 * Source: richzhang/PerceptualSimilarity lpips/lpips.py; Lightning-AI/torchmetrics src/torchmetrics/functional/image/lpips.py.
 *
 * @param first `[B, 3, H, W]` in [-1, 1]
 * @param second the same
 * @param weights the backbone's, keys `features.…`
 * @param lin the learned weights of the layers, keys `linN.model.1.weight`; without them channels count alike
 * @returns one map per layer, `[B, 1, h, w]`
 */
export function lpips(first: Value, second: Value, weights: Weights, lin: Weights | undefined, { backbone, recipe }: LpipsGraphOptions): Value[] {
  const { graph } = first;
  const batch = first.dims[0]!;
  const both = concat([first, second], 0); // [2 B, 3, H, W]
  const constant = (values: Float32Array) => graph.constant("float32", [1, 3, 1, 1], values);
  const { channels, features } = backbones[backbone];
  const maps = features(divide(subtract(both, constant(shift)), constant(scale)), weights);
  return maps.map((map, layer) => {
    const unit = divide(map, norm(map, recipe));
    const difference = subtract(slice(unit, 0, 0, batch), slice(unit, 0, batch, batch * 2));
    const width = channels[layer]!;
    return lin
      ? conv2d(multiply(difference, difference), lin.get(`lin${layer}.model.1.weight`, [1, width, 1, 1]), undefined)
      : sumOfSquares(difference, [1]);
  });
}

/** Length of the feature vector at each pixel, with the package's guard against division by 0: `[B, C, h, w]` → `[B, 1, h, w]`. */
function norm(map: Value, recipe: LpipsRecipe): Value {
  const squares = sumOfSquares(map, [1]);
  return recipe === "lpips" ? add(sqrt(squares), 1e-10) : sqrt(add(squares, 1e-8));
}
