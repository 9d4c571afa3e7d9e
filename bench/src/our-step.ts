import { type Feeds, formulaGaussian, type Graph, openSession, type SessionFigures, type SessionOptions } from "@refadgen/graph";
import { generationConfig, generationGraph, type Models } from "@refadgen/pipeline";
import type { Contestant } from "./contestant.js";
import type { BenchSettings } from "./settings.js";

/** One way of ours to open the step. */
export interface StepKind extends Pick<SessionOptions, "runtime" | "precision" | "provider" | "optimization"> {
  readonly name: string;
}

/** What takes part on a CPU; those whose runtime is not installed are left out with a warning. */
export const stepKinds: readonly StepKind[] = [
  { name: "ours mapped", runtime: "onnxruntime", optimization: "mapped" },
  { name: "ours kept", runtime: "onnxruntime", optimization: "kept" },
  { name: "ours openvino", runtime: "openvino", optimization: "kept" },
  { name: "ours bf16", runtime: "openvino", precision: "bf16", optimization: "kept" },
  { name: "ours int8", runtime: "onnxruntime", precision: "int8", optimization: "kept" },
];

export type Optimization = NonNullable<SessionOptions["optimization"]>;

/** The generation U-Net for a guided batch of two. */
export function stepGraph({ unet }: Models, { width, height }: BenchSettings): Graph {
  return generationGraph(unet.generation, generationConfig(unet.config), { batch: 2, height: height / 8, width: width / 8, tokens: 77 });
}

/** One guided step with attention fusion, as the pipeline does it: the reference's keys and values stay in the session. */
export async function openStep(
  graph: Graph,
  { name, threads, ...options }: StepKind & { readonly threads: number },
): Promise<Contestant & { readonly figures: SessionFigures; readonly prediction: () => Promise<Float32Array> }> {
  const session = await openSession(graph, { ...options, threads });
  const feeds: Record<string, Feeds[string]> = {};
  for (const { name, dims } of graph.inputs) {
    const data = name === "timestep" ? new Float32Array(2).fill(801) : name === "scale" ? Float32Array.of(1) : formulaGaussian(name, dims);
    const tensor = { dtype: "float32", dims, data } as const;
    feeds[name] = /^(key|value)\./.test(name) ? await session.hold(tensor) : tensor;
  }
  const step = async () => {
    const started = performance.now();
    await session.run(feeds);
    return (performance.now() - started) / 1000;
  };
  await step();
  const prediction = async () => (await session.run(feeds)).prediction!.data as Float32Array;
  return { name, step, prediction, dispose: () => session.dispose(), figures: session.figures };
}
