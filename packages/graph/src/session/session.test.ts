import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { silu } from "../ops/activation.js";
import { conv2d } from "../ops/convolution.js";
import { add } from "../ops/elementwise.js";
import { linear, matMul } from "../ops/linear.js";
import type { Tensor } from "../tensor.js";
import { formulaGaussian, formulaTensor, formulaWeights } from "../weights/formula.js";
import { Weights } from "../weights/weights.js";
import { SessionError } from "./error.js";
import { openSession, type Session, type SessionOptions } from "./session.js";

let folder: string;
const open = new Set<Session>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-session-"));
  process.env.REFADGEN_CACHE = join(folder, "cache");
});
afterEach(async () => {
  for (const session of open) await session.dispose();
  open.clear();
});
afterAll(() => rm(folder, { recursive: true }));

async function opened(graph: Graph, options: SessionOptions = {}): Promise<Session> {
  const session = await openSession(graph, { threads: 1, ...options });
  open.add(session);
  return session;
}

/** y = x + 1, and the input as it came. */
function plusOne(): Graph {
  const graph = new Graph("plus one");
  const x = graph.input("x", "float32", [2, 3]);
  graph.output("y", add(x, 1));
  graph.output("same", x);
  return graph;
}

const six = (...values: number[]): Tensor<"float32"> => ({ dtype: "float32", dims: [2, 3], data: Float32Array.from(values) });

/** Matrix products that keep one processor busy for some hundred milliseconds. */
function slow(): { readonly graph: Graph; readonly feeds: { readonly x: Tensor } } {
  const graph = new Graph("slow");
  const x = graph.input("x", "float32", [640, 640]);
  let y = matMul(x, x);
  for (let index = 0; index < 40; index++) y = matMul(y, x);
  graph.output("y", y);
  return { graph, feeds: { x: { dtype: "float32", dims: [640, 640], data: new Float32Array(640 * 640).fill(1 / 640) } } };
}

/** A small network with weights, convolution and all. */
function network(salt: string): { readonly graph: Graph; readonly feeds: { readonly x: Tensor } } {
  const graph = new Graph(`network ${salt}`);
  const weights = Weights.from(formulaWeights(salt));
  const x = graph.input("x", "float32", [2, 3, 9, 7]);
  const h = silu(conv2d(x, weights.get("conv.weight", [32, 3, 3, 3]), weights.get("conv.bias", [32]), { padding: 1 }));
  const g = conv2d(h, weights.get("conv2.weight", [64, 32, 3, 3]), weights.get("conv2.bias", [64]), { padding: 1, stride: 2 });
  graph.output("y", linear(g, weights.get("linear.weight", [200, 4]), weights.get("linear.bias", [200])));
  return { graph, feeds: { x: { dtype: "float32", dims: [2, 3, 9, 7], data: formulaGaussian("x", [2, 3, 9, 7]) } } };
}

async function failure(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(SessionError.isInstance(error) || ArgumentError.isInstance(error), String(error)).toBe(true);
  return error as SessionError;
}

