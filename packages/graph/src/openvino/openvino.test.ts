import { execFile } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { silu } from "../ops/activation.js";
import { attention } from "../ops/attention.js";
import { conv2d } from "../ops/convolution.js";
import { add, multiply } from "../ops/elementwise.js";
import { embedding } from "../ops/gather.js";
import { reshape, transpose } from "../ops/layout.js";
import { linear, matMul } from "../ops/linear.js";
import { groupNorm, layerNorm } from "../ops/normalization.js";
import { SessionError } from "../session/error.js";
import { processorFlags } from "../session/processor.js";
import { chooseRuntime } from "../session/runtimes.js";
import { openSession } from "../session/session.js";
import type { Tensor } from "../tensor.js";
import { formulaGaussian, formulaWeights } from "../weights/formula.js";
import { Weights } from "../weights/weights.js";
import { loadOpenVino } from "./api.js";
import { installOpenVino } from "./install.js";
import { findOpenVino } from "./library.js";
import { openVinoForTests } from "./openvino.test.support.js";
import { hasBfloat16, openOpenVinoSession } from "./session.js";

const found = await openVinoForTests();
const library = found ?? "";
const describeWithLibrary = describe.runIf(found !== undefined);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-openvino-test-"));
  process.env.REFADGEN_CACHE = join(folder, "cache");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const gaussian = (name: string, dims: readonly number[]): Tensor<"float32"> => ({ dtype: "float32", dims, data: formulaGaussian(name, dims) });

/** A network in miniature: embedding, convolution, normalisation, attention with and without a mask, linear layers. */
function network(): { readonly graph: Graph; readonly feeds: { readonly x: Tensor; readonly ids: Tensor } } {
  const graph = new Graph("network");
  const weights = Weights.from(formulaWeights("openvino"));
  const x = graph.input("x", "float32", [2, 4, 6, 5]);
  const ids = graph.input("ids", "int64", [2, 30]);
  const convolved = silu(conv2d(x, weights.get("conv.weight", [8, 4, 3, 3]), weights.get("conv.bias", [8]), { padding: 1 }));
  const normed = groupNorm(convolved, weights.get("norm.weight", [8]), weights.get("norm.bias", [8]), { groups: 4, epsilon: 1e-5 });
  const tokens = transpose(reshape(normed, [2, 8, 30]), [0, 2, 1]);
  const table = embedding(ids, weights.get("table", [10, 8]));
  const attended = add(attention(tokens, table, table, { heads: 2 }), attention(table, tokens, tokens, { heads: 2, causal: true }));
  const norm = layerNorm(add(tokens, attended), weights.get("ln.weight", [8]), weights.get("ln.bias", [8]));
  graph.output("y", linear(norm, weights.get("out.weight", [3, 8]), weights.get("out.bias", [3])));
  graph.output("ids as they came", ids);
  const numbers = BigInt64Array.from({ length: 60 }, (_, index) => BigInt((index * 7) % 10));
  return { graph, feeds: { x: gaussian("x", [2, 4, 6, 5]), ids: { dtype: "int64", dims: [2, 30], data: numbers } } };
}

function slow(products: number): { readonly graph: Graph; readonly feeds: { readonly x: Tensor } } {
  const graph = new Graph("slow");
  const x = graph.input("x", "float32", [500, 500]);
  let y = matMul(x, x);
  for (let index = 1; index < products; index++) y = matMul(y, x);
  graph.output("y", y);
  return { graph, feeds: { x: { dtype: "float32", dims: [500, 500], data: new Float32Array(250_000).fill(1 / 500) } } };
}

async function failure(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return promise.then(
    () => expect.fail("expected a failure"),
    (error: Error) => error,
  );
}

function worst(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  return Math.max(...Array.from(a, (value, index) => Math.abs(Number(value) - Number(b[index]))));
}

