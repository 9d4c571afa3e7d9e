import { ArgumentError } from "@refadgen/errors";
import type { Tensor as TfTensor } from "@tensorflow/tfjs-core";
import { type Graph, shape } from "../graph.js";
import { SessionError } from "../session/error.js";
import { checkData, checkFeeds } from "../session/feeds.js";
import type { Feeds, HeldTensor, Session } from "../session/session.js";
import { elementCount, type RunDType, type Tensor } from "../tensor.js";
import { loadTensorFlow, type TensorFlow, type TfjsBackend, tfjsBackends } from "./backend.js";
import type { OperatorContext } from "./operator.js";
import { constantTensor, kernelName, kernelOrder, kernelTensor, type Plan, planOf, type Step, tfDtype } from "./plan.js";

export interface TfjsSessionOptions {
  /** Default: the backend that is registered already, else the first that is installed. */
  readonly backend?: TfjsBackend;
  readonly signal?: AbortSignal;
  /** Called as weights are read, in bytes of float32. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * A graph on TensorFlow.js, executed op by op on the backend of this process. It computes in the calling thread where the backend does
 * (`cpu`, `wasm`): between two ops the event loop has its turn, within one it waits. Weights are read into the backend's memory as
 * float32; `wasm` has 4 GB in all. 64-bit integers are computed as int32.
 *
 * @throws SessionError when the backend is not there or an operator is not; WeightsError for files that cannot be read
 */
export async function openTfjsSession(graph: Graph, options: TfjsSessionOptions = {}): Promise<Session> {
  const { backend, signal, onProgress } = options;
  if (backend !== undefined && !tfjsBackends.includes(backend))
    throw new ArgumentError(`openTfjsSession: expected backend ${tfjsBackends.join(" | ")}, got "${backend}"`);
  signal?.throwIfAborted();
  const started = performance.now();
  const plan = planOf(graph);
  const tf = await loadTensorFlow(backend);
  const weights = new Map<string, TfTensor>();
  const bytesOf = (dims: readonly number[]) => elementCount(dims) * 4;
  const total = [...plan.constants.values(), ...plan.kernels.values()].reduce((sum, { dims }) => sum + bytesOf(dims), 0);
  let done = 0;
  try {
    for (const [table, load] of [
      [plan.constants, constantTensor],
      [plan.kernels, kernelTensor],
    ] as const) {
      for (const [name, constant] of table) {
        signal?.throwIfAborted();
        weights.set(name, await load(tf, constant));
        done += bytesOf(constant.dims);
        onProgress?.({ done, total });
      }
    }
  } catch (error) {
    for (const tensor of weights.values()) tensor.dispose();
    throw error;
  }
  return session(graph, plan, { tf, weights, weightBytes: total, openSeconds: (performance.now() - started) / 1000 });
}

interface Opened {
  readonly tf: TensorFlow;
  readonly weights: Map<string, TfTensor>;
  readonly weightBytes: number;
  readonly openSeconds: number;
}

function session(graph: Graph, plan: Plan, { tf, weights, weightBytes, openSeconds }: Opened): Session {
  const held = new Map<number, TfTensor>();
  let [runs, runSeconds, lastRunSeconds, serial] = [0, 0, 0, 0];
  let last: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | undefined;
  const expectOpen = (where: string) => {
    if (ending) throw new SessionError("disposed", `${where}: the session has been disposed of`);
  };
  return {
    async run(feeds, { signal } = {}) {
      expectOpen("run");
      checkFeeds(graph, feeds);
      const foreign = Object.entries(feeds).find(([, feed]) => "held" in feed && !held.has(feed.held));
      if (foreign) throw new ArgumentError(`run: the tensor held for "${foreign[0]}" is not of this session, or released`);
      signal?.throwIfAborted();
      const answer = last.then(async () => {
        signal?.throwIfAborted();
        const begin = performance.now();
        const results = await runPlan({ tf, graph, plan, weights, held, feeds, signal });
        lastRunSeconds = (performance.now() - begin) / 1000;
        runSeconds += lastRunSeconds;
        runs++;
        return results;
      });
      last = answer.catch(() => undefined);
      return answer;
    },
    async hold(tensor) {
      expectOpen("hold");
      checkData("hold", "the tensor", tensor);
      const number = serial++;
      held.set(number, toTf(tf, tensor));
      const release = async () => {
        held.get(number)?.dispose();
        held.delete(number);
      };
      return { dtype: tensor.dtype, dims: tensor.dims, held: number, release } satisfies HeldTensor;
    },
    get figures() {
      const residentBytes = process.memoryUsage.rss();
      return { openSeconds, weightBytes, cachedBytes: 0, optimization: "mapped" as const, runs, runSeconds, lastRunSeconds, residentBytes };
    },
    dispose() {
      ending ??= last.then(() => {
        for (const tensor of [...weights.values(), ...held.values()]) tensor.dispose();
        weights.clear();
        held.clear();
      });
      return ending;
    },
  };
}

interface Run {
  readonly tf: TensorFlow;
  readonly graph: Graph;
  readonly plan: Plan;
  readonly weights: ReadonlyMap<string, TfTensor>;
  readonly held: ReadonlyMap<number, TfTensor>;
  readonly feeds: Feeds;
  readonly signal: AbortSignal | undefined;
}

async function runPlan({ tf, graph, plan, weights, held, feeds, signal }: Run): Promise<Readonly<Record<string, Tensor>>> {
  // What this run owns, and frees however it ends. Held tensors and weights are not in it.
  const values = new Map<string, TfTensor>();
  const find = (name: string): TfTensor => {
    const feed = feeds[name];
    const tensor = values.get(name) ?? weights.get(name) ?? (feed && "held" in feed ? held.get(feed.held) : undefined);
    if (!tensor) throw new SessionError("failed", `${graph.name}: the value "${name}" is not there`);
    return tensor;
  };
  try {
    for (const [name, feed] of Object.entries(feeds)) if (!("held" in feed)) values.set(name, toTf(tf, feed));
    let turn = performance.now();
    for (const step of plan.steps) {
      values.set(step.node.outputs[0]!, runStep(tf, graph, plan, step, find));
      for (const name of step.freed) {
        values.get(name)?.dispose();
        values.delete(name);
      }
      if (performance.now() - turn > 8) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        turn = performance.now();
      }
    }
    const outputs: Record<string, Tensor> = {};
    for (const { name, value } of graph.outputs) outputs[name] = await fromTf(find(value.name), value);
    signal?.throwIfAborted();
    return outputs;
  } finally {
    for (const tensor of values.values()) tensor.dispose();
  }
}