describe("run", () => {
  it("answers, again and again, and leaves the feeds alone", async () => {
    const session = await opened(plusOne());
    const x = six(1, 2, 3, 4, 5, 6);
    for (let round = 0; round < 3; round++) {
      const { y, same } = await session.run({ x });
      expect(y).toEqual({ dtype: "float32", dims: [2, 3], data: Float32Array.of(2, 3, 4, 5, 6, 7) });
      expect(same!.data).toEqual(x.data);
    }
    expect(session.figures).toMatchObject({ runs: 3, weightBytes: 0, cachedBytes: 0, optimization: "mapped" });
    expect(session.figures.lastRunSeconds).toBeGreaterThan(0);
  });

  it("takes a part of a larger array", async () => {
    const session = await opened(plusOne());
    const larger = Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6, 9);
    const { y } = await session.run({ x: { dtype: "float32", dims: [2, 3], data: larger.subarray(2, 8) } });
    expect([...y!.data]).toEqual([2, 3, 4, 5, 6, 7]);
    expect(larger).toHaveLength(9);
  });

  it("hands over every element type", async () => {
    const graph = new Graph("types");
    const feeds = {
      float64: { dtype: "float64", dims: [2], data: Float64Array.of(1.5, 2) },
      int64: { dtype: "int64", dims: [2], data: BigInt64Array.of(-1n, 2n ** 60n) },
      int32: { dtype: "int32", dims: [2], data: Int32Array.of(-7, 8) },
      uint8: { dtype: "uint8", dims: [2], data: Uint8Array.of(0, 255) },
      bool: { dtype: "bool", dims: [2], data: Uint8Array.of(0, 1) },
    } as const;
    for (const [name, { dtype, dims }] of Object.entries(feeds)) graph.output(`${name} out`, graph.input(name, dtype, dims));
    const results = await (await opened(graph)).run(feeds);
    for (const [name, feed] of Object.entries(feeds)) expect(results[`${name} out`]).toEqual(feed);
  });

  it.each<[string, Record<string, Tensor>, RegExp]>([
    ["a missing feed", {}, /run: plus one needs the input "x" float32 \[2, 3\]/],
    ["an unknown feed", { x: six(1, 2, 3, 4, 5, 6), z: six(1, 2, 3, 4, 5, 6) }, /run: plus one has no input "z"; it has x/],
    ["another size", { x: { dtype: "float32", dims: [3, 2], data: new Float32Array(6) } }, /expected "x" float32 \[2, 3\], got float32 \[3, 2\]/],
    ["another type", { x: { dtype: "int32", dims: [2, 3], data: new Int32Array(6) } }, /expected "x" float32 \[2, 3\], got int32 \[2, 3\]/],
    ["too few values", { x: six(1, 2, 3) }, /run: x expected 6 values for \[2, 3\], got 3/],
    [
      "an array that is not what its type says",
      { x: { dtype: "float32", dims: [2, 3], data: new Float64Array(6) } as unknown as Tensor },
      /run: x expected a typed array of float32, got Float64Array/,
    ],
  ])("refuses %s, and goes on", async (_, feeds, message) => {
    const session = await opened(plusOne());
    expect((await failure(session.run(feeds))).message).toMatch(message);
    expect([...(await session.run({ x: six(0, 0, 0, 0, 0, 0) })).y!.data]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("keeps the order of the calls, two sessions side by side", async () => {
    const [a, b] = await Promise.all([opened(plusOne()), opened(plusOne())]);
    const order: string[] = [];
    const runs = [1, 2, 3].flatMap((value) =>
      [a!, b!].map(async (session, index) => {
        const { y } = await session.run({ x: six(value, value, value, index, index, index) });
        order.push(`${index} ${value}`);
        return [...y!.data];
      }),
    );
    expect(await Promise.all(runs)).toEqual(
      [1, 2, 3].flatMap((value) => [0, 1].map((index) => [value, value, value, index, index, index].map((v) => v + 1))),
    );
    for (const index of ["0", "1"]) expect(order.filter((entry) => entry.startsWith(index))).toEqual([1, 2, 3].map((value) => `${index} ${value}`));
  });

  it("leaves the event loop free", async () => {
    const { graph, feeds } = slow();
    const session = await opened(graph);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const started = performance.now();
    await session.run(feeds);
    const elapsed = performance.now() - started;
    clearInterval(timer);
    expect(elapsed).toBeGreaterThan(50);
    expect(ticks).toBeGreaterThan(elapsed / 5 / 8);
  });
});

describe("hold", () => {
  it("keeps a tensor for many runs", async () => {
    const session = await opened(plusOne());
    const tensor = six(1, 2, 3, 4, 5, 6);
    const held = await session.hold(tensor);
    expect(tensor.data).toHaveLength(0);
    for (let round = 0; round < 3; round++) expect([...(await session.run({ x: held })).same!.data]).toEqual([1, 2, 3, 4, 5, 6]);
    await held.release();
    await held.release();
    expect(await failure(session.run({ x: held }))).toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('does not hold the tensor for "x"'),
    });
  });

  it("refuses a tensor that another session holds, and one of another size", async () => {
    const [a, b] = [await opened(plusOne()), await opened(plusOne())];
    await a.hold(six(1, 2, 3, 4, 5, 6));
    const held = await b.hold(six(6, 5, 4, 3, 2, 1));
    expect((await failure(a.run({ x: held }))).code).toBe("invalid-argument");
    const other = await a.hold({ dtype: "float32", dims: [6], data: new Float32Array(6) });
    expect((await failure(a.run({ x: other }))).message).toContain("got float32 [6]");
    expect((await failure(a.hold(six(1, 2)))).message).toContain("expected 6 values");
  });
});

