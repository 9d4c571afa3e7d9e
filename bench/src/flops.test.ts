import { formulaTensor, Graph, linear, matMul, Weights } from "@refadgen/graph";
import { contextGraph, generationConfig, generationGraph } from "@refadgen/pipeline";
import { expect, it } from "vitest";
import { countFlops, projectionFlops } from "./flops.js";
import { fullSettings } from "./settings.js";

const weights = Weights.from({ description: "formula", keys: () => [], tensor: (key, dims) => formulaTensor("", key, dims) });

it("counts two for every multiplication of a product", () => {
  const graph = new Graph("products");
  const x = graph.input("x", "float32", [3, 5, 7]);
  graph.output("y", matMul(linear(x, weights.get("a", [11, 7])), graph.input("z", "float32", [11, 2])));
  expect(countFlops(graph)).toBe(2 * 3 * 5 * (7 * 11 + 11 * 2));
});

it("counts a guided step at 512×640 as the layer list does", () => {
  const graph = generationGraph(weights, generationConfig(fullSettings.unet), { batch: 2, height: 80, width: 64, tokens: 77 });
  const text = contextGraph(weights, fullSettings.unet, { batch: 2, tokens: 77 });
  // 616.5 GMAC for each of the two samples with the reference's keys and values given, 2.53 TFLOP with their projection.
  expect((countFlops(graph) + countFlops(text)) / 4e9).toBeCloseTo(616.5, 1);
  expect((countFlops(graph) + countFlops(text) + projectionFlops(graph)) / 1e12).toBeCloseTo(2.53, 2);
  // The text's, which ours projects once as well: 0.24 % of a step.
  expect(countFlops(text) / 4e9).toBeCloseTo(1.48, 2);
});
