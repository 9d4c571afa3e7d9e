import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { attention } from "../ops/attention.js";
import { float32, gaussian, tabulate } from "../ops/evaluate.test.support.js";
import { float16Graph } from "../precision/float16.js";
import { bindInputs } from "../rewrite.js";
import { attentionIsRight } from "./attention-probe.js";
import { plainAttention } from "./plain-attention.js";
import { openSession, type Session } from "./session.js";

const feeds = { q: gaussian("q", [2, 7, 12]), k: gaussian("k", [2, 7, 12]), v: gaussian("v", [2, 7, 6]), bias: gaussian("bias", [1, 3, 7, 7]) };

function graphOf(kind: "plain" | "causal" | "biased" | "scaled"): Graph {
  const graph = new Graph("attention");
  const [q, k, v, bias] = Object.entries(feeds).map(([name, { dims }]) => graph.input(name, "float32", dims));
  const options = { plain: {}, causal: { causal: true }, biased: { bias: bias! }, scaled: { scale: 0.3 } }[kind];
  graph.output("out", attention(q!, k!, v!, { heads: 3, ...options }));
  return graph;
}

async function run(graph: Graph): Promise<Float32Array> {
  const session = await openSession(graph, { runtime: "onnxruntime" });
  try {
    const given = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input.name === name)));
    return (await session.run(given)).out!.data as Float32Array;
  } finally {
    await session.dispose();
  }
}

describe("attention written out", () => {
  // 3 heads × 7 sources × 2 images × 4 bytes = 168 for one query: all at once, or 2 at a time.
  it.each([
    ["plain", 1e6],
    ["plain", 400],
    ["causal", 1e6],
    ["causal", 400],
    ["biased", 1e6],
    ["biased", 400],
    ["scaled", 1e6],
  ] as const)("%s with %d bytes of scores gives what the kernel gives", async (kind, bytes) => {
    const graph = graphOf(kind);
    const written = plainAttention(graph, bytes);
    expect(written.nodes.some(({ op }) => op === "MultiHeadAttention")).toBe(false);
    const [expected, found] = [await run(graph), await run(written)];
    for (const [index, value] of found.entries()) expect(Math.abs(value - expected[index]!)).toBeLessThan(2e-6);
  });

  it("holds in half precision", async () => {
    const expected = await run(graphOf("causal"));
    const found = await run(float16Graph(plainAttention(graphOf("causal"), 400)));
    for (const [index, value] of found.entries()) expect(Math.abs(value - expected[index]!)).toBeLessThan(5e-3);
  });
});

describe("the probe", () => {
  it("accepts ONNX Runtime's kernel on the CPU", async () => {
    expect(await attentionIsRight("a processor", (graph) => openSession(graph, { runtime: "onnxruntime" }))).toBe(true);
  });

  it("finds keys that were passed over, and asks once for a device", async () => {
    let asked = 0;
    const wrong = async (graph: Graph): Promise<Session> => {
      asked++;
      const session = await openSession(graph, { runtime: "onnxruntime" });
      const skip = ({ dims, data }: { readonly dims: readonly number[]; readonly data: Float32Array }) =>
        float32(
          dims,
          tabulate(dims, (image, source, channel) => (source! % 32 < 16 ? data[(image! * dims[1]! + source!) * dims[2]! + channel!]! : 0)).data,
        );
      return {
        ...session,
        run: (given, options) =>
          session.run(
            Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, name.startsWith("value") ? skip(tensor as never) : tensor])),
            options,
          ),
      };
    };
    expect(await attentionIsRight("a faulty device", wrong)).toBe(false);
    expect(await attentionIsRight("a faulty device", wrong)).toBe(false);
    expect(asked).toBe(1);
  });
});

describe("bound inputs", () => {
  it("leave the outputs as they were, and are no inputs any more", async () => {
    const { k, v } = feeds;
    const bound = bindInputs(graphOf("scaled"), { k, v });
    expect(bound.inputs.map(({ name }) => name)).toEqual(["q", "bias"]);
    expect(await run(bound)).toEqual(await run(graphOf("scaled")));
  });

  it("refuse what does not fit", () => {
    expect(() => bindInputs(graphOf("plain"), { k: feeds.v })).toThrow(/expected "k" float32/);
    expect(() => bindInputs(graphOf("plain"), { other: feeds.v })).toThrow(/no input "other"/);
  });
});
