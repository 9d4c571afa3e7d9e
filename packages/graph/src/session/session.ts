import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import type { Graph } from "../graph.js";
import { inPrecision } from "../precision/precision.js";
import type { ActivationRanges } from "../precision/ranges.js";
import type { RunDType, Tensor } from "../tensor.js";
import type { TfjsBackend } from "../tfjs/names.js";
import { SessionError } from "./error.js";
import { checkData, checkFeeds } from "./feeds.js";
import { keepOptimized, type PreparedModel, prepareModel } from "./prepare.js";
import type { Reply, Request, RunReply } from "./protocol.js";
import { chooseRuntime, openers } from "./runtimes.js";

/** Where ONNX Runtime computes. All but `cpu` need libraries that it looks for itself. */
export type ExecutionProvider = (typeof executionProviders)[number];
export const executionProviders = ["cpu", "cuda", "webgpu", "dml", "coreml", "tensorrt"] as const;

/** What computes: ONNX Runtime, OpenVINO through its C interface, or TensorFlow.js op by op. */
export type RuntimeName = (typeof runtimeNames)[number];
export const runtimeNames = ["onnxruntime", "openvino", "tfjs"] as const;

/** See `SessionOptions.precision`. */
export type Precision = (typeof precisions)[number];
export const precisions = ["fp32", "bf16", "int8", "fp16"] as const;

