import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formulaGaussian, formulaWeights, Graph, GraphError, linear, live, openSession, type Tensor, type Value, Weights } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attentionFusion, fuseReference, type LayerInput } from "./fusion.js";
import { projectReference, recordReference } from "./reference.js";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "refadgen-afm-"));
  process.env.REFADGEN_CACHE = cache;
});
afterAll(() => rm(cache, { recursive: true }));

const gaussian = (name: string, dims: readonly number[]): Tensor<"float32"> => ({ dtype: "float32", dims, data: formulaGaussian(name, dims) });
const scalar = (value: number): Tensor<"float32"> => ({ dtype: "float32", dims: [], data: Float32Array.of(value) });

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** softmax(q · kᵀ / √d) · v head by head, in float64. */
function slowAttention(query: Tensor, key: Tensor, value: Tensor, heads: number): Float64Array {
  const [batch, tokens, channels] = query.dims as [number, number, number];
  const [sources, width] = [key.dims[1]!, channels / heads];
  const out = new Float64Array(batch * tokens * channels);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let t = 0; t < tokens; t++) {
        const at = (tensor: Tensor, row: number, c: number) => Number(tensor.data[(b * tensor.dims[1]! + row) * channels + head * width + c]);
        const scores = Array.from({ length: sources }, (_, s) => {
          let score = 0;
          for (let c = 0; c < width; c++) score += at(query, t, c) * at(key, s, c);
          return Math.exp(score / Math.sqrt(width));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        for (let c = 0; c < width; c++) {
          for (let s = 0; s < sources; s++) out[(b * tokens + t) * channels + head * width + c]! += (scores[s]! / total) * at(value, s, c);
        }
      }
    }
  }
  return out;
}

function slowLinear({ dims, data }: Tensor, weight: Float32Array, bias?: Float32Array): Tensor<"float32"> {
  const width = dims.at(-1)!;
  const out = new Float32Array(data.length);
  for (let row = 0; row < data.length / width; row++) {
    for (let k = 0; k < width; k++) {
      let sum = bias?.[k] ?? 0;
      for (let c = 0; c < width; c++) sum += Number(data[row * width + c]) * weight[k * width + c]!;
      out[row * width + k] = sum;
    }
  }
  return { dtype: "float32", dims, data: out };
}

function worst(actual: Tensor, expected: ArrayLike<number>): number {
  expect(actual.data).toHaveLength(expected.length);
  return Array.from(expected).reduce((most, value, index) => Math.max(most, Math.abs(value - Number(actual.data[index]))), 0);
}

describe("attentionFusion equals Eq. 1", () => {
  it.each([
    { batch: 2, tokens: 7, sources: 11, channels: 12, heads: 3 },
    { batch: 1, tokens: 35, sources: 35, channels: 8, heads: 8 },
    { batch: 3, tokens: 5, sources: 2, channels: 6, heads: 1 },
  ])("%o, λ given at run time", async ({ batch, tokens, sources, channels, heads }) => {
    const feeds = {
      query: gaussian("q", [batch, tokens, channels]),
      key: gaussian("k", [batch, tokens, channels]),
      value: gaussian("v", [batch, tokens, channels]),
      keyRef: gaussian("k ref", [batch, sources, channels]),
      valueRef: gaussian("v ref", [batch, sources, channels]),
    };
    const graph = new Graph("fusion");
    const input = (name: keyof typeof feeds) => graph.input(name, "float32", feeds[name].dims);
    const [query, key, value] = [input("query"), input("key"), input("value")];
    const fused = attentionFusion({
      query,
      key,
      value,
      reference: { key: input("keyRef"), value: input("valueRef") },
      scale: graph.input("scale", "float32", []),
      heads,
    });
    expect(fused.dims).toEqual([batch, tokens, channels]);
    graph.output("fused", fused);
    const own = slowAttention(feeds.query, feeds.key, feeds.value, heads);
    const reference = slowAttention(feeds.query, feeds.keyRef, feeds.valueRef, heads);
    const session = await openSession(graph, { threads: 1 });
    for (const scale of [0, 0.35, 1, -2, 10]) {
      const answer = (await session.run({ ...feeds, scale: scalar(scale) })).fused!;
      expect(
        worst(
          answer,
          own.map((value, index) => value + Math.fround(scale) * reference[index]!),
        ),
        `λ = ${scale}`,
      ).toBeLessThan(2e-6 * (1 + Math.abs(scale)));
    }
    await session.dispose();
  });
});

describe("attentionFusion refuses", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  const fuse = (dims: number[], reference: number[], scale: Value, heads = 2) =>
    attentionFusion({
      query: value(...dims),
      key: value(...dims),
      value: value(...dims),
      reference: { key: value(...reference), value: value(...reference) },
      scale,
      heads,
    });
  it.each<[string, () => unknown, RegExp]>([
    [
      "a scale of several elements",
      () => fuse([1, 5, 8], [1, 5, 8], value(2)),
      /attentionFusion: expected a float32 scale of one element, got float32 \[2\]/,
    ],
    [
      "a whole scale",
      () => fuse([1, 5, 8], [1, 5, 8], graph.input(`whole ${count}`, "int64", [])),
      /attentionFusion: expected a float32 scale of one element, got int64 \[\]/,
    ],
    [
      "a scale that would change the sizes",
      () => fuse([1, 5, 8], [1, 5, 8], value(1, 1, 1, 1)),
      /attentionFusion: expected a float32 scale of one element, got float32 \[1, 1, 1, 1\]/,
    ],
    [
      "a reference for another number of images",
      () => fuse([2, 5, 8], [1, 5, 8], value()),
      /attentionFusion: expected a reference for 2 images, got 1/,
    ],
    ["a reference of another width", () => fuse([1, 5, 8], [1, 5, 4], value()), /attention: .*do not fit/],
    ["heads that do not divide", () => fuse([1, 5, 8], [1, 5, 8], value(), 3), /3 heads do not divide 8/],
  ])("%s", (_, build, message) => {
    let thrown: unknown;
    try {
      build();
    } catch (error) {
      thrown = error;
    }
    expect(GraphError.isInstance(thrown)).toBe(true);
    expect(String(thrown)).toMatch(message);
  });
});

