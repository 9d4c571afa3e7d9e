import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheFolder } from "@refadgen/graph";
import { EvaluationError } from "../evaluate/error.js";
import { listImages } from "../evaluate/list-images.js";
import { expectWeights, NetworkPool } from "../evaluate/networks.js";
import { PictureReader } from "../evaluate/pictures.js";
import { scoreSets } from "../evaluate/score-sets.js";
import { type FidRecipe, fidAccumulator } from "../metrics/fid.js";
import { countOf } from "../report/format.js";
import { saveStatistics } from "../statistics/npz.js";
import { expectWritable } from "./outputs.js";
import { createReporter } from "./progress.js";
import { networkOptionsOf, type WeightSettings } from "./weight-settings.js";

/** The options of `refadgen-metrics stats`. */
export interface StatsSettings extends WeightSettings {
  readonly recipe?: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

/** Computes and writes the statistics of a folder. */
export async function statsCommand(folder: string, out: string, settings: StatsSettings, signal: AbortSignal): Promise<void> {
  if (!/\.npz$/i.test(out)) throw new EvaluationError("unwritable", `${out}: expected the name of a .npz file`);
  if (!settings.force && (await stat(out).catch(() => undefined)))
    throw new EvaluationError("unwritable", `${out} is there already; --force replaces it`);
  await expectWritable([out]);
  const { files, others } = await listImages(folder, "stats");
  const options = networkOptionsOf(settings);
  await expectWeights(["inception"], options);
  const reporter = createReporter({ quiet: settings.quiet ?? false, stderr: process.stderr });
  const warnings: string[] = [];
  const pool = new NetworkPool({
    ...options,
    store: { folder: join(options.cacheDirectory ?? cacheFolder(), "metrics"), onFailure: (message) => void warnings.push(message) },
    signal,
    onProgress: (load) => reporter.progress({ stage: "load", metrics: ["fid"], load }),
  });
  try {
    await pool.locate(["inception"]);
    const features = await pool.inception();
    const accumulator = fidAccumulator({ features, ...(settings.recipe !== undefined && { recipe: settings.recipe as FidRecipe }) });
    const skipped = await scoreSets({
      ...{ accumulators: [accumulator], real: files, generated: [], reader: new PictureReader(), batch: 16, signal },
      onProgress: (done, total) => reporter.progress({ stage: "score", metrics: ["fid"], done, total }),
    });
    reporter.progress({ stage: "compute", metrics: ["fid"] });
    const statistics = await accumulator.statistics("real", { signal });
    await saveStatistics(resolve(out), statistics, { overwrite: settings.force ?? false });
    reporter.end();
    for (const { name, reason } of skipped) process.stderr.write(`skipped ${name}: ${reason}\n`);
    for (const name of others) process.stderr.write(`left out ${name}: not a picture by its extension\n`);
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    if (!settings.quiet)
      process.stdout.write(
        `${out}: ${countOf(statistics.count ?? 0, "picture")}, recipe ${accumulator.recipe}, ${statistics.dimensions} dimensions\n`,
      );
  } finally {
    reporter.end();
    await pool.dispose();
  }
}
