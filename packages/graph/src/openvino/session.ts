import { availableParallelism } from "node:os";
import { ArgumentError } from "@refadgen/errors";
import type { Graph } from "../graph.js";
import { SessionError } from "../session/error.js";
import { checkData, checkFeeds } from "../session/feeds.js";
import { prepareModel } from "../session/prepare.js";
import type { Feeds, HeldTensor, Session } from "../session/session.js";
import { elementCount, type RunDType, type Tensor, type TensorData } from "../tensor.js";
import { type Handle, loadOpenVino, type OpenVinoApi } from "./api.js";
import { type CompiledModel, compileModel } from "./compile.js";

export interface OpenVinoSessionOptions {
  /**
   * `"fp32"` (default): exact to float32's rounding. `"bf16"`: what the processor computes in bfloat16 it does so, about three digits; refused
   * where it has no such instructions.
   */
  readonly precision?: "fp32" | "bf16";
  /** Threads of one run; default: the processors of the machine. */
  readonly threads?: number;
  /** Folder of OpenVINO's libraries; default: see `findOpenVino`. */
  readonly library?: string;
  /** Whether the compiled graph is kept in the cache, about as large as the weights: the next opening is faster. Default false. */
  readonly keepCompiled?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * A graph on OpenVINO's CPU device, through its C interface. It computes in OpenVINO's own threads, so the event loop stays free and no worker
 * is needed. An abort stops the run that has begun.
 *
 * @throws SessionError `runtime-missing`, `runtime-unusable`, `precision-unavailable`, `failed`; WeightsError for files
 */
export async function openOpenVinoSession(graph: Graph, options: OpenVinoSessionOptions = {}): Promise<Session> {
  const { precision = "fp32", threads = availableParallelism(), library, keepCompiled = false, signal } = options;
  if (precision !== "fp32" && precision !== "bf16")
    throw new ArgumentError(`openOpenVinoSession: expected precision fp32 | bf16, got "${precision}"`);
  if (!Number.isInteger(threads) || threads < 1) throw new ArgumentError(`openOpenVinoSession: expected threads of at least 1, got ${threads}`);
  signal?.throwIfAborted();
  const started = performance.now();
  const api = await loadOpenVino(library);
  if (precision === "bf16" && !hasBfloat16(api)) {
    throw new SessionError(
      "precision-unavailable",
      `bf16: ${api.property("FULL_DEVICE_NAME").trim()} has no bfloat16 instructions (OpenVINO offers ${api.property("OPTIMIZATION_CAPABILITIES")}); use precision "fp32" or "int8"`,
    );
  }
  const prepared = await prepareModel(graph, options);
  signal?.throwIfAborted();
  const compiled = await compileModel(api, prepared, { precision, threads, keep: keepCompiled, ...(signal && { signal }) });
  const { weightBytes, cachedBytes } = prepared;
  return runningSession(graph, api, compiled, { weightBytes, cachedBytes, openSeconds: (performance.now() - started) / 1000 });
}

/** Whether this machine's processor computes in bfloat16. */
export function hasBfloat16(api: OpenVinoApi): boolean {
  return api.property("OPTIMIZATION_CAPABILITIES").split(/\s+/).includes("BF16");
}

interface Slot {
  readonly type: number;
  /** Of the session's own; feeds are copied into it. */
  readonly tensor: Handle;
  readonly bytes: Uint8Array;
}

function runningSession(
  graph: Graph,
  api: OpenVinoApi,
  { compiled, kept, release }: CompiledModel,
  opened: Pick<Session["figures"], "openSeconds" | "weightBytes" | "cachedBytes">,
): Session {
  const request = api.createRequest(compiled);
  const slots = new Map<string, Slot>();
  const held = new Map<number, { readonly data: TensorData[RunDType]; readonly dims: readonly number[]; readonly tensors: Map<number, Handle> }>();
  let [runs, runSeconds, lastRunSeconds, serial] = [0, 0, 0, 0];
  let last: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | undefined;
  const expectOpen = (where: string) => {
    if (ending) throw new SessionError("disposed", `${where}: the session has been disposed of`);
  };
  // Small arrays may live in memory that is moved; one over a buffer of its own does not.
  const slot = (name: string, dtype: RunDType, dims: readonly number[]): Slot => {
    const known = slots.get(name);
    if (known) return known;
    const type = api.elementType(compiled, "input", name);
    const bytes = new Uint8Array(new ArrayBuffer(elementCount(dims) * arrays[dtype].BYTES_PER_ELEMENT));
    const made = { type, bytes, tensor: api.tensorOver(type, dims, bytes) };
    slots.set(name, made);
    return made;
  };
  const feed = (name: string, dtype: RunDType, dims: readonly number[], given: Feeds[string]) => {
    const { type, tensor, bytes } = slot(name, dtype, dims);
    if (!("held" in given)) {
      const { data } = given;
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return api.setTensor(request, name, tensor);
    }
    const entry = held.get(given.held)!;
    const over = entry.tensors.get(type) ?? api.tensorOver(type, dims, entry.data);
    entry.tensors.set(type, over);
    api.setTensor(request, name, over);
  };
  const runOnce = async (feeds: Feeds): Promise<Record<string, Tensor>> => {
    for (const { name, dtype, dims } of graph.inputs) feed(name, dtype as RunDType, dims, feeds[name]!);
    const results: Record<string, Tensor> = {};
    const tensors: Handle[] = [];
    try {
      for (const { name, value } of graph.outputs) {
        const dtype = value.dtype as RunDType;
        const Data = arrays[dtype];
        const data = new Data(new ArrayBuffer(elementCount(value.dims) * Data.BYTES_PER_ELEMENT));
        results[name] = { dtype, dims: [...value.dims], data } as Tensor;
        const tensor = api.tensorOver(api.elementType(compiled, "output", name), value.dims, data);
        tensors.push(tensor);
        api.setTensor(request, name, tensor);
      }
      await api.infer(request);
      return results;
    } finally {
      for (const tensor of tensors) api.free("tensor", tensor);
    }
  };
  return {
    async run(feeds, { signal } = {}) {
      expectOpen("run");
      checkFeeds(graph, feeds);
      const foreign = Object.entries(feeds).find(([, one]) => "held" in one && holders.get(one) !== held);
      if (foreign)
        throw new ArgumentError(`run: ${graph.name} does not hold the tensor for "${foreign[0]}"; it was released, or is held by another session`);
      signal?.throwIfAborted();
      const stop = () => api.cancel(request);
      const answer = last.then(async () => {
        signal?.throwIfAborted();
        const begin = performance.now();
        signal?.addEventListener("abort", stop, { once: true });
        try {
          const results = await runOnce(feeds);
          signal?.throwIfAborted();
          lastRunSeconds = (performance.now() - begin) / 1000;
          runSeconds += lastRunSeconds;
          runs++;
          return results;
        } catch (error) {
          signal?.throwIfAborted();
          throw error;
        } finally {
          signal?.removeEventListener("abort", stop);
        }
      });
      last = answer.catch(() => undefined);
      return signal ? abortable(answer, signal) : answer;
    },
    async hold(tensor) {
      expectOpen("hold");
      checkData("hold", graph.name, tensor);
      const { data } = tensor;
      // The array is the session's from here on; a part of a larger one is copied.
      const whole = data.byteLength === data.buffer.byteLength;
      const own = whole ? structuredClone(data, { transfer: [data.buffer as ArrayBuffer] }) : data.slice();
      const number = serial++;
      held.set(number, { data: own, dims: tensor.dims, tensors: new Map() });
      const release = async () => {
        if (!holders.delete(kept)) return;
        await last;
        const entry = held.get(number);
        held.delete(number);
        for (const one of entry?.tensors.values() ?? []) api.free("tensor", one);
      };
      const kept: HeldTensor = { dtype: tensor.dtype, dims: tensor.dims, held: number, release };
      holders.set(kept, held);
      return kept;
    },
    get figures() {
      return {
        ...opened,
        optimization: kept ? "kept" : "mapped",
        runs,
        runSeconds,
        lastRunSeconds,
        residentBytes: process.memoryUsage.rss(),
      } as const;
    },
    dispose() {
      ending ??= last.then(async () => {
        for (const { tensors } of held.values()) for (const tensor of tensors.values()) api.free("tensor", tensor);
        for (const { tensor } of slots.values()) api.free("tensor", tensor);
        held.clear();
        api.free("request", request);
        await release();
      });
      return ending;
    },
  };
}

/** Which session a held tensor belongs to; a released one belongs to none. */
const holders = new WeakMap<object, unknown>();

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

function abortable<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
