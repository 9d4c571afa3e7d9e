import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { silu } from "../ops/activation.js";
import { attention } from "../ops/attention.js";
import { conv2d } from "../ops/convolution.js";
import { add, cast, multiply } from "../ops/elementwise.js";
import { embedding } from "../ops/gather.js";
import { reshape, transpose } from "../ops/layout.js";
import { linear, matMul } from "../ops/linear.js";
import { groupNorm, layerNorm } from "../ops/normalization.js";
import { SessionError } from "../session/error.js";
import { openSession } from "../session/session.js";
import type { Tensor } from "../tensor.js";
import { formulaGaussian, formulaWeights } from "../weights/formula.js";
import { memoryWeights } from "../weights/memory.js";
import { Weights } from "../weights/weights.js";
import { loadTensorFlow, openTfjsSession } from "./index.js";

const gaussian = (name: string, dims: readonly number[]): Tensor<"float32"> => ({ dtype: "float32", dims, data: formulaGaussian(name, dims) });

/** A network in miniature: embedding, convolution, normalisation, attention, linear layers. */
function network(): { readonly graph: Graph; readonly feeds: { readonly x: Tensor; readonly ids: Tensor } } {
  const graph = new Graph("network");
  const weights = Weights.from(formulaWeights("tfjs"));
  const x = graph.input("x", "float32", [2, 4, 6, 5]);
  const ids = graph.input("ids", "int64", [2, 3]);
  const convolved = silu(conv2d(x, weights.get("conv.weight", [8, 4, 3, 3]), weights.get("conv.bias", [8]), { padding: 1 }));
  const normed = groupNorm(convolved, weights.get("norm.weight", [8]), weights.get("norm.bias", [8]), { groups: 4, epsilon: 1e-5 });
  const tokens = transpose(reshape(normed, [2, 8, 30]), [0, 2, 1]);
  const table = embedding(ids, weights.get("table", [10, 8]));
  const attended = attention(tokens, table, table, { heads: 2 });
  const result = linear(
    layerNorm(add(tokens, attended), weights.get("ln.weight", [8]), weights.get("ln.bias", [8])),
    weights.get("out.weight", [3, 8]),
    weights.get("out.bias", [3]),
  );
  graph.output("y", result);
  graph.output("ids as they came", ids);
  return { graph, feeds: { x: gaussian("x", [2, 4, 6, 5]), ids: { dtype: "int64", dims: [2, 3], data: BigInt64Array.of(0n, 9n, 3n, 3n, 2n, 1n) } } };
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail("expected a failure"),
    (error: Error) => error,
  );
}

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  it("a network gives what ONNX Runtime gives", async () => {
    const { graph, feeds } = network();
    const [ours, reference] = [await openTfjsSession(graph, { backend }), await openSession(graph, { threads: 1 })];
    const [actual, expected] = [await ours.run(feeds), await reference.run(feeds)];
    await Promise.all([ours.dispose(), reference.dispose()]);
    expect(actual["ids as they came"]).toEqual(feeds.ids);
    const [a, b] = [Array.from(actual.y!.data, Number), Array.from(expected.y!.data, Number)];
    const worst = Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));
    expect(worst).toBeLessThan(5e-6);
  });

  it("a thousand runs leave memory as it was, and dispose gives all back", async () => {
    const { graph, feeds } = network();
    const tf = await loadTensorFlow(backend);
    const before = tf.memory().numTensors;
    const session = await openTfjsSession(graph, { backend });
    await session.run(feeds);
    const { numTensors, numBytes } = tf.memory();
    for (let run = 0; run < 1000; run++) await session.run(feeds);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    expect(session.figures.runs).toBe(1001);
    await session.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("frees what a failed and an aborted run had made", async () => {
    const graph = new Graph("slow");
    const x = graph.input("x", "float32", [500, 500]);
    let y = matMul(x, x);
    for (let index = 0; index < 20; index++) y = matMul(y, x);
    graph.output("y", y);
    const tf = await loadTensorFlow(backend);
    const session = await openTfjsSession(graph, { backend });
    const before = tf.memory().numTensors;
    const stop = new AbortController();
    const running = failure(session.run({ x: gaussian("x", [500, 500]) }, { signal: stop.signal }));
    setImmediate(() => stop.abort(new Error("enough")));
    expect(await running).toMatchObject({ message: "enough" });
    expect(tf.memory().numTensors).toBe(before);
    expect(session.figures.runs).toBe(0);
    await session.dispose();
  });

  it("keeps tensors for many runs until they are released", async () => {
    const graph = new Graph("held");
    graph.output("y", multiply(graph.input("a", "float32", [2]), graph.input("b", "float32", [2])));
    const session = await openTfjsSession(graph, { backend });
    const a = await session.hold({ dtype: "float32", dims: [2], data: Float32Array.of(2, 3) });
    for (const factor of [1, 2]) {
      const { y } = await session.run({ a, b: { dtype: "float32", dims: [2], data: Float32Array.of(factor, factor) } });
      expect([...y!.data]).toEqual([2 * factor, 3 * factor]);
    }
    await a.release();
    const error = await failure(session.run({ a, b: { dtype: "float32", dims: [2], data: new Float32Array(2) } }));
    expect(ArgumentError.isInstance(error) && error.message).toMatch(/held for "a" is not of this session, or released/);
    await session.dispose();
    expect(await failure(session.run({}))).toMatchObject({ code: "disposed" });
  });
});