describe("abort", () => {
  it("rejects at once with the signal's reason, and the session goes on", async () => {
    const { graph, feeds } = slow();
    const session = await opened(graph);
    const first = await session.run(feeds);
    const controller = new AbortController();
    const started = performance.now();
    const run = session.run(feeds, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(run).rejects.toThrow("enough");
    const elapsed = performance.now() - started;
    expect(elapsed / 1000).toBeLessThan(Math.max(0.1, session.figures.lastRunSeconds * 0.75));
    expect((await session.run(feeds)).y!.data).toEqual(first.y!.data);
  });

  it("takes back a run that waits, and refuses a signal that is aborted already", async () => {
    const { graph, feeds } = slow();
    const session = await opened(graph);
    const controller = new AbortController();
    const running = session.run(feeds);
    const waiting = session.run(feeds, { signal: controller.signal });
    controller.abort(new Error("not any more"));
    await expect(waiting).rejects.toThrow("not any more");
    await running;
    await expect(session.run(feeds, { signal: controller.signal })).rejects.toThrow("not any more");
    expect(session.figures.runs).toBe(1);
  });

  it("stops an opening", async () => {
    await expect(openSession(plusOne(), { signal: AbortSignal.abort(new Error("never mind")) })).rejects.toThrow("never mind");
    const controller = new AbortController();
    const opening = openSession(slow().graph, { signal: controller.signal, optimization: "kept" });
    setTimeout(() => controller.abort(new Error("too long")), 5);
    await expect(opening).rejects.toThrow("too long");
  });
});

describe("dispose", () => {
  it("waits for the run that has begun, refuses later ones, and may be called twice", async () => {
    const { graph, feeds } = slow();
    const session = await openSession(graph, { threads: 1 });
    const run = session.run(feeds);
    await Promise.all([session.dispose(), session.dispose()]);
    expect((await run).y!.dims).toEqual([640, 640]);
    expect(await failure(session.run(feeds))).toMatchObject({ code: "disposed", name: "SessionError" });
    expect((await failure(session.hold(six(1, 2, 3, 4, 5, 6)))).code).toBe("disposed");
  });

  it("is not needed for the process to end", async () => {
    const program = `
      import { add, Graph, openSession } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
      const graph = new Graph("g");
      graph.output("y", add(graph.input("x", "float32", [1]), 1));
      const session = await openSession(graph);
      console.log((await session.run({ x: { dtype: "float32", dims: [1], data: Float32Array.of(41) } })).y.data[0]);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000, cwd: folder });
    expect(stdout.trim()).toBe("42");
  });
});

describe("providers", () => {
  it("refuses one that it does not know, and a wrong number of threads", async () => {
    const graph = plusOne();
    expect((await failure(openSession(graph, { provider: "tpu" as "cpu" }))).message).toContain(
      'expected provider cpu | cuda | webgpu | dml | coreml | tensorrt, got "tpu"',
    );
    for (const threads of [0, -1, 1.5, Number.NaN])
      expect((await failure(openSession(graph, { threads }))).message).toContain("expected threads of at least 1");
  });

  it.each(["cuda", "tensorrt", "webgpu", "dml", "coreml"] as const)("%s works, or says that it is not available", async (provider) => {
    const session = await openSession(plusOne(), { provider }).catch((error: unknown) => error);
    if (SessionError.isInstance(session)) {
      expect(session.code).toBe("provider-unavailable");
      expect(session.message).toContain(`the execution provider "${provider}" cannot be used here; ONNX Runtime says: `);
    } else {
      open.add(session as Session);
      expect([...(await (session as Session).run({ x: six(1, 2, 3, 4, 5, 6) })).y!.data]).toEqual([2, 3, 4, 5, 6, 7]);
    }
  });
});

it("what ONNX Runtime refuses becomes a SessionError, and the next session opens", async () => {
  const graph = new Graph("refused");
  const x = graph.input("x", "float32", [1]);
  const [y] = graph.add("NoSuchOp", [x], [x]);
  graph.output("y", y!);
  expect(await failure(openSession(graph))).toMatchObject({ code: "failed", message: expect.stringContaining("NoSuchOp") });
  await opened(plusOne());
});

it("a weight that is not there is named, not handed to the runtime", async () => {
  const graph = new Graph("absent");
  const weights = Weights.from({ description: "nothing", tensor: () => undefined, keys: () => [] });
  graph.output("y", linear(graph.input("x", "float32", [1, 2]), weights.get("w", [3, 2])));
  await expect(openSession(graph)).rejects.toMatchObject({ name: "WeightsError", message: expect.stringContaining("w [3, 2]") });
});

it("weights that are not float32 in a file are widened into the cache, wherever that is", async () => {
  const { graph, feeds } = network("relative");
  const reference = (await (await opened(graph)).run(feeds)).y!;
  const before = process.env.REFADGEN_CACHE;
  process.env.REFADGEN_CACHE = join(...Array(process.cwd().split("/").length).fill(".."), folder, "relative");
  try {
    expect((await (await opened(graph)).run(feeds)).y).toEqual(reference);
  } finally {
    if (before !== undefined) process.env.REFADGEN_CACHE = before;
  }
});

describe("kept optimisation", () => {
  const shelf = () => join(folder, "cache", "optimized");
  const kept = async () => (await readdir(shelf()).catch(() => [])).filter((name) => !name.endsWith(".partial"));

  async function run(salt: string): Promise<Tensor> {
    const { graph, feeds } = network(salt);
    const session = await opened(graph, { optimization: "kept" });
    expect(session.figures.optimization).toBe("kept");
    return (await session.run(feeds)).y!;
  }

  it("equals the mapped graph; a second opening reads what the first wrote", async () => {
    const { graph, feeds } = network("kept");
    const mapped = (await (await opened(graph)).run(feeds)).y!;
    const first = await run("kept");
    const [name] = await kept();
    const path = join(shelf(), name!, "model.onnx");
    const { mtimeMs, ino } = await stat(path);
    expect(await run("kept")).toEqual(first);
    expect(await stat(path)).toMatchObject({ mtimeMs, ino });
    const worst = Array.from(mapped.data, Number).reduce((most, value, index) => Math.max(most, Math.abs(value - Number(first.data[index]))), 0);
    expect(worst).toBeLessThan(1e-5);
  });

  it("is another one for other weights", async () => {
    const before = (await kept()).length;
    const [a, b] = [await run("one"), await run("another")];
    expect(a.data).not.toEqual(b.data);
    expect(await kept()).toHaveLength(before + 2);
  });

  it("is written by two sessions at once, and by two processes", async () => {
    const [a, b] = await Promise.all([run("together"), run("together")]);
    expect(a).toEqual(b);
    const program = `
      import { formulaWeights, Graph, linear, openSession, Weights } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
      const graph = new Graph("g");
      graph.output("y", linear(graph.input("x", "float32", [1, 64]), Weights.from(formulaWeights("processes")).get("w", [300, 64])));
      const session = await openSession(graph, { optimization: "kept" });
      const { y } = await session.run({ x: { dtype: "float32", dims: [1, 64], data: new Float32Array(64).fill(1) } });
      console.log(session.figures.optimization, [...y.data].join());`;
    const start = () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000 });
    const answers = (await Promise.all([start(), start(), start()])).map(({ stdout }) => stdout.trim());
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^kept -?\d/);
    const leftovers = (await readdir(shelf())).filter((name) => name.endsWith(".partial"));
    expect(leftovers).toEqual([]);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ["cut off", (path) => truncate(join(path, "model.onnx"), 100)],
    ["without its weights", (path) => rm(join(path, "model.bin"), { force: true })],
    ["without its list of sizes", (path) => rm(join(path, "sizes.json"))],
    [
      "empty",
      async (path) => {
        await rm(path, { recursive: true });
        await mkdir(path);
      },
    ],
    ["unreadable in its full size", async (path) => writeFile(join(path, "model.onnx"), (await readFile(join(path, "model.onnx"))).fill(0xff))],
  ])("that is %s is made again", async (name, damage) => {
    const before = new Set(await kept());
    const whole = await run(`damage ${name}`);
    const [made] = (await kept()).filter((entry) => !before.has(entry));
    await damage(join(shelf(), made!));
    expect(await run(`damage ${name}`)).toEqual(whole);
    const sizes = JSON.parse(await readFile(join(shelf(), made!, "sizes.json"), "utf8"));
    expect(sizes[0]).toBe((await stat(join(shelf(), made!, "model.onnx"))).size);
  });

  it("clears away what a killed process left", async () => {
    await run("leftover");
    const host = (await import("node:os")).hostname();
    const dead = join(shelf(), `abc.${Buffer.from(host).toString("hex").slice(0, 24)}.999999.0123456789ab.partial`);
    await mkdir(dead);
    await run("leftover, later");
    await expect(stat(dead)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

it("formula weights of a graph are what the formula says", async () => {
  const graph = new Graph("formula");
  const weight = Weights.from(formulaWeights("salt")).get("w.weight", [3, 5]);
  graph.output("y", linear(graph.input("x", "float32", [5, 5]), weight));
  const identity = Float32Array.from({ length: 25 }, (_, index) => (index % 6 === 0 ? 1 : 0));
  const { y } = await (await opened(graph)).run({ x: { dtype: "float32", dims: [5, 5], data: identity } });
  const values = new Float32Array((await formulaTensor("salt", "w.weight", [3, 5]).read()).buffer);
  expect([...y!.data]).toEqual(Array.from({ length: 15 }, (_, index) => values[(index % 3) * 5 + Math.floor(index / 3)]));
});