function runStep(tf: TensorFlow, graph: Graph, plan: Plan, { node, operator }: Step, find: (name: string) => TfTensor): TfTensor {
  const { dims, dtype } = graph.values.get(node.outputs[0]!)!;
  const context: OperatorContext = {
    tf,
    node,
    dims,
    dtype: tfDtype(dtype),
    has: (index) => (node.inputs[index] ?? "") !== "",
    tensor: (index) => {
      const name = node.inputs[index]!;
      if (operator.kernel !== index) return find(name);
      return plan.kernels.has(kernelName(name)) ? find(kernelName(name)) : tf.transpose(find(name), kernelOrder);
    },
    numbers: (index) => {
      const numbers = plan.numbers.get(node.inputs[index] ?? "");
      if (!numbers) throw new SessionError("failed", `${node.name}: expected input ${index} to be a constant of the graph`);
      return numbers;
    },
  };
  try {
    const result = tf.tidy(() => operator.run(context));
    if (String(result.shape) !== String(dims)) {
      result.dispose();
      throw new SessionError("failed", `${node.name}: expected ${shape(dims)}, TensorFlow.js gave ${shape(result.shape)}`);
    }
    return result;
  } catch (error) {
    if (SessionError.isInstance(error)) throw error;
    throw new SessionError("failed", `${node.name}: TensorFlow.js says: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function toTf(tf: TensorFlow, { dtype, dims, data }: Tensor): TfTensor {
  const copy = data instanceof BigInt64Array || data instanceof Float64Array ? narrowed(data) : data.slice();
  return tf.tensor(copy, [...dims], tfDtype(dtype));
}

function narrowed(data: BigInt64Array | Float64Array): Int32Array | Float32Array {
  if (data instanceof Float64Array) return Float32Array.from(data);
  const far = data.find((value) => BigInt.asIntN(32, value) !== value);
  if (far !== undefined) throw new ArgumentError(`run: TensorFlow.js computes with 32-bit integers, got ${far}`);
  return Int32Array.from(data, Number);
}

async function fromTf(tensor: TfTensor, { dtype, dims }: { readonly dtype: string; readonly dims: readonly number[] }): Promise<Tensor> {
  const data = await tensor.data();
  switch (dtype as RunDType) {
    case "float32":
      return { dtype: "float32", dims, data: Float32Array.from(data) };
    case "float64":
      return { dtype: "float64", dims, data: Float64Array.from(data) };
    case "int64":
      return { dtype: "int64", dims, data: BigInt64Array.from(data as Int32Array, BigInt) };
    case "int32":
      return { dtype: "int32", dims, data: Int32Array.from(data) };
    case "uint8":
      return { dtype: "uint8", dims, data: Uint8Array.from(data) };
    case "bool":
      return { dtype: "bool", dims, data: Uint8Array.from(data) };
  }
}
