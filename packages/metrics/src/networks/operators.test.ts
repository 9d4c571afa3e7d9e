import { parseAutoencoderConfig, parseUNetConfig } from "@refadgen/core-unet";
import { formulaWeights, Graph, live, type Value, Weights } from "@refadgen/graph";
import { operators } from "@refadgen/graph/tfjs";
import { expect, test } from "vitest";
import type { ClipConfig } from "./clip/config.js";
import { clipImageEmbeddings, clipTextEmbeddings } from "./clip/network.js";
import type { LpipsBackbone, LpipsRecipe } from "./contract.js";
import { encoderGraph, featureGraph } from "./dift/network.js";
import { imageRewardText, imageRewardVision, visionTokens, visionWidth } from "./image-reward/network.js";
import { inception } from "./inception/network.js";
import { lpips } from "./lpips/network.js";
import { vit } from "./vit/vit.js";

const weights = Weights.from(formulaWeights("operators"));

function graphOf(build: (graph: Graph) => readonly Value[]): Graph {
  const graph = new Graph("network");
  for (const [index, value] of build(graph).entries()) graph.output(`output ${index}`, value);
  return graph;
}

const pixels = (graph: Graph, height: number, width: number) => graph.input("pixels", "float32", [2, 3, height, width]);

const clip: Omit<ClipConfig, "layout"> = {
  vision: { width: 1024, layers: 24, heads: 16, patch: 14, resolution: 224 },
  text: { width: 768, layers: 12, heads: 12, vocabulary: 49408, positions: 77 },
  dimensions: 768,
};
const dino = { width: 384, layers: 12, heads: 6, patch: 16, grid: 14 };
// Stable Diffusion 2.1.
const unet = parseUNetConfig({ cross_attention_dim: 1024, attention_head_dim: [5, 10, 20, 20], use_linear_projection: true });
const autoencoder = parseAutoencoderConfig({
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array(4).fill("DownEncoderBlock2D"),
  up_block_types: Array(4).fill("UpDecoderBlock2D"),
  layers_per_block: 2,
});
const sides = { height: 512, width: 384 };

const networks: Readonly<Record<string, () => Graph[]>> = {
  inception: () => [graphOf((graph) => [...inception(pixels(graph, 299, 299), weights).values()])],
  lpips: () =>
    (["alex", "vgg", "squeeze"] as const satisfies readonly LpipsBackbone[]).flatMap((backbone) =>
      (["lpips", "torchmetrics"] as const satisfies readonly LpipsRecipe[]).flatMap((recipe) =>
        [weights, undefined].map((lin) =>
          graphOf((graph) => lpips(pixels(graph, 65, 83), graph.input("second", "float32", [2, 3, 65, 83]), weights, lin, { backbone, recipe })),
        ),
      ),
    ),
  clip: () =>
    (["openai", "transformers"] as const).flatMap((layout) =>
      (["quick_gelu", "gelu"] as const).map((activation) =>
        graphOf((graph) => [
          clipImageEmbeddings(pixels(graph, 224, 224), weights, { ...clip, layout }, activation),
          clipTextEmbeddings(graph.input("ids", "int64", [2, 77]), weights, { ...clip, layout }, activation),
        ]),
      ),
    ),
  "image-reward": () => [
    graphOf((graph) => [imageRewardVision(pixels(graph, 224, 224), weights)]),
    graphOf((graph) => [
      imageRewardText(
        graph.input("ids", "int64", [2, 35]),
        graph.input("mask", "float32", [2, 35]),
        graph.input("vision", "float32", [2, visionTokens, visionWidth]),
        weights,
      ).raw,
    ]),
  ],
  dino: () => [
    graphOf((graph) => [vit(pixels(graph, 224, 160), weights, dino)]),
    graphOf((graph) => [vit(pixels(graph, 224, 224), weights, dino, { tokens: "class" })]),
  ],
  dift: () => [encoderGraph(weights, autoencoder, sides), featureGraph(weights, unet, { sides, reduction: 8, tokens: 77, timestep: 41, upBlock: 2 })],
};

test.each(Object.keys(networks))("every operator of %s runs on TensorFlow.js", (name) => {
  const nodes = networks[name]!().flatMap((graph) => live(graph).nodes);
  const unknown = nodes.flatMap((node) => {
    const operator = operators[node.op];
    return operator ? (operator.refuses?.(node) ?? []) : node.op;
  });
  expect(nodes.length).toBeGreaterThan(10);
  expect([...new Set(unknown)]).toEqual([]);
});
