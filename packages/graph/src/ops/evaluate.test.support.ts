// What the tests of ops share: build a graph, run it, and have every graph judged by ONNX's own checker.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { GraphError } from "../error.js";
import { Graph, type Value } from "../graph.js";
import { live, liveParameters, serialize } from "../serialize.js";
import { openSession } from "../session/session.js";
import { elementCount, type Tensor } from "../tensor.js";
import { openTfjsSession, type TfjsBackend } from "../tfjs/index.js";
import { formulaGaussian } from "../weights/formula.js";
import { memoryWeights } from "../weights/memory.js";
import type { Parameter } from "../weights/weights.js";

/** A float32 tensor of normally distributed values that follow from its name. */
export function gaussian(name: string, dims: readonly number[]): Tensor<"float32"> {
  return { dtype: "float32", dims, data: formulaGaussian(name, dims) };
}

export function float32(dims: readonly number[], values: Iterable<number>): Tensor<"float32"> {
  return { dtype: "float32", dims, data: Float32Array.from(values) };
}

export function int64(dims: readonly number[], values: readonly number[]): Tensor<"int64"> {
  return { dtype: "int64", dims, data: BigInt64Array.from(values, BigInt) };
}

/** A tensor as a weight of a checkpoint. */
export function parameter(name: string, { dims, data }: Tensor<"float32">): Parameter {
  const stored = memoryWeights([{ name, dtype: "float32", dims, data }]).tensors.get(name)!;
  return { name, dtype: "float32", dims, stored, start: 0 };
}

/** A graph whose inputs are the feeds, run once: on ONNX Runtime, whose answer is given, and on TensorFlow.js, whose answer may differ by `between`. */
export async function evaluate(
  feeds: Readonly<Record<string, Tensor>>,
  build: (inputs: Readonly<Record<string, Value>>, graph: Graph) => Readonly<Record<string, Value>>,
  { between = 1e-5 }: { readonly between?: number } = {},
): Promise<Readonly<Record<string, Tensor>>> {
  const graph = new Graph(`test ${graphs.length}`);
  const inputs = Object.fromEntries(Object.entries(feeds).map(([name, { dtype, dims }]) => [name, graph.input(name, dtype, dims)]));
  const outputs = build(inputs, graph);
  for (const [name, value] of Object.entries(outputs)) graph.output(name, value);
  graphs.push(graph);
  const session = await openSession(graph, { threads: 1 });
  try {
    const results = await session.run(feeds);
    for (const [name, { dtype, dims }] of Object.entries(outputs)) expect([results[name]!.dtype, results[name]!.dims], name).toEqual([dtype, dims]);
    for (const backend of ["cpu", "wasm"] as const) await expectSameOnTfjs(graph, backend, { feeds, results, between });
    return results;
  } finally {
    await session.dispose();
  }
}

/** Both compute in float32, in another order: a few units in the last place of the largest value. float16 is float32 on TensorFlow.js. */
async function expectSameOnTfjs(
  graph: Graph,
  backend: TfjsBackend,
  {
    feeds,
    results,
    between,
  }: { readonly feeds: Readonly<Record<string, Tensor>>; readonly results: Readonly<Record<string, Tensor>>; readonly between: number },
): Promise<void> {
  const session = await openTfjsSession(graph, { backend });
  try {
    const halves = [...graph.values.values()].some(({ dtype }) => dtype === "float16");
    for (const [name, result] of Object.entries(await session.run(feeds))) {
      expect([result.dtype, result.dims], `${name} on ${backend}`).toEqual([results[name]!.dtype, results[name]!.dims]);
      expectClose(result, { dims: result.dims, data: Array.from(results[name]!.data, Number) }, halves ? 1e-3 : between);
    }
  } finally {
    await session.dispose();
  }
}

/** Expects a `GraphError` of this message. */
export function expectGraphError(build: () => unknown, message: RegExp): void {
  let thrown: unknown;
  try {
    build();
  } catch (error) {
    thrown = error;
  }
  expect(GraphError.isInstance(thrown), String(thrown)).toBe(true);
  expect(String(thrown)).toMatch(message);
}

