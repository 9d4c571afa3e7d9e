import { parseClipTextConfig, parseClipVisionConfig, resamplerSd15 } from "@refadgen/clip";
import { parseAutoencoderConfig, parseUNetConfig } from "@refadgen/core-unet";
import { formulaWeights, live, Weights } from "@refadgen/graph";
import { operators } from "@refadgen/graph/tfjs";
import { expect, test } from "vitest";
import { published } from "./defaults.js";
import { contextGraph, decodeGraph, encodeGraph, generationGraph, productTokensGraph, referenceGraph, textGraph } from "./networks.js";

const weights = Weights.from(formulaWeights("networks"));
const size = { batch: 2, height: 24, width: 16 };
const vision = parseClipVisionConfig(published.imageEncoder);
const autoencoder = parseAutoencoderConfig(published.vae);
const graphs = [
  textGraph(weights, parseClipTextConfig(published.textEncoder)),
  productTokensGraph(weights, vision, weights, resamplerSd15),
  encodeGraph(weights, autoencoder, { height: 192, width: 128 }),
  decodeGraph(weights, autoencoder, size),
  referenceGraph(weights, weights, parseUNetConfig({ ...published.unet, in_channels: 4 }), { ...size, tokens: 16 }),
  generationGraph(weights, parseUNetConfig({ ...published.unet, in_channels: 5 }), { ...size, tokens: 77 }),
  contextGraph(weights, parseUNetConfig(published.unet), { batch: 2, tokens: 77 }),
];

// What TensorFlow.js has to know; the graph package tests each of these there on two backends.
const used =
  "Add Clip Concat Conv Cos Div Expand Gather Gelu Gemm LayerNormalization Mul MultiHeadAttention ReduceMean ReduceSumSquare Reshape Resize Sigmoid Sin Slice Sqrt Sub Transpose";

test("every operator of the published networks runs on TensorFlow.js", () => {
  const found = new Set(graphs.flatMap((graph) => live(graph).nodes.map(({ op }) => op)));
  expect([...found].sort().join(" ")).toBe(used);
  expect([...found].filter((op) => !(op in operators))).toEqual([]);
});
