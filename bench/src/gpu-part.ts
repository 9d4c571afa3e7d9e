import type { ExecutionProvider, Graph, Precision } from "@refadgen/graph";
import { SessionError } from "@refadgen/graph";
import { openModels, type PipelineSources } from "@refadgen/pipeline";
import { openStep, stepGraph } from "./our-step.js";
import type { BenchSettings } from "./settings.js";
import { median } from "./statistics.js";

export interface GpuFigures {
  readonly provider: ExecutionProvider;
  readonly precision: Precision;
  readonly result: { readonly openSeconds: number; readonly seconds: number; readonly error: number } | { readonly missing: string };
}

const providers = ["cuda", "tensorrt", "webgpu", "dml", "coreml"] as const;
const rounds = 5;

/**
 * The guided step on every provider of ONNX Runtime, in float32 and float16: seconds to open, the median of five steps after one, and the root
 * mean square difference to the CPU's float32 in units of its own.
 */
export async function measureGpu(
  sources: PipelineSources,
  { settings, threads, log }: { readonly settings: BenchSettings; readonly threads: number; readonly log: (line: string) => void },
): Promise<GpuFigures[]> {
  const graph = stepGraph(await openModels(sources), settings);
  const expected = await onCpu(graph, threads);
  const all: GpuFigures[] = [];
  for (const provider of providers) {
    for (const precision of ["fp32", "fp16"] as const) {
      const result = await measure(graph, { provider, precision, threads, expected });
      all.push({ provider, precision, result });
      log(
        `gpu: ${provider} ${precision}: ${"missing" in result ? result.missing : `${result.seconds.toFixed(4)} s, error ${result.error.toExponential(1)}`}`,
      );
    }
  }
  return all;
}

async function onCpu(graph: Graph, threads: number): Promise<Float32Array> {
  const cpu = await openStep(graph, { name: "cpu", runtime: "onnxruntime", threads });
  const expected = await cpu.prediction();
  await cpu.dispose();
  return expected;
}

async function measure(
  graph: Graph,
  {
    expected,
    ...kind
  }: { readonly provider: ExecutionProvider; readonly precision: Precision; readonly threads: number; readonly expected: Float32Array },
): Promise<GpuFigures["result"]> {
  try {
    const step = await openStep(graph, { name: kind.provider, runtime: "onnxruntime", ...kind });
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) seconds.push(await step.step());
    const actual = await step.prediction();
    const { openSeconds } = step.figures;
    await step.dispose();
    const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
    const error = Math.sqrt(squares(actual.map((value, index) => value - expected[index]!)) / squares(expected));
    return { openSeconds, seconds: median(seconds), error };
  } catch (error) {
    if (!SessionError.isInstance(error)) throw error;
    return { missing: error.message };
  }
}
