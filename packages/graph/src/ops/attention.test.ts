import { describe, it } from "vitest";
import { Graph } from "../graph.js";
import type { Tensor } from "../tensor.js";
import { type AttentionOptions, attention } from "./attention.js";
import { evaluate, expectClose, expectGraphError, gaussian, reader, sum, tabulate } from "./evaluate.test.support.js";

/** softmax(q · kᵀ · scale) · v, head by head, in float64. */
function slowAttention(
  query: Tensor<"float32">,
  key: Tensor<"float32">,
  value: Tensor<"float32">,
  { heads, scale, causal = false }: AttentionOptions,
  bias: (...index: number[]) => number = () => 0,
) {
  const [batch, tokens, channels] = query.dims as [number, number, number];
  const [, sources, valueChannels] = value.dims as [number, number, number];
  const [width, valueWidth] = [channels / heads, valueChannels / heads];
  const [q, k, v] = [reader(query), reader(key), reader(value)];
  const factor = scale ?? 1 / Math.sqrt(width);
  const weights = (b: number, head: number, t: number) => {
    const scores = Array.from({ length: sources }, (_, s) =>
      causal && s > t
        ? Number.NEGATIVE_INFINITY
        : sum(width, (c) => q(b, t, head * width + c) * k(b, s, head * width + c)) * factor + bias(b, head, t, s),
    );
    const exponentials = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const total = exponentials.reduce((a, e) => a + e, 0);
    return exponentials.map((e) => e / total);
  };
  const known = new Map<string, number[]>();
  return tabulate([batch, tokens, valueChannels], (b, t, c) => {
    const head = Math.floor(c / valueWidth);
    const place = `${b} ${head} ${t}`;
    const share = known.get(place) ?? weights(b, head, t);
    known.set(place, share);
    return sum(sources, (s) => share[s]! * v(b, s, c));
  });
}

describe("attention equals the definition", () => {
  it.each<[string, number[], number[], number[], AttentionOptions]>([
    ["one head", [2, 5, 6], [2, 5, 6], [2, 5, 6], { heads: 1 }],
    ["heads", [2, 7, 12], [2, 7, 12], [2, 7, 12], { heads: 3 }],
    ["keys of another length", [2, 9, 8], [2, 4, 8], [2, 4, 8], { heads: 2 }],
    ["one key", [1, 3, 8], [1, 1, 8], [1, 1, 8], { heads: 4 }],
    ["values of another width", [2, 5, 8], [2, 6, 8], [2, 6, 4], { heads: 2 }],
    ["a scale", [1, 5, 8], [1, 6, 8], [1, 6, 8], { heads: 2, scale: 0.9 }],
    ["causal", [2, 6, 8], [2, 6, 8], [2, 6, 8], { heads: 2, causal: true }],
    ["causal with a scale, an odd length", [3, 77, 12], [3, 77, 12], [3, 77, 12], { heads: 3, scale: 0.5, causal: true }],
    ["several tiles of the flash kernel", [1, 300, 16], [1, 521, 16], [1, 521, 16], { heads: 2 }],
  ])("%s", async (_, queryDims, keyDims, valueDims, options) => {
    const [query, key, value] = [gaussian("q", queryDims), gaussian("k", keyDims), gaussian("v", valueDims)];
    const { out } = await evaluate({ query, key, value }, (inputs) => ({ out: attention(inputs.query!, inputs.key!, inputs.value!, options) }));
    expectClose(out, slowAttention(query, key, value, options), 1e-6);
  });
});

describe("attention adds a bias to its scores", () => {
  it.each([
    [2, 3, 5, 7],
    [1, 3, 5, 7],
    [2, 1, 5, 7],
    [1, 1, 5, 7],
  ])("%j", async (...biasDims) => {
    const [query, key, value, bias] = [gaussian("q", [2, 5, 12]), gaussian("k", [2, 7, 12]), gaussian("v", [2, 7, 12]), gaussian("b", biasDims)];
    const { out } = await evaluate({ query, key, value, bias }, (inputs) => ({
      out: attention(inputs.query!, inputs.key!, inputs.value!, { heads: 3, bias: inputs.bias! }),
    }));
    const read = reader(bias);
    const expected = slowAttention(query, key, value, { heads: 3 }, (b, head, t, s) => read(b % biasDims[0]!, head % biasDims[1]!, t, s));
    expectClose(out, expected, 1e-6);
  });
});

describe("attention refuses", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  it.each<[string, () => unknown, RegExp]>([
    [
      "a bias that does not fit",
      () => attention(value(1, 5, 8), value(1, 4, 8), value(1, 4, 8), { heads: 2, bias: value(1, 2, 4, 5) }),
      /does not fit scores/,
    ],
    ["heads that do not divide", () => attention(value(1, 5, 8), value(1, 5, 8), value(1, 5, 8), { heads: 3 }), /3 heads do not divide 8 channels/],
    ["no heads", () => attention(value(1, 5, 8), value(1, 5, 8), value(1, 5, 8), { heads: 0 }), /0 heads do not divide/],
    [
      "another batch",
      () => attention(value(2, 5, 8), value(1, 5, 8), value(1, 5, 8), { heads: 2 }),
      /query \[2, 5, 8\], key \[1, 5, 8\] and value \[1, 5, 8\] do not fit/,
    ],
    ["keys and values of different length", () => attention(value(1, 5, 8), value(1, 6, 8), value(1, 5, 8), { heads: 2 }), /do not fit/],
    ["another width of keys", () => attention(value(1, 5, 8), value(1, 5, 4), value(1, 5, 8), { heads: 2 }), /do not fit/],
    ["four dimensions", () => attention(value(1, 2, 5, 8), value(1, 2, 5, 8), value(1, 2, 5, 8), { heads: 2 }), /do not fit/],
    [
      "causal with other lengths",
      () => attention(value(1, 5, 8), value(1, 6, 8), value(1, 6, 8), { heads: 2, causal: true }),
      /causal needs as many keys as queries, got 6 and 5/,
    ],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