export interface SessionOptions {
  /**
   * Default `"onnxruntime"`. `"auto"`: on the CPU the fastest one that is installed and computes in the precision asked for, which is OpenVINO,
   * else ONNX Runtime.
   */
  readonly runtime?: RuntimeName | "auto";
  /**
   * `"fp32"` (default) is exact to float32's rounding; the others trade digits for time and are never chosen unasked. `"bf16"`: OpenVINO on
   * processors with such instructions. `"int8"`: linear layers, and convolutions of which `ranges` are known, in 8 bits. `"fp16"`: providers
   * other than the CPU.
   */
  readonly precision?: Precision;
  /** For `"int8"`: what convolutions see, by node; see `calibrate`. Those that are not in it stay float32. */
  readonly ranges?: ActivationRanges;
  /** For OpenVINO: folder of its libraries; default: see `findOpenVino`. */
  readonly library?: string;
  /** For TensorFlow.js: its backend; default: the one registered, else the first installed. */
  readonly backend?: TfjsBackend;
  /** For ONNX Runtime. Default `cpu`. There is no silent fallback to another one. */
  readonly provider?: ExecutionProvider;
  /** Which device of the provider; default 0. */
  readonly deviceId?: number;
  /** Threads of one run on the CPU; default: the processors of the machine. */
  readonly threads?: number;
  /**
   * `"mapped"` (default): weights are used where they lie in their files; opening takes a moment and memory holds only what is read.
   * `"kept"`: the optimised graph with weights laid out for this processor is kept in the cache (about 1.3 times the weights on disk);
   * the first opening is slow, every later one is fast, and runs are faster. Without room on the disk it works as `"mapped"`.
   */
  readonly optimization?: "mapped" | "kept";
  readonly signal?: AbortSignal;
  /** Called while weights are widened into the cache. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** What a session has cost so far. */
export interface SessionFigures {
  /** Seconds from the call of `openSession` until it could run. */
  readonly openSeconds: number;
  /** Bytes of weights, as float32. */
  readonly weightBytes: number;
  /** Bytes of those that were written to the cache: neither contiguous nor float32 in their file. */
  readonly cachedBytes: number;
  /** Whether the optimised graph comes from the cache. */
  readonly optimization: "mapped" | "kept";
  readonly runs: number;
  readonly runSeconds: number;
  readonly lastRunSeconds: number;
  /** Resident memory of the whole process now, in bytes. */
  readonly residentBytes: number;
}

/** A tensor that a session keeps, to be fed to many runs without being sent each time. */
export interface HeldTensor {
  readonly dtype: RunDType;
  readonly dims: readonly number[];
  readonly held: number;
  /** Frees it. */
  release(): Promise<void>;
}

export type Feeds = Readonly<Record<string, Tensor | HeldTensor>>;

/** A graph that is loaded and can be run. It lives in a thread of its own, so the event loop stays free. */
export interface Session {
  /**
   * Runs the graph once. Runs wait for each other in the order of the calls.
   *
   * @param feeds one tensor for every input of the graph
   * @throws ArgumentError when a feed is missing, unknown, or of another type or size; the signal's reason when it is aborted:
   * at once, though the runtime finishes what it has begun.
   */
  run(feeds: Feeds, options?: { readonly signal?: AbortSignal }): Promise<Readonly<Record<string, Tensor>>>;
  /** Moves a tensor into the session's thread; its array can no longer be used here. */
  hold(tensor: Tensor): Promise<HeldTensor>;
  readonly figures: SessionFigures;
  /** Frees the weights and ends the thread; waits for a run that has begun. */
  dispose(): Promise<void>;
}

/**
 * Loads a graph: weights that lie contiguous as float32 in their file are mapped in place, others widened once into the cache.
 *
 * @throws ArgumentError for options that contradict each other; WeightsError for keys, files or disk space; SessionError when the runtime,
 * the provider or the processor refuses.
 */
export async function openSession(graph: Graph, options: SessionOptions = {}): Promise<Session> {
  // An abort is answered at once; what the runtime has begun is finished and cleared away behind it.
  return options.signal ? abortable(openAny(graph, options), options.signal) : openAny(graph, options);
}

async function openAny(graph: Graph, options: SessionOptions): Promise<Session> {
  const runtime = await chooseRuntime(graph, options);
  const converted = await inPrecision(graph, options);
  return runtime === "onnxruntime" ? open(converted, options) : openers[runtime](converted, options);
}

async function open(graph: Graph, options: SessionOptions): Promise<Session> {
  const { provider = "cpu", deviceId = 0, threads = availableParallelism(), optimization = "mapped", signal } = options;
  if (!Number.isInteger(threads) || threads < 1) throw new ArgumentError(`openSession: expected threads of at least 1, got ${threads}`);
  signal?.throwIfAborted();
  const started = performance.now();
  const prepared = await prepareModel(graph, options);
  const thread = new SessionThread();
  try {
    const load = async (model: Uint8Array | string, level: "disabled" | "extended" | "all", keepIn?: string) => {
      signal?.throwIfAborted();
      const request = {
        kind: "open",
        model,
        root: prepared.root,
        provider,
        deviceId,
        threads,
        level,
        ...(keepIn === undefined ? {} : { keepIn }),
      } as const;
      await thread.ask(request, { provider });
      signal?.throwIfAborted();
    };
    let kept = false;
    if (optimization === "kept" && provider === "cpu") {
      kept = await keepOptimized(prepared, { write: (folder) => load(prepared.model, "all", folder), read: (path) => load(path, "disabled") });
    }
    if (!kept) await load(prepared.model, provider === "cpu" ? "extended" : "all");
    return runningSession(graph, thread, prepared, { openSeconds: (performance.now() - started) / 1000, optimization: kept ? "kept" : "mapped" });
  } catch (error) {
    await thread.end();
    throw error;
  }
}

function runningSession(
  graph: Graph,
  thread: SessionThread,
  prepared: PreparedModel,
  opened: Pick<SessionFigures, "openSeconds" | "optimization">,
): Session {
  const outputs = graph.outputs.map(({ name }) => name);
  const holding = new Set<unknown>();
  let [runs, runSeconds, lastRunSeconds, holds] = [0, 0, 0, 0];
  return {
    async run(feeds, { signal } = {}) {
      checkFeeds(graph, feeds);
      const foreign = Object.keys(feeds).find((name) => "held" in feeds[name]! && !holding.has(feeds[name]));
      if (foreign !== undefined)
        throw new ArgumentError(`run: ${graph.name} does not hold the tensor for "${foreign}"; it was released, or is held by another session`);
      const sent = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, "held" in feed ? feed.held : feed]));
      const reply = (await thread.ask({ kind: "run", feeds: sent, outputs }, { signal })) as RunReply;
      lastRunSeconds = reply.milliseconds / 1000;
      runSeconds += lastRunSeconds;
      runs++;
      return reply.outputs;
    },
    async hold(tensor) {
      checkData("hold", graph.name, tensor);
      const held = holds++;
      const whole = tensor.data.byteLength === tensor.data.buffer.byteLength;
      await thread.ask({ kind: "hold", id: held, tensor }, { moved: whole ? [tensor.data.buffer as ArrayBuffer] : [] });
      const release = async () => {
        if (holding.delete(kept)) await thread.ask({ kind: "release", id: held }, {});
      };
      const kept: HeldTensor = { dtype: tensor.dtype, dims: tensor.dims, held, release };
      holding.add(kept);
      return kept;
    },
    get figures() {
      const { weightBytes, cachedBytes } = prepared;
      return { ...opened, weightBytes, cachedBytes, runs, runSeconds, lastRunSeconds, residentBytes: process.memoryUsage.rss() };
    },
    dispose: () => thread.end(),
  };
}