it("widens half-precision weights, and takes a run of a weight's rows", async () => {
  const source = memoryWeights([
    { name: "w", dtype: "float16", dims: [4, 2], data: Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0xbc00, 0, 0x3800, 0x3800) },
  ]);
  const stored = source.tensors.get("w")!;
  const graph = new Graph("half");
  graph.output("y", linear(graph.input("x", "float32", [1, 2]), { name: "w[2:4]", dtype: "float32", dims: [2, 2], stored, start: 4 }));
  const session = await openTfjsSession(graph, { backend: "cpu" });
  const { y } = await session.run({ x: { dtype: "float32", dims: [1, 2], data: Float32Array.of(1, 10) } });
  expect([...y!.data]).toEqual([-1, 5.5]);
  await session.dispose();
});

it("names every operator that it was not taught, before anything is loaded", async () => {
  const graph = new Graph("strange");
  const x = graph.input("x", "float32", [2, 3]);
  const [y] = graph.add("Einsum", [x], [x]);
  const [z] = graph.add("Softplus", [y!], [x]);
  graph.output("z", z!);
  const error = await failure(openTfjsSession(graph, { backend: "cpu" }));
  expect(SessionError.isInstance(error) && error.message).toBe("strange cannot run on TensorFlow.js: the operator Einsum; the operator Softplus");
});

it("refuses integers beyond 32 bits instead of wrapping them", async () => {
  const graph = new Graph("long");
  graph.output("y", cast(graph.input("x", "int64", [1]), "float32"));
  const session = await openTfjsSession(graph, { backend: "cpu" });
  const error = await failure(session.run({ x: { dtype: "int64", dims: [1], data: BigInt64Array.of(2n ** 40n) } }));
  expect(error.message).toMatch(/32-bit integers, got 1099511627776/);
  await session.dispose();
});

it("says which package to install for a backend that is not there", async () => {
  const graph = new Graph("one");
  graph.output("y", graph.input("x", "float32", [1]));
  const error = await failure(openTfjsSession(graph, { backend: "node-gpu" }));
  expect(error).toMatchObject({ code: "runtime-missing", message: expect.stringContaining("npm install @tensorflow/tfjs-node-gpu") });
  const unknown = await failure(openTfjsSession(graph, { backend: "abacus" as "cpu" }));
  expect(ArgumentError.isInstance(unknown) && unknown.message).toContain('got "abacus"');
});