/** Expects equal sizes, and values within `tolerance` of the largest expected magnitude. */
export function expectClose(
  actual: Tensor | undefined,
  expected: { readonly dims: readonly number[]; readonly data: ArrayLike<number> },
  tolerance: number,
): void {
  expect(actual?.dims).toEqual(expected.dims);
  expect(elementCount(expected.dims)).toBe(expected.data.length);
  let [worst, largest] = [0, 0];
  for (let index = 0; index < expected.data.length; index++) {
    const difference = Math.abs(Number(actual!.data[index]) - expected.data[index]!);
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    largest = Math.max(largest, Math.abs(expected.data[index]!));
  }
  expect(worst / (largest > 0 ? largest : 1)).toBeLessThan(tolerance);
}

/** A tensor whose element at each index is given by a function: the readable way to write down what an op means. */
export function tabulate(
  dims: readonly number[],
  element: (...index: number[]) => number,
): { readonly dims: readonly number[]; readonly data: number[] } {
  const data: number[] = [];
  const visit = (index: number[]) => {
    if (index.length === dims.length) return void data.push(element(...index));
    for (let at = 0; at < dims[index.length]!; at++) visit([...index, at]);
  };
  visit([]);
  return { dims, data };
}

/** Reads an element by its index; 0 outside, as padding. */
export function reader({ dims, data }: { readonly dims: readonly number[]; readonly data: ArrayLike<number> }): (...index: number[]) => number {
  return (...index) => {
    if (index.some((at, axis) => at < 0 || at >= dims[axis]!)) return 0;
    return data[index.reduce((flat, at, axis) => flat * dims[axis]! + at, 0)]!;
  };
}

export function sum(length: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < length; index++) total += term(index);
  return total;
}

const graphs: Graph[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-graph-"));
  process.env.REFADGEN_CACHE = join(folder, "cache");
});

afterAll(async () => {
  try {
    await checkByOnnx(graphs, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}, 120_000);

/** Runs Python's `onnx.checker` over graphs, and compares every size that it infers with ours. Without Python or onnx it says so. */
async function checkByOnnx(built: readonly Graph[], into: string): Promise<void> {
  const cases = await Promise.all(
    built.map(async (graph, index) => {
      const bytes = new Map<Parameter, Uint8Array>();
      for (const parameter of liveParameters(graph)) bytes.set(parameter, await parameter.stored.read());
      const place = (parameter: Parameter) => ({
        data: bytes.get(parameter)!.subarray(parameter.start * 4, (parameter.start + elementCount(parameter.dims)) * 4),
      });
      const path = join(into, `${index}.onnx`);
      await writeFile(path, serialize(graph, { place }));
      const names = live(graph).nodes.flatMap(({ outputs }) => outputs);
      return { path, dims: Object.fromEntries(names.map((name) => [name, graph.values.get(name)!.dims])) };
    }),
  );
  const list = join(into, "cases.json");
  await writeFile(list, JSON.stringify(cases));
  const python = process.env.REFADGEN_PYTHON ?? "python3";
  const answer = await promisify(execFile)(python, ["-c", checker, list]).catch((error: { stderr?: string; message: string }) => ({
    stdout: "",
    stderr: `${error.message} ${error.stderr}`,
  }));
  if (/ModuleNotFoundError|ENOENT/.test(answer.stderr))
    console.warn("onnx.checker is not available (REFADGEN_PYTHON names a Python with onnx): graphs were run, but not checked by it");
  else expect(answer.stdout.trim(), answer.stderr).toBe(`checked ${built.length}`);
}

const checker = `
import json, sys
import onnx
cases = json.load(open(sys.argv[1]))
for case in cases:
    model = onnx.load(case["path"])
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    for value in inferred.graph.value_info:
        if not value.type.tensor_type.HasField("shape"):
            continue
        shape = value.type.tensor_type.shape.dim
        known = [dim.dim_value for dim in shape if dim.HasField("dim_value")]
        if len(known) == len(shape) and value.name in case["dims"]:
            assert known == case["dims"][value.name], (value.name, known, case["dims"][value.name])
print("checked", len(cases))
`;
