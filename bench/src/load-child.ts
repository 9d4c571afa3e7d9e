// Opens every session of an image in a process of its own and says how long each took.
import { type Graph, openSession, type Session } from "@refadgen/graph";
import { decodeGraph, encodeGraph, openModels, type PipelineSources, productTokensGraph, referenceGraph, textGraph } from "@refadgen/pipeline";
import { childInput, childOutput } from "./child.js";
import { peakResidentBytes } from "./memory.js";
import { type Optimization, stepGraph } from "./our-step.js";
import type { BenchSettings } from "./settings.js";

export interface LoadInput {
  readonly sources: PipelineSources;
  readonly settings: BenchSettings;
  readonly optimization: Optimization;
  readonly threads: number;
}

export interface LoadFigures {
  /** Finding and checking every part, and opening all sessions. */
  readonly seconds: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Where there was no room for the optimised graph, a session falls back to "mapped". */
  readonly optimization: Optimization;
  /** With all sessions open; mapped weights count only once they are read. */
  readonly peakBytes: number;
}

const { sources, settings, optimization, threads } = childInput<LoadInput>();
const started = performance.now();
const models = await openModels(sources);
const parts: Record<string, number> = { check: (performance.now() - started) / 1000 };
const { text, vision, vae, unet } = models;
const [height, width] = [settings.height / 8, settings.width / 8];
const graphs: readonly (() => Graph)[] = [
  () => textGraph(text.weights, text.config),
  () => productTokensGraph(vision!.weights, vision!.config, vision!.resamplerWeights, vision!.resampler),
  () => encodeGraph(vae.weights, vae.config, settings),
  () => referenceGraph(unet.reference, unet.fusion, unet.config, { batch: 2, height, width, tokens: vision!.resampler.num_queries }),
  () => stepGraph(models, settings),
  () => decodeGraph(vae.weights, vae.config, { height, width }),
];
const sessions: Session[] = [];
for (const build of graphs) {
  const before = performance.now();
  const graph = build();
  sessions.push(await openSession(graph, { optimization, threads }));
  parts[graph.name] = (performance.now() - before) / 1000;
}
const fellBack = sessions.some(({ figures }) => figures.optimization !== optimization);
const figures: LoadFigures = {
  seconds: (performance.now() - started) / 1000,
  parts,
  optimization: fellBack ? "mapped" : optimization,
  peakBytes: peakResidentBytes(),
};
for (const session of sessions) await session.dispose();
childOutput(figures);
