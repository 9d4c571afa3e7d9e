import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { formulaGaussian, formulaTensor, formulaWeights, Graph, linear, openSession, type Tensor, Weights } from "@refadgen/graph";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fuseReference } from "../fusion.js";
import { AttentionFusion, type PublishedTensor } from "./index.js";

const [batch, tokens, sources, channels, heads] = [2, 5, 7, 12, 3];
const gaussian = (name: string, dims: readonly number[]) => ({ dims, data: formulaGaussian(name, dims) });
const input = { x: gaussian("x", [batch, tokens, channels]), reference: gaussian("reference", [batch, sources, channels]) };
const toTf = ({ dims, data }: { readonly dims: readonly number[]; readonly data: Float32Array }) => tf.tensor(data.slice(), [...dims]);

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "refadgen-afm-tfjs-"));
  process.env.REFADGEN_CACHE = cache;
});
afterAll(() => rm(cache, { recursive: true }));

/** One layer's weights as a checkpoint holds them. */
async function published(salt: string): Promise<Record<string, PublishedTensor>> {
  const names = ["to_q", "to_k", "to_v", "to_k_ref", "to_v_ref", "to_out.0"].map((name) => [`${name}.weight`, [channels, channels]] as const);
  const entries = [...names, ["to_out.0.bias", [channels]] as const].map(async ([name, dims]) => {
    const bytes = await formulaTensor(salt, name, dims).read();
    return [name, { dims, data: new Float32Array(bytes.buffer) }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The same layer as the graph form computes it. */
async function graphForm(salt: string, scale: number): Promise<Tensor> {
  const graph = new Graph("layer");
  const weights = Weights.from(formulaWeights(salt));
  const reference = graph.input("reference", "float32", [batch, sources, channels]);
  const project = (name: string) => linear(reference, weights.get(`${name}.weight`, [channels, channels]));
  const layer = fuseReference(() => ({ key: project("to_k_ref"), value: project("to_v_ref") }), graph.input("scale", "float32", []));
  graph.output("y", layer({ hiddenStates: graph.input("x", "float32", [batch, tokens, channels]), name: "attn1", weights, heads }));
  const session = await openSession(graph, { threads: 1 });
  const { y } = await session.run({
    x: { dtype: "float32", ...input.x },
    reference: { dtype: "float32", ...input.reference },
    scale: { dtype: "float32", dims: [], data: Float32Array.of(scale) },
  });
  await session.dispose();
  return y!;
}

async function layerOf(salt: string, scale?: number): Promise<AttentionFusion> {
  const layer = new AttentionFusion({ heads, ...(scale === undefined ? {} : { scale }) });
  layer.build([
    [null, tokens, channels],
    [null, sources, channels],
  ]);
  layer.loadPublished(await published(salt));
  return layer;
}

const apply = (layer: AttentionFusion, ...inputs: tf.Tensor[]) => layer.apply(inputs) as tf.Tensor;
const distance = async (a: tf.Tensor, b: ArrayLike<number | bigint>) =>
  Math.max(...Array.from(await a.data(), (value, index) => Math.abs(value - Number(b[index]))));

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeEach(async () => void (await tf.setBackend(backend)));

  it.each([0, 0.35, 1])("equals the graph form at λ %d, as a property and as an input", async (scale) => {
    const expected = await graphForm("layer", scale);
    const [x, reference] = [toTf(input.x), toTf(input.reference)];
    expect(await distance(apply(await layerOf("layer", scale), x, reference), expected.data)).toBeLessThan(1e-5);
    const layer = await layerOf("layer");
    expect(await distance(apply(layer, x, reference, tf.fill([batch, 1], scale)), expected.data)).toBeLessThan(1e-5);
    expect(await distance(apply(layer, x, reference, tf.scalar(scale)), expected.data)).toBeLessThan(1e-5);
    layer.scale = scale;
    expect(await distance(apply(layer, x, reference), expected.data)).toBeLessThan(1e-5);
  });

  it("gives each image of a batch its own λ", async () => {
    const y = apply(await layerOf("layer"), toTf(input.x), toTf(input.reference), tf.tensor2d([0, 1], [2, 1]));
    const [none, full] = [await graphForm("layer", 0), await graphForm("layer", 1)];
    const half = (tokens * channels) as number;
    expect(await distance(y, [...Array.from(none.data, Number).slice(0, half), ...Array.from(full.data, Number).slice(half)])).toBeLessThan(1e-5);
  });

  it("is trained in a model, and its gradients are those of central differences", async () => {
    const layer = await layerOf("layer");
    const [x, reference] = [toTf(input.x), toTf(input.reference)];
    const target = toTf(gaussian("target", [batch, tokens, channels]));
    const loss = () => tf.mean(tf.squaredDifference(apply(layer, x, reference), target)) as tf.Scalar;
    const { grads } = tf.variableGrads(loss);
    expect(Object.keys(grads)).toHaveLength(7);
    for (const variable of layer.trainableWeights) {
      const values = variable.read().dataSync().slice();
      const gradient = Object.entries(grads)
        .find(([name]) => name === variable.name)![1]
        .dataSync();
      const index = values.length >> 1;
      const at = (offset: number) => {
        const moved = values.slice();
        moved[index]! += offset;
        variable.write(tf.tensor(moved, variable.shape as number[]));
        return loss().dataSync()[0]!;
      };
      // Step and tolerance of float32: the loss is known to 1e-7, the quotient to 1e-4 of the step.
      const numeric = (at(5e-3) - at(-5e-3)) / 1e-2;
      variable.write(tf.tensor(values, variable.shape as number[]));
      expect(Math.abs(gradient[index]! - numeric), variable.name).toBeLessThan(1e-4);
    }
  });
});

it("trains, saves and loads in a model, with λ as it was", async () => {
  await tf.setBackend("cpu");
  const [x, reference] = [tfl.input({ shape: [tokens, channels] }), tfl.input({ shape: [sources, channels] })];
  const layer = new AttentionFusion({ heads, scale: 0.7, name: "fusion" });
  const model = tfl.model({ inputs: [x, reference], outputs: layer.apply([x, reference]) as tfl.SymbolicTensor });
  model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
  const feeds = [toTf(input.x), toTf(input.reference)];
  const history = await model.fit(feeds, toTf(gaussian("target", [batch, tokens, channels])), { epochs: 20, verbose: 0 });
  const losses = history.history.loss as number[];
  expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.7);
  const again = await tfl.models.modelFromJSON(JSON.parse(model.toJSON() as string));
  again.setWeights(model.getWeights());
  expect((again.getLayer("fusion") as AttentionFusion).scale).toBe(0.7);
  expect(await distance(again.predict(feeds) as tf.Tensor, await (model.predict(feeds) as tf.Tensor).data())).toBe(0);
});

it("starts K_ref and V_ref as the layer's own where a checkpoint has none", async () => {
  const { "to_k_ref.weight": _, "to_v_ref.weight": __, ...plain } = await published("layer");
  const layer = await layerOf("other");
  layer.loadPublished(plain);
  const weights = layer.getWeights().map((weight) => [...weight.dataSync()]);
  expect(weights[3]).toEqual(weights[1]);
  expect(weights[4]).toEqual(weights[2]);
});

it.each<[string, () => unknown, RegExp]>([
  [
    "heads that do not divide",
    () =>
      new AttentionFusion({ heads: 5 }).computeOutputShape([
        [null, 4, 12],
        [null, 4, 12],
      ]),
    /5 heads do not divide 12/,
  ],
  ["no heads", () => new AttentionFusion({ heads: 0 }), /heads of at least 1, got 0/],
  ["a scale that is not a number", () => new AttentionFusion({ heads: 1, scale: Number.NaN }), /finite scale/],
  ["one input", () => new AttentionFusion({ heads: 1 }).computeOutputShape([null, 4, 12]), /expected hidden states .*got \[, 4, 12\]/],
  ["weights before there are any", () => new AttentionFusion({ heads: 1 }).loadPublished({}), /has been built/],
])("refuses %s", (_, build, message) => {
  let thrown: unknown;
  try {
    build();
  } catch (error) {
    thrown = error;
  }
  expect(ArgumentError.isInstance(thrown), String(thrown)).toBe(true);
  expect(String(thrown)).toMatch(message);
});

it("refuses missing, unknown and misshapen weights by name", async () => {
  const layer = await layerOf("layer");
  const tensors = await published("layer");
  const { "to_q.weight": query, ...rest } = tensors;
  expect(() => layer.loadPublished(rest)).toThrow(/to_q\.weight \[12, 12\], got none/);
  expect(() => layer.loadPublished({ ...rest, "to_q.weight": { ...query!, dims: [6, 24] } })).toThrow(/to_q\.weight \[12, 12\], got \[6, 24\]/);
  expect(() => layer.loadPublished({ ...tensors, "norm.weight": query! })).toThrow(/got norm\.weight/);
});
