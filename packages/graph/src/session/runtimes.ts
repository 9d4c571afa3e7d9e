import { ArgumentError } from "@refadgen/errors";
import type { Graph } from "../graph.js";
import { liveParameters } from "../serialize.js";
import { elementCount } from "../tensor.js";
import { SessionError } from "./error.js";
import { processorFlags } from "./processor.js";
import { executionProviders, precisions, type RuntimeName, runtimeNames, type Session, type SessionOptions } from "./session.js";

type Opener = (graph: Graph, options: SessionOptions) => Promise<Session>;

/** How the runtimes beside ONNX Runtime open a graph; each is loaded on use. Another runtime is a name in `runtimeNames` and an entry here. */
export const openers: Readonly<Record<Exclude<RuntimeName, "onnxruntime">, Opener>> = {
  openvino: async (graph, { precision, optimization, threads, library, signal, onProgress }) => {
    const { openOpenVinoSession } = await import("../openvino/session.js");
    return openOpenVinoSession(graph, {
      precision: precision === "bf16" ? "bf16" : "fp32", // int8 is in the graph itself
      keepCompiled: optimization === "kept",
      ...(threads !== undefined && { threads }),
      ...(library !== undefined && { library }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    });
  },
  tfjs: async (graph, { backend, signal, onProgress }) => {
    const { openTfjsSession } = await import("../tfjs/session.js");
    return openTfjsSession(graph, { ...(backend && { backend }), ...(signal && { signal }), ...(onProgress && { onProgress }) });
  },
};

/**
 * The runtime that options ask for.
 *
 * @throws ArgumentError for names that are not known and options that contradict each other
 */
export async function chooseRuntime(graph: Graph, options: SessionOptions): Promise<RuntimeName> {
  const { runtime = "onnxruntime", precision = "fp32", provider = "cpu" } = options;
  expectOneOf("runtime", runtime, [...runtimeNames, "auto"]);
  expectOneOf("precision", precision, precisions);
  expectOneOf("provider", provider, executionProviders);
  if (provider !== "cpu") {
    if (runtime !== "auto" && runtime !== "onnxruntime")
      throw new ArgumentError(`openSession: the provider "${provider}" is ONNX Runtime's, not of runtime "${runtime}"`);
    if (precision === "bf16") throw new ArgumentError(`openSession: precision "bf16" is for the CPU; on "${provider}" use "fp16"`);
    if (precision === "int8") throw new ArgumentError(`openSession: precision "int8" is for the CPU; on "${provider}" use "fp16"`);
    return "onnxruntime";
  }
  if (precision === "fp16")
    throw new ArgumentError('openSession: precision "fp16" saves nothing on the CPU, which computes it in float32; use "bf16" or "int8"');
  if (precision === "bf16") {
    if (runtime === "onnxruntime" || runtime === "tfjs")
      throw new ArgumentError(`openSession: precision "bf16" needs runtime "openvino", got "${runtime}"`);
    return "openvino";
  }
  if (runtime === "tfjs" && precision !== "fp32")
    throw new ArgumentError(`openSession: runtime "tfjs" computes in float32, got precision "${precision}"`);
  if (precision === "int8") {
    if (runtime === "openvino")
      throw new ArgumentError('openSession: precision "int8" is for runtime "onnxruntime", whose operators it is written in; got "openvino"');
    return "onnxruntime";
  }
  return runtime === "auto" ? fastest(graph, options) : runtime;
}

/** Weights in bytes below which OpenVINO takes longer to compile a graph than it saves in a few runs. */
const smallest = 2 ** 28;

/**
 * OpenVINO where it is installed and the processor has AVX-512, for networks that are large enough: without these instructions ONNX Runtime's steps take
 * about nine tenths of OpenVINO's time, with them it is the other way round (bench/LOG.md). A folder that was named and cannot be used is an error, not a reason to
 * do without.
 */
async function fastest(graph: Graph, { library }: SessionOptions): Promise<RuntimeName> {
  if (liveParameters(graph).reduce((sum, { dims }) => sum + elementCount(dims) * 4, 0) < smallest) return "onnxruntime";
  const named = library !== undefined || Boolean(process.env.REFADGEN_OPENVINO);
  try {
    const { loadOpenVino } = await import("../openvino/api.js");
    await loadOpenVino(library);
    return (await processorFlags()).has("avx512f") ? "openvino" : "onnxruntime";
  } catch (error) {
    if (named || !SessionError.isInstance(error)) throw error;
    return "onnxruntime";
  }
}

function expectOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new ArgumentError(`openSession: expected ${name} ${allowed.join(" | ")}, got "${value}"`);
}