describeWithLibrary("a session", () => {
  it("gives what ONNX Runtime gives, run after run", async () => {
    const { graph, feeds } = network();
    const [ours, reference] = [await openSession(graph, { runtime: "openvino", library, threads: 1 }), await openSession(graph, { threads: 1 })];
    const expected = await reference.run(feeds);
    for (let run = 0; run < 3; run++) {
      const actual = await ours.run(feeds);
      expect(actual["ids as they came"]).toEqual(feeds.ids);
      expect(actual.y!.dims).toEqual([2, 30, 3]);
      expect(worst(actual.y!.data, expected.y!.data)).toBeLessThan(5e-6);
    }
    expect(ours.figures).toMatchObject({ runs: 3, optimization: "mapped", weightBytes: reference.figures.weightBytes });
    await Promise.all([ours.dispose(), reference.dispose()]);
    expect(await failure(ours.run(feeds))).toMatchObject({ code: "disposed" });
  });

  it("means of a long group keep their digits", async () => {
    // One long float32 sum would be off by 1e-4 here: mostly one value, as a product on white is.
    const dims = [1, 2, 192, 256];
    const data = Float32Array.from({ length: 2 * 192 * 256 }, (_, index) => (index % 97 === 0 ? 0.3 : 1.1));
    const graph = new Graph("norm");
    const weights = Weights.from(formulaWeights("norm"));
    graph.output(
      "y",
      groupNorm(graph.input("x", "float32", dims), weights.get("weight", [2]), weights.get("bias", [2]), { groups: 1, epsilon: 1e-6 }),
    );
    const session = await openOpenVinoSession(graph, { library });
    const { y } = await session.run({ x: { dtype: "float32", dims, data } });
    await session.dispose();
    const [weight, bias] = await Promise.all(
      ["weight", "bias"].map(async (name) => new Float32Array((await weights.get(name, [2]).stored.read()).buffer as ArrayBuffer)),
    );
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length + 1e-6);
    const half = data.length / 2;
    const expected = Array.from(data, (value, index) => ((value - mean) / deviation) * weight![index < half ? 0 : 1]! + bias![index < half ? 0 : 1]!);
    const error = expected.reduce((most, value, index) => Math.max(most, Math.abs(value - Number(y!.data[index]))), 0);
    expect(error).toBeLessThan(2e-5);
  });

  it("keeps tensors for many runs, and knows those of another session", async () => {
    const graph = new Graph("held");
    graph.output("y", multiply(graph.input("a", "float32", [2]), graph.input("b", "float32", [2])));
    const [session, other] = [await openOpenVinoSession(graph, { library }), await openOpenVinoSession(graph, { library })];
    const data = Float32Array.of(2, 3);
    const a = await session.hold({ dtype: "float32", dims: [2], data });
    expect(data.length).toBe(0);
    const b = (factor: number): Tensor => ({ dtype: "float32", dims: [2], data: Float32Array.of(factor, factor) });
    for (const factor of [1, 2, 3]) expect([...(await session.run({ a, b: b(factor) })).y!.data]).toEqual([2 * factor, 3 * factor]);
    expect((await failure(other.run({ a, b: b(1) }))).message).toMatch(/does not hold the tensor for "a"/);
    await a.release();
    await a.release();
    const error = await failure(session.run({ a, b: b(1) }));
    expect(ArgumentError.isInstance(error) && error.message).toMatch(/does not hold the tensor for "a"/);
    await Promise.all([session.dispose(), other.dispose()]);
  });

  it("an abort answers at once, stops the run, and the session goes on", async () => {
    const { graph, feeds } = slow(150);
    const session = await openOpenVinoSession(graph, { library, threads: 1 });
    const whole = performance.now();
    await session.run(feeds);
    const runMs = performance.now() - whole;
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 20);
    const begun = performance.now();
    const [first, second] = [failure(session.run(feeds, { signal: stop.signal })), session.run(feeds)];
    expect((await first).message).toBe("enough");
    expect(performance.now() - begun).toBeLessThan(Math.max(500, runMs / 2));
    expect((await second).y!.data[0]).toBeCloseTo(1 / 500);
    expect(session.figures.runs).toBe(2);
    await session.dispose();
  });

  it("leaves the event loop free", async () => {
    const { graph, feeds } = slow(150);
    const session = await openOpenVinoSession(graph, { library, threads: 1 });
    // Other programs only ever add to the delay: the best of three runs is nearest to what is ours.
    const delays: number[] = [];
    for (let round = 0; round < 3; round++) {
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      await session.run(feeds);
      delay.disable();
      delays.push(delay.percentile(99) / 1e6 - 5);
    }
    await session.dispose();
    expect(Math.min(...delays)).toBeLessThan(50);
  });

  it("several at once do not disturb each other", async () => {
    const { graph, feeds } = network();
    const sessions = await Promise.all([0, 1, 2, 3, 4, 5].map(() => openOpenVinoSession(graph, { library, threads: 1 })));
    const results = await Promise.all(sessions.flatMap((session) => [session.run(feeds), session.run(feeds)]));
    for (const { y } of results) expect(y).toEqual(results[0]!.y);
    await Promise.all(sessions.map((session) => session.dispose()));
    const left = await readdir(join(process.env.REFADGEN_CACHE!, "openvino", "open"));
    expect(left).toEqual([]);
  });

  it("refuses feeds that do not fit before anything runs", async () => {
    const { graph, feeds } = network();
    const session = await openOpenVinoSession(graph, { library });
    expect(ArgumentError.isInstance(await failure(session.run({ x: feeds.x })))).toBe(true);
    expect((await failure(session.run({ ...feeds, x: { ...feeds.x, dims: [4, 2, 6, 5] } }))).message).toMatch(/expected "x" float32/);
    await session.dispose();
  });
});

