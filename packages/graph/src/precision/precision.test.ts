import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { silu } from "../ops/activation.js";
import { conv2d } from "../ops/convolution.js";
import { add } from "../ops/elementwise.js";
import { concat, reshape, transpose } from "../ops/layout.js";
import { linear } from "../ops/linear.js";
import { groupNorm } from "../ops/normalization.js";
import { resizeNearest } from "../ops/resize.js";
import { openSession, type SessionOptions } from "../session/session.js";
import type { Tensor } from "../tensor.js";
import { formulaGaussian, formulaWeights } from "../weights/formula.js";
import { Weights } from "../weights/weights.js";
import { float16Graph } from "./float16.js";
import { int8Graph } from "./int8.js";
import { quantizeWeights } from "./int8-weights.js";
import { gatherRanges, watchRanges } from "./ranges.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-precision-"));
  process.env.REFADGEN_CACHE = folder;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const dims = [2, 16, 12, 10];
const x: Tensor<"float32"> = { dtype: "float32", dims, data: formulaGaussian("x", dims) };

/** A U-Net's ingredients: first and last convolution, one in the middle, one of joined skips, linear layers of many rows and of few. */
function network(): Graph {
  const graph = new Graph("network");
  const weights = Weights.from(formulaWeights("precision"));
  const conv = (value: Parameters<typeof conv2d>[0], name: string, from: number, to: number) =>
    conv2d(value, weights.get(`${name}.weight`, [to, from, 3, 3]), weights.get(`${name}.bias`, [to]), { padding: 1 });
  const input = graph.input("x", "float32", dims);
  const few = linear(reshape(graph.constant("float32", [32], new Float32Array(32).fill(0.5)), [2, 16]), weights.get("few.weight", [16, 16]));
  const first = conv(input, "first", 16, 32);
  const normed = silu(groupNorm(first, weights.get("norm.weight", [32]), weights.get("norm.bias", [32]), { groups: 4, epsilon: 1e-5 }));
  const middle = conv(normed, "middle", 32, 32);
  const skip = conv(concat([middle, first], 1), "skip", 64, 16);
  const tokens = linear(
    transpose(reshape(add(skip, reshape(few, [2, 16, 1, 1])), [2, 16, 120]), [0, 2, 1]),
    weights.get("many.weight", [16, 16]),
    weights.get("many.bias", [16]),
  );
  const map = resizeNearest(reshape(transpose(tokens, [0, 2, 1]), dims), { height: 24, width: 20 });
  graph.output("y", conv(map, "last", 16, 4));
  return graph;
}

async function run(graph: Graph, options: SessionOptions = {}): Promise<Readonly<Record<string, Tensor>>> {
  const session = await openSession(graph, { threads: 1, ...options });
  const outputs = await session.run({ x });
  await session.dispose();
  return outputs;
}

function relative(actual: Tensor, expected: Tensor): number {
  const squares = (values: readonly number[]) => values.reduce((sum, value) => sum + value * value, 0);
  const [a, b] = [Array.from(actual.data, Number), Array.from(expected.data, Number)];
  return Math.sqrt(squares(a.map((value, index) => value - b[index]!)) / squares(b));
}

const ops = (graph: Graph) => graph.nodes.map(({ op }) => op);

it("weights in 8 bits are their values to half a step, row by row, and made once", async () => {
  const weight = Weights.from(formulaWeights("int8")).get("w.weight", [5, 7]);
  const values = new Float32Array((await weight.stored.read()).buffer as ArrayBuffer);
  for (const transposed of [false, true]) {
    const [made] = await quantizeWeights([{ parameter: weight, transposed }]);
    const bytes = new Int8Array((await made!.quantized.stored.read()).buffer as ArrayBuffer);
    const scales = new Float32Array((await made!.scale.stored.read()).buffer as ArrayBuffer);
    expect(made!.quantized.dims).toEqual(transposed ? [7, 5] : [5, 7]);
    for (let row = 0; row < 5; row++) {
      const most = Math.max(...values.subarray(row * 7, row * 7 + 7).map(Math.abs));
      expect(scales[row]).toBeCloseTo(most / 63, 7);
      for (let column = 0; column < 7; column++) {
        const level = bytes[transposed ? column * 5 + row : row * 7 + column]!;
        expect(Math.abs(level * scales[row]! - values[row * 7 + column]!)).toBeLessThanOrEqual(scales[row]! * 0.5001);
      }
    }
  }
  const files = await readdir(join(folder, "int8"));
  await quantizeWeights([{ parameter: weight, transposed: true }]);
  expect(await readdir(join(folder, "int8"))).toEqual(files);
});

it("watching leaves the result as it is and gives the range of every convolution", async () => {
  const watched = network();
  watchRanges(watched);
  const [plain, outputs] = [await run(network()), await run(watched)];
  expect(outputs.y).toEqual(plain.y);
  const ranges = gatherRanges(outputs);
  expect(ranges.x).toEqual([Math.min(...x.data), Math.max(...x.data)]);
  expect(Object.keys(ranges)).toHaveLength(8);
  expect(gatherRanges({}, ranges)).toEqual(ranges);
  const wider = gatherRanges(
    { "least of x": { ...x, dims: [], data: Float32Array.of(-99) }, "most of x": { ...x, dims: [], data: Float32Array.of(0) } },
    ranges,
  );
  expect(wider.x).toEqual([-99, ranges.x![1]]);
});

it("int8 converts layers of many rows and calibrated convolutions, leaves the delicate ones, and stays near", async () => {
  const watched = network();
  watchRanges(watched);
  const expected = (await run(watched)).y!;
  const ranges = gatherRanges(await run(watched));
  const linears = ops(await int8Graph(network()));
  expect(linears.filter((op) => op === "DynamicQuantizeMatMul")).toHaveLength(1);
  expect(linears.filter((op) => op === "Gemm")).toHaveLength(1);
  expect(linears).not.toContain("QuantizeLinear");
  const all = ops(await int8Graph(network(), { ranges }));
  expect(all.filter((op) => op === "QuantizeLinear")).toHaveLength(2); // into and out of the middle one
  expect(ops(await int8Graph(network(), { ranges, keep: () => true }))).toEqual(ops(network()));
  for (const optimization of ["mapped", "kept"] as const) {
    const [some, most] = [
      await run(network(), { precision: "int8", optimization }),
      await run(network(), { precision: "int8", ranges, optimization }),
    ];
    expect(relative(some.y!, expected)).toBeLessThan(0.02);
    expect(relative(some.y!, expected)).toBeGreaterThan(1e-4);
    expect(relative(most.y!, expected)).toBeLessThan(0.03);
  }
});

it("float16 graphs take and give float32, and stay near", async () => {
  const half = float16Graph(network());
  expect([...half.inputs, half.outputs[0]!.value].map(({ dtype }) => dtype)).toEqual(["float32", "float32"]);
  const convolution = half.nodes.find(({ op }) => op === "Conv")!;
  expect(half.values.get(convolution.outputs[0]!)!.dtype).toBe("float16");
  const error = relative((await run(half)).y!, (await run(network())).y!);
  expect(error).toBeLessThan(5e-3);
  expect(error).toBeGreaterThan(1e-6);
});
