import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FeatureMoments, frechetDistance, saveFeatures } from "@refadgen/metrics";
import { benchFeatures } from "./metrics-features.js";
import { Conversation } from "./peer.js";

const script = fileURLToPath(new URL("../peers/metrics_distance.py", import.meta.url));

export interface DistanceFigures {
  readonly count: number;
  readonly dimensions: number;
  readonly value: number;
  readonly seconds: number;
  readonly statisticsSeconds: number;
  /** Beside the features, at most. */
  readonly extraBytes: number;
}

export type PeerDistance = Pick<DistanceFigures, "value" | "seconds" | "statisticsSeconds" | "extraBytes">;

/** FID's distance from features that are in memory, and scipy's of the same. */
export async function measureDistance({
  count,
  dimensions,
  python,
}: {
  readonly count: number;
  readonly dimensions: number;
  readonly python: string | undefined;
}): Promise<{ readonly ours: DistanceFigures; readonly peer: PeerDistance | undefined }> {
  const sets = [benchFeatures(count, dimensions, { seed: 12345, shift: 0.3 }), benchFeatures(count, dimensions, { seed: 777, shift: 0.33 })];
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const started = performance.now();
  const statistics = [];
  for (const rows of sets) {
    const moments = new FeatureMoments(dimensions);
    for (let from = 0; from < rows.length; from += 1000 * dimensions) await moments.add(rows.subarray(from, from + 1000 * dimensions));
    statistics.push(await moments.statistics());
  }
  const statisticsSeconds = (performance.now() - started) / 1000;
  const value = await frechetDistance(statistics[0]!, statistics[1]!);
  const seconds = (performance.now() - started) / 1000;
  clearInterval(watch);
  const ours = { count, dimensions, value, seconds, statisticsSeconds, extraBytes: peak - before };
  return { ours, peer: python === undefined ? undefined : await peerDistance(sets, count, dimensions, python) };
}

async function peerDistance(sets: readonly Float32Array[], count: number, dimensions: number, python: string): Promise<PeerDistance> {
  const folder = await mkdtemp(join(tmpdir(), "refadgen-bench-metrics-"));
  try {
    const [first, second] = [join(folder, "first.npz"), join(folder, "second.npz")];
    for (const [index, path] of [first, second].entries()) await saveFeatures(path, { rows: sets[index]!, count, dimensions });
    const conversation = new Conversation("scipy", python, [script, JSON.stringify({ first, second })]);
    const reply = await conversation.next();
    await conversation.end();
    return reply as unknown as PeerDistance;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