describeWithLibrary("kept compiled graphs", () => {
  const shelf = () => join(process.env.REFADGEN_CACHE!, "openvino", "compiled");

  it("are used again, made anew when damaged, and made once by two at a time", async () => {
    const { graph, feeds } = network();
    const open = () => openSession(graph, { runtime: "openvino", library, threads: 1, optimization: "kept" });
    const [first, second] = await Promise.all([open(), open()]);
    const expected = (await first.run(feeds)).y;
    expect((await second.run(feeds)).y).toEqual(expected);
    expect(first.figures.optimization).toBe("kept");
    await Promise.all([first.dispose(), second.dispose()]);
    const [name, ...others] = await readdir(shelf());
    expect(others).toEqual([]);
    const blob = (await readdir(join(shelf(), name!))).find((file) => file.endsWith(".blob"))!;
    await appendFile(join(shelf(), name!, blob), "damage");
    const third = await open();
    expect((await third.run(feeds)).y).toEqual(expected);
    await third.dispose();
    const fourth = await open();
    expect((await fourth.run(feeds)).y).toEqual(expected);
    await fourth.dispose();
  });
});

describeWithLibrary("precision", () => {
  it("bf16 is computed where the processor can, and refused where it cannot", async () => {
    const { graph, feeds } = network();
    const api = await loadOpenVino(library);
    const opening = openSession(graph, { runtime: "openvino", precision: "bf16", library });
    if (!hasBfloat16(api)) {
      const error = await failure(opening);
      expect(error).toMatchObject({ code: "precision-unavailable", message: expect.stringMatching(/has no bfloat16 instructions/) });
      return;
    }
    const [ours, reference] = [await opening, await openSession(graph)];
    const [actual, expected] = [await ours.run(feeds), await reference.run(feeds)];
    const difference = worst(actual.y!.data, expected.y!.data);
    expect(difference).toBeGreaterThan(1e-6);
    expect(difference).toBeLessThan(0.1);
    await Promise.all([ours.dispose(), reference.dispose()]);
  });
});