/** A network of two self-attention layers with a projection after each, and a tail that needs the last one. */
function layers(x: Value, weights: Weights, selfAttention: (layer: LayerInput) => Value): Value {
  let h = x;
  for (const index of [0, 1]) {
    const name = `blocks.${index}.attn1`;
    h = selfAttention({ hiddenStates: linear(h, weights.get(`blocks.${index}.in.weight`, [6, 6])), name, weights: weights.at(name), heads: 2 });
  }
  return linear(h, weights.get("out.weight", [6, 6]));
}

describe("recordReference", () => {
  it("returns each layer's input, leaves the network as it is, and what follows the last of them is pruned", async () => {
    const x = gaussian("x", [2, 5, 6]);
    const plain = ({ hiddenStates, weights }: LayerInput) => linear(hiddenStates, weights.get("to_out.0.weight", [6, 6]));
    const graph = new Graph("reference");
    const recorder = recordReference(plain);
    const weights = Weights.from(formulaWeights("reference"));
    const out = layers(graph.input("x", "float32", x.dims), weights, recorder.selfAttention);
    expect([...recorder.features.keys()]).toEqual(["blocks.0.attn1", "blocks.1.attn1"]);
    for (const [name, { key, value }] of projectReference(recorder.features, Weights.from(formulaWeights("fusion")))) {
      graph.output(`${name} key`, key);
      graph.output(`${name} value`, value);
    }
    const read = (name: string) => [...live(graph).constants.keys()].filter((key) => key.startsWith(name));
    expect(read("blocks.1.attn1.to_out")).toEqual([]);
    expect(read("out.weight")).toEqual([]);
    expect(read("blocks.0.attn1.to_out")).toHaveLength(1);
    expect(live(graph).nodes.some(({ outputs }) => outputs.includes(out.name))).toBe(false);

    const answers = await run(graph, { x });
    const floats = async (salt: string, name: string) => new Float32Array((await formulaWeights(salt).tensor(name, [6, 6])!.read()).buffer);
    const first = slowLinear(x, await floats("reference", "blocks.0.in.weight"));
    const second = slowLinear(
      slowLinear(first, await floats("reference", "blocks.0.attn1.to_out.0.weight")),
      await floats("reference", "blocks.1.in.weight"),
    );
    for (const [name, feature] of [
      ["blocks.0.attn1", first],
      ["blocks.1.attn1", second],
    ] as const) {
      expect(worst(answers[`${name} key`]!, slowLinear(feature, await floats("fusion", `${name}.to_k_ref.weight`)).data)).toBeLessThan(1e-5);
      expect(worst(answers[`${name} value`]!, slowLinear(feature, await floats("fusion", `${name}.to_v_ref.weight`)).data)).toBeLessThan(1e-5);
    }
  });
});

it("fuseReference is a whole layer: projections, fusion, one output projection on the sum", async () => {
  const [hidden, key, value] = [gaussian("h", [2, 5, 6]), gaussian("key", [2, 3, 6]), gaussian("value", [2, 3, 6])];
  const graph = new Graph("layer");
  const input = (name: string, { dims }: Tensor) => graph.input(name, "float32", dims);
  const reference = { key: input("key", key), value: input("value", value) };
  const asked: string[] = [];
  const selfAttention = fuseReference(
    (name) => {
      asked.push(name);
      return reference;
    },
    graph.input("scale", "float32", [1]),
  );
  const weights = Weights.from(formulaWeights("layer"));
  graph.output("y", selfAttention({ hiddenStates: input("h", hidden), name: "a.attn1", weights: weights.at("a.attn1"), heads: 2 }));
  expect(asked).toEqual(["a.attn1"]);
  const { y } = await run(graph, { h: hidden, key, value, scale: { dtype: "float32", dims: [1], data: Float32Array.of(0.5) } });
  const floats = async (part: string, dims: number[]) =>
    new Float32Array((await formulaWeights("layer").tensor(`a.attn1.${part}`, dims)!.read()).buffer);
  const project = async (part: string) => slowLinear(hidden, await floats(`${part}.weight`, [6, 6]));
  const query = await project("to_q");
  const own = slowAttention(query, await project("to_k"), await project("to_v"), 2);
  const fused = own.map((term, index) => term + 0.5 * slowAttention(query, key, value, 2)[index]!);
  const sum: Tensor<"float32"> = { dtype: "float32", dims: hidden.dims, data: Float32Array.from(fused) };
  expect(worst(y!, slowLinear(sum, await floats("to_out.0.weight", [6, 6]), await floats("to_out.0.bias", [6])).data)).toBeLessThan(1e-5);
});

it("the package needs no U-Net of ours", () => {
  const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(Object.keys(dependencies)).not.toContain("@refadgen/core-unet");
});
