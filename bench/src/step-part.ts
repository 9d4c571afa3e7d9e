import { SessionError } from "@refadgen/graph";
import type { PipelineSources } from "@refadgen/pipeline";
import { contextGraph, openModels } from "@refadgen/pipeline";
import { type Contestant, interleave, type Reading } from "./contestant.js";
import { countFlops, projectionFlops } from "./flops.js";
import { openMatrixProduct } from "./matrix-product.js";
import { availableBytes } from "./memory.js";
import { openStep, stepGraph, stepKinds } from "./our-step.js";
import { openPeer, type PeerKind, peerKinds } from "./peer.js";
import type { BenchSettings } from "./settings.js";

export interface StepFigures {
  /** Of one step as it is run. */
  readonly flops: number;
  /** Of one step as published, which projects the reference's features every time; the target is about these. */
  readonly publishedFlops: number;
  readonly readings: readonly Reading[];
  readonly openSeconds: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, { readonly versions: string; readonly peakBytes: number }>>;
  /** Whether all peers were alive at once; else each had rounds of its own with ours. */
  readonly together: boolean;
  readonly warnings: readonly string[];
}

/** The step by every contestant, interleaved. Ours takes part in every round, in both ways that a session can be optimised. */
export async function measureStep(
  sources: PipelineSources,
  {
    settings,
    threads,
    python,
    contestants,
    log,
  }: {
    readonly settings: BenchSettings;
    readonly threads: number;
    readonly python: string | undefined;
    /** Names of those that take part; default all. */
    readonly contestants: ReadonlySet<string> | undefined;
    readonly log: (line: string) => void;
  },
): Promise<StepFigures> {
  const models = await openModels(sources);
  const graph = stepGraph(models, settings);
  const flops = countFlops(graph);
  const text = contextGraph(models.unet.generation, models.unet.config, { batch: 2, tokens: 77 });
  const publishedFlops = flops + projectionFlops(graph) + countFlops(text);
  const wanted = (name: string) => contestants?.has(name) ?? true;
  const warnings: string[] = [];
  const warn = (text: string) => {
    warnings.push(text);
    log(`warning: ${text}`);
  };
  const product = await openMatrixProduct({ threads, products: settings.matrixProducts });
  const opened: Contestant[] = [];
  const openSeconds: Record<string, number> = {};
  let weightBytes = 0;
  for (const kind of stepKinds.filter(({ name }) => wanted(name))) {
    let ours: Awaited<ReturnType<typeof openStep>>;
    try {
      ours = await openStep(graph, { ...kind, threads });
    } catch (error) {
      if (!SessionError.isInstance(error)) throw error;
      warn(`${kind.name} left out: ${error.message}`);
      continue;
    }
    openSeconds[ours.name] = ours.figures.openSeconds;
    weightBytes = Math.max(weightBytes, ours.figures.weightBytes);
    log(`${ours.name}: open after ${ours.figures.openSeconds.toFixed(2)} s`);
    if (ours.figures.optimization === kind.optimization) opened.push(ours);
    else {
      warn(`${ours.name}: no room on the disk for the optimised graph; left out`);
      await ours.dispose();
    }
  }

  const { groups, together } = groupsThatFit(python === undefined ? [] : peerKinds.filter(({ name }) => wanted(name)), weightBytes);
  if (!together) warn("not enough memory for all peers at once: one after another, each interleaved with ours");
  const readings: Reading[] = [];
  const peers: Record<string, { versions: string; peakBytes: number }> = {};
  try {
    for (const [index, group] of groups.entries()) {
      const rivals = [];
      for (const kind of group) {
        try {
          rivals.push(await openPeer(kind, { python: python!, settings, threads }));
          log(`${kind.name}: ready (${rivals.at(-1)!.versions})`);
        } catch (error) {
          warn(`${kind.name} left out: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      if (index > 0 && rivals.length === 0) continue;
      try {
        const { rounds } = settings;
        const onReading = ({ round, contestant, seconds, matrixRate }: Reading) =>
          log(
            `round ${round + 1}  ${contestant.padEnd(15)} ${seconds.toFixed(3)} s, ${(flops / seconds / 1e9).toFixed(0)} GFLOP/s; matrix product ${(matrixRate / 1e9).toFixed(0)} GFLOP/s`,
          );
        readings.push(...(await interleave([...opened, ...rivals], { rounds, firstRound: index * rounds, rate: product.rate, onReading })));
      } finally {
        for (const rival of rivals) {
          peers[rival.name] = { versions: rival.versions, peakBytes: rival.peakBytes() };
          await rival.dispose();
        }
      }
    }
  } finally {
    for (const { dispose } of [...opened, product]) await dispose();
  }
  return { flops, publishedFlops, readings, openSeconds, peers, together, warnings };
}

/** All peers at once where memory allows it beside ours, else one at a time. */
function groupsThatFit(
  kinds: readonly PeerKind[],
  weightBytes: number,
): { readonly groups: readonly (readonly PeerKind[])[]; readonly together: boolean } {
  if (kinds.length === 0) return { groups: [[]], together: true };
  // Ours are mapped files, once as they are and once laid out anew; a process has about 1.5 GB of activations and libraries.
  const ours = weightBytes * 2.3;
  const theirs = kinds.reduce((sum, { weightsInMemory }) => sum + weightsInMemory * weightBytes + 1.5e9, 0);
  const together = availableBytes() > ours + theirs + 2e9;
  return { groups: together ? [kinds] : kinds.map((kind) => [kind]), together };
}
