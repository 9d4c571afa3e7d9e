import { add, concat, conv2d, expand, gelu, matMul, reshape, reshaped, rows, slice, transpose, type Value, type Weights } from "@refadgen/graph";
import { norm, transformerBlock, vitKeys } from "./block.js";
import { positionWeights } from "./positions.js";

export interface VitOptions {
  /** All tokens, or the class token alone, which spares most of the last block. Default all. */
  readonly tokens?: "all" | "class";
}

export interface VitConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Patches along a side of the pictures that positions were trained for. */
  readonly grid: number;
}

const epsilon = 1e-6;

/**
 * The vision transformer of DINO and of ImageReward's BLIP (timm's keys): exact GELU, a class token, trained positions.
 *
 * Source: facebookresearch/dino vision_transformer.py; THUDM/ImageReward ImageReward/models/BLIP/vit.py.
 *
 * @param pixels `[B, 3, H, W]`, normalised; sides multiples of the patch. Where they are not those of training, positions are interpolated as DINO does.
 * @returns tokens after the final norm, class token first, `[B, 1 + patches, width]` or `[B, 1, width]`
 */
export function vit(pixels: Value, weights: Weights, config: VitConfig, { tokens = "all" }: VitOptions = {}): Value {
  const { width, layers, heads, patch } = config;
  const [batch, , height, wide] = pixels.dims as [number, number, number, number];
  const [down, across] = [height / patch, wide / patch];
  const map = conv2d(pixels, weights.get("patch_embed.proj.weight", [width, 3, patch, patch]), weights.get("patch_embed.proj.bias", [width]), {
    stride: patch,
  });
  const patches = transpose(reshape(map, [batch, width, down * across]), [0, 2, 1]);
  const first = expand(weights.get("cls_token", [1, 1, width]), pixels.graph, [batch, 1, width]);
  let h = addPositions(concat([first, patches], 1), weights, config, { down, across });
  for (let layer = 0; layer < layers; layer++) {
    const pick = tokens === "class" && layer === layers - 1 ? { pick: classToken } : {};
    h = transformerBlock(h, weights.at(`blocks.${layer}`), { heads, epsilon, activation: gelu, keys: vitKeys, ...pick });
  }
  return norm(h, weights, "norm", epsilon);
}

function classToken(states: Value): Value {
  return slice(states, 1, 0, 1);
}

interface Grid {
  readonly down: number;
  readonly across: number;
}

function addPositions(x: Value, weights: Weights, { width, grid }: VitConfig, { down, across }: Grid): Value {
  const count = grid ** 2;
  const trained = weights.get("pos_embed", [1, 1 + count, width]);
  if (down === grid && across === grid) return add(x, trained);
  const { graph } = x;
  const table = reshaped(trained, [1 + count, width]);
  const weighted = graph.constant("float32", [down * across, count], positionWeights(grid, { down, across }));
  const moved = matMul(weighted, rows(table, 1, 1 + count));
  return add(x, concat([rows(table, 0, 1), moved], 0));
}

/** Sizes of a network from its weights; undefined when they are not those of a vision transformer. */
export function vitConfigOf(tensor: (key: string) => readonly number[] | undefined): VitConfig | undefined {
  const [projection, positions] = [tensor("patch_embed.proj.weight"), tensor("pos_embed")];
  if (projection?.length !== 4 || positions?.length !== 3) return undefined;
  const [width, patch] = [projection[0]!, projection[2]!];
  let layers = 0;
  while (tensor(`blocks.${layers}.norm1.weight`)) layers++;
  return { width, layers, heads: width / 64, patch, grid: Math.round(Math.sqrt(positions[1]! - 1)) };
}
