import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formulaGaussian, formulaTensor, Graph, openSession, type Tensor, type Value, Weights } from "@refadgen/graph";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseClipTextConfig, parseClipVisionConfig } from "./config.js";
import { type ResamplerConfig, resampler, resamplerConfigOf, resamplerSd15 } from "./resampler.js";
import { clipTextEncoder, isClipBuffer } from "./text-encoder.js";
import { clipVisionEncoder } from "./vision-encoder.js";

interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly config: object;
  readonly ids?: readonly (readonly number[])[];
  readonly [output: string]: unknown;
}

const cases: Readonly<Record<string, Case>> = JSON.parse(await readFile(new URL("../fixtures/networks.json", import.meta.url), "utf8"));

let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "refadgen-clip-"));
  process.env.REFADGEN_CACHE = cache;
});

afterAll(() => rm(cache, { recursive: true }));

function formula(salt: string, { without = [] }: { readonly without?: readonly string[] } = {}): Weights {
  return Weights.from({
    description: `formula weights "${salt}"`,
    keys: () => [],
    tensor: (key, dims) => (without.includes(key) ? undefined : formulaTensor(salt, key, dims)),
  });
}

async function run(graph: Graph, outputs: Readonly<Record<string, Value | undefined>>, feeds: Readonly<Record<string, Tensor>>) {
  for (const [name, value] of Object.entries(outputs)) if (value) graph.output(name, value);
  const session = await openSession(graph, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** Everything recorded for a case; measured 3e-6 at values around 1. */
function expectRecorded(name: string, answers: Readonly<Record<string, Tensor>>): void {
  const outputs = Object.entries(cases[name]!).filter(([output]) => output !== "config" && output !== "ids");
  expect(Object.keys(answers).sort()).toEqual(outputs.map(([output]) => output).sort());
  for (const [output, recorded] of outputs) {
    const { dims, data } = recorded as Recorded;
    expect(answers[output]!.dims, output).toEqual(dims);
    const worst = data.reduce((most, value, index) => Math.max(most, Math.abs(Number(answers[output]!.data[index]) - value)), 0);
    expect(worst, output).toBeLessThan(1e-5);
  }
}

describe("clipTextEncoder", () => {
  test.each(["text-old", "text-new"])("as transformers: %s, int64 and int32 ids", async (name) => {
    const { config, ids } = cases[name]!;
    const dims = [ids!.length, ids![0]!.length];
    const feeds: Tensor[] = [
      { dtype: "int64", dims, data: BigInt64Array.from(ids!.flat(), BigInt) },
      { dtype: "int32", dims, data: Int32Array.from(ids!.flat()) },
    ];
    for (const feed of feeds) {
      const graph = new Graph(name);
      const encoded = clipTextEncoder(graph.input("ids", feed.dtype, dims), formula(name), parseClipTextConfig(config), { layer: -2 });
      const { hiddenStates, states, lastHiddenState, pooled, textEmbeds } = encoded;
      const outputs = {
        first: hiddenStates[0],
        penultimate: hiddenStates.at(-2),
        skipped: states,
        last: lastHiddenState,
        pooled,
        embeds: textEmbeds,
      };
      expectRecorded(name, await run(graph, outputs, { ids: feed }));
    }
  });

  const config = parseClipTextConfig(cases["text-old"]!.config);

  test("layers: the chosen hidden state, as it is or normalised", () => {
    const ids = new Graph("layers").input("ids", "int64", [1, 9]);
    const plain = clipTextEncoder(ids, formula("text-old"), config, { layer: 0, finalNorm: false });
    expect(plain.states).toBe(plain.hiddenStates[0]);
    expect(plain.hiddenStates.length).toBe(4);
    for (const layer of [4, -5, 0.5]) {
      expect(() => clipTextEncoder(ids, formula("text-old"), config, { layer })).toThrow(
        `clipTextEncoder: expected a layer from -4 to 3, got ${layer}`,
      );
    }
  });

  test("a checkpoint without projection has no textEmbeds, and lacks nothing", () => {
    const weights = formula("text-old", { without: ["text_projection.weight"] });
    expect(clipTextEncoder(new Graph("text").input("ids", "int64", [1, 9]), weights, config).textEmbeds).toBeUndefined();
    expect(() => weights.verify()).not.toThrow();
    expect(isClipBuffer("text_model.embeddings.position_ids")).toBe(true);
    expect(isClipBuffer("text_model.embeddings.position_embedding.weight")).toBe(false);
  });

  test("ids that do not fit", () => {
    for (const [dtype, dims] of [
      ["int64", [1, 10]],
      ["int64", [9]],
      ["float32", [1, 9]],
    ] as const) {
      expect(() => clipTextEncoder(new Graph("bad").input("ids", dtype, dims), formula("text-old"), config)).toThrow(
        "expected int64 or int32 ids [B, T] with T of 1 to 9",
      );
    }
  });
});

describe("clipVisionEncoder", () => {
  test.each(["vision-gelu", "vision-quick"])("as transformers: %s", async (name) => {
    const config = parseClipVisionConfig(cases[name]!.config);
    const dims = [2, 3, config.image_size, config.image_size];
    const graph = new Graph(name);
    const { hiddenStates, lastHiddenState, pooled, imageEmbeds } = clipVisionEncoder(graph.input("pixels", "float32", dims), formula(name), config);
    const outputs = { first: hiddenStates[0], penultimate: hiddenStates.at(-2), last: lastHiddenState, pooled, embeds: imageEmbeds };
    expectRecorded(name, await run(graph, outputs, { pixels: { dtype: "float32", dims, data: formulaGaussian(name, dims) } }));
  });

  test("pixels that do not fit", () => {
    const config = parseClipVisionConfig(cases["vision-gelu"]!.config);
    const pixels = new Graph("bad").input("pixels", "float32", [1, 3, 12, 16]);
    expect(() => clipVisionEncoder(pixels, formula("vision-gelu"), config)).toThrow(
      "expected float32 pixels [B, 3, 12, 12], got float32 [1, 3, 12, 16]",
    );
  });
});

describe("resampler", () => {
  const name = "resampler-small";
  const config = cases[name]!.config as ResamplerConfig;

  test("as the reference in PyTorch", async () => {
    const dims = [2, 7, 12];
    const graph = new Graph(name);
    const tokens = resampler(graph.input("states", "float32", dims), formula(name), config);
    expectRecorded(name, await run(graph, { tokens }, { states: { dtype: "float32", dims, data: formulaGaussian(name, dims) } }));
  });

  test("the configuration follows from the sizes of the tensors", () => {
    const sizes = new Map<string, readonly number[]>([
      ["latents", [1, 16, 768]],
      ["proj_in.weight", [768, 1280]],
      ["proj_out.weight", [768, 768]],
      ...[0, 1, 2, 3].flatMap((layer): [string, readonly number[]][] => [
        [`layers.${layer}.0.to_q.weight`, [768, 768]],
        [`layers.${layer}.1.1.weight`, [3072, 768]],
      ]),
    ]);
    expect(resamplerConfigOf((key) => sizes.get(key))).toEqual(resamplerSd15);
    expect(() => resamplerConfigOf((key) => sizes.get(key), { dim_head: 65 })).toThrow("expected heads of 65");
    expect(() => resamplerConfigOf(() => undefined)).toThrow("expected latents with 3 dimensions, got none");
    expect(() => resampler(new Graph("bad").input("states", "float32", [1, 7, 13]), formula(name), config)).toThrow(
      "expected hiddenStates [B, N, 12], got [1, 7, 13]",
    );
  });
});