describeWithLibrary("the library", () => {
  it("is found where an option, a variable or the cache says", async () => {
    const found = await findOpenVino(library);
    expect(found.files.at(-1)).toMatch(/openvino_c/);
    process.env.REFADGEN_OPENVINO = found.folder;
    expect(await findOpenVino()).toMatchObject({ folder: found.folder, found: "REFADGEN_OPENVINO" });
    delete process.env.REFADGEN_OPENVINO;
  });

  it("says what to do when a folder holds none, or nothing is installed", async () => {
    expect(await failure(findOpenVino(folder))).toMatchObject({
      code: "runtime-missing",
      message: expect.stringMatching(/holds no OpenVINO libraries.*refadgen runtime install openvino/),
    });
    expect((await failure(openSession(network().graph, { runtime: "openvino", library: folder }))).message).toContain(folder);
  });

  it("a damaged library, and one without the C interface, are typed errors; then the right one still loads", async () => {
    const module = new URL("./index.js", import.meta.url).href;
    const extension = { linux: "so", darwin: "dylib" }[process.platform as string];
    if (extension === undefined) return; // names of files differ on Windows
    const wrong = join(folder, "wrong");
    await mkdir(wrong);
    for (const name of [`libopenvino.${extension}`, `libopenvino_c.${extension}`]) await writeFile(join(wrong, name), "not a library");
    // Another process: this one has loaded OpenVINO already.
    const script = `
      import { loadOpenVino } from ${JSON.stringify(module)};
      const first = await loadOpenVino(${JSON.stringify(wrong)}).catch((error) => [error.code, error.message]);
      const api = await loadOpenVino(${JSON.stringify(library)});
      const second = await loadOpenVino(${JSON.stringify(wrong)}).catch((error) => [error.code, error.message]);
      console.log(JSON.stringify({ first, version: api.version, second }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    const { first, version, second } = JSON.parse(stdout) as { first: string[]; version: string; second: string[] };
    expect(first[0]).toBe("runtime-unusable");
    expect(first[1]).toMatch(/cannot be used on .*refadgen runtime install openvino/);
    expect(version).toMatch(/^20\d\d\./);
    expect(second[0]).toBe("runtime-unusable");
    expect(second[1]).toMatch(/start another process/);
  });

  it("is chosen by runtime auto for large networks; a named folder that is wrong is not passed over", async () => {
    const graph = new Graph("large");
    graph.output("y", linear(graph.input("x", "float32", [1, 16384]), Weights.from(formulaWeights("large")).get("weight", [8192, 16384])));
    const faster = (await processorFlags()).has("avx512f") ? "openvino" : "onnxruntime";
    expect(await chooseRuntime(graph, { runtime: "auto", library })).toBe(faster);
    expect(await chooseRuntime(graph, { runtime: "auto", library, precision: "int8" })).toBe("onnxruntime");
    expect(await chooseRuntime(network().graph, { runtime: "auto", library })).toBe("onnxruntime");
    expect(await failure(chooseRuntime(graph, { runtime: "auto", library: folder }))).toMatchObject({ code: "runtime-missing" });
  });
});

describe("options that contradict each other are refused", () => {
  it.each([
    [{ runtime: "abacus" as "tfjs" }, /expected runtime/],
    [{ precision: "fp8" as "fp16" }, /expected precision/],
    [{ precision: "fp16" }, /saves nothing on the CPU/],
    [{ precision: "bf16" }, /needs runtime "openvino"/],
    [{ precision: "int8", runtime: "tfjs" }, /computes in float32/],
    [{ provider: "cuda", runtime: "openvino" }, /is ONNX Runtime's/],
    [{ provider: "cuda", precision: "bf16" }, /is for the CPU/],
  ] as const)("%j", async (options, message) => {
    const error = await failure(openSession(network().graph, options));
    expect(ArgumentError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(message);
  });
});

describe("installation", () => {
  it("refuses what is not the pinned wheel, and leaves nothing behind", async () => {
    const wheel = join(folder, "some.whl");
    await writeFile(wheel, "not a wheel");
    const error = await failure(installOpenVino({ wheel }));
    expect(SessionError.isInstance(error) && error.code).toBe("runtime-unusable");
    expect(error.message).toMatch(/the sha256 of .*some\.whl is [0-9a-f]{64}/);
    const digest = /some\.whl is ([0-9a-f]{64})/.exec(error.message)![1]!;
    expect((await failure(installOpenVino({ wheel, sha256: digest }))).message).toMatch(/zip/);
    expect((await failure(installOpenVino({ wheel: join(folder, "none.whl") }))).message).toMatch(/nothing of the kind/);
    expect((await failure(installOpenVino({ wheel, sha256: "abc" }))).message).toMatch(/64 hexadecimal digits/);
    expect(await readdir(join(process.env.REFADGEN_CACHE!, "openvino", "runtime"))).toEqual([]);
  });
});