/** One worker and the questions it has not answered yet; they are sent one at a time, so that waiting ones can be taken back. */
class SessionThread {
  // Without this process's own flags: some, such as `--input-type` of `node -e`, refuse a file.
  readonly #worker = new Worker(new URL("./worker.js", import.meta.url), { execArgv: [] });
  #last: Promise<unknown> = Promise.resolve();
  #pending: { readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void } | undefined;
  #serial = 0;
  #ending: Promise<void> | undefined;
  #failure: SessionError | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#pending?.resolve(reply));
    this.#worker.on("error", (error) => this.#fail(new SessionError("failed", `the session's thread failed: ${error.message}`, { cause: error })));
    this.#worker.on("exit", (code) => this.#fail(new SessionError("failed", `the session's thread ended (${code})`)));
  }

  #fail(error: SessionError): void {
    this.#failure ??= error;
    this.#pending?.reject(this.#failure);
  }

  ask(
    request: Request,
    {
      signal,
      provider,
      moved = [],
    }: { readonly signal?: AbortSignal | undefined; readonly provider?: string; readonly moved?: readonly ArrayBuffer[] },
  ): Promise<unknown> {
    if (this.#ending) return Promise.reject(new SessionError("disposed", `${request.kind}: the session has been disposed of`));
    const answer = this.#last.then(() => {
      signal?.throwIfAborted();
      return this.#send(request, moved, provider);
    });
    this.#last = answer.catch(() => undefined);
    return signal ? abortable(answer, signal) : answer;
  }

  end(): Promise<void> {
    this.#ending ??= this.#last.then(async () => void (await this.#worker.terminate()));
    return this.#ending;
  }

  async #send(request: Request, moved: readonly ArrayBuffer[], provider: string | undefined): Promise<unknown> {
    if (this.#failure) throw this.#failure;
    this.#worker.ref();
    try {
      const serial = this.#serial++;
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#worker.postMessage({ serial, request }, [...moved]);
      });
      if ("error" in reply) throw readable(reply.error, provider);
      return reply.result;
    } finally {
      this.#pending = undefined;
      this.#worker.unref();
    }
  }
}

function readable({ message, missing }: { readonly message: string; readonly missing: boolean }, provider: string | undefined): SessionError {
  if (missing) return new SessionError("runtime-missing", `onnxruntime-node is not installed: ${message}`);
  if (
    provider !== undefined &&
    provider !== "cpu" &&
    /load(ing)? (shared )?library|not (found|supported|available|enabled)|no available backend|libvulkan|adapter/i.test(message)
  ) {
    return new SessionError("provider-unavailable", `the execution provider "${provider}" cannot be used here; ONNX Runtime says: ${message}`);
  }
  return new SessionError("failed", `ONNX Runtime says: ${message}`);
}

function abortable<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
