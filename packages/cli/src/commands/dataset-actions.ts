import { open, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  browse,
  createQueuePool,
  createRun,
  newConfig,
  type RunConfig,
  type RunSummary,
  readConfig,
  reviewStore,
  runDataset,
  type ShardOf,
  type Step,
  summaryOf,
  whatIf,
} from "@refadgen/dataset";
import { ArgumentError } from "@refadgen/errors";
import { tableText } from "../amounts.js";
import type { CommandContext } from "../command-context.js";
import { datasetReporter } from "../dataset-progress.js";
import { writeMiniSet } from "./dataset-mini.js";

export interface RunSettings {
  readonly limit?: number;
  readonly shard?: ShardOf;
  readonly workers?: number;
  readonly retryFailed?: boolean;
  readonly from?: Step;
  readonly again?: boolean;
  readonly whatIf?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Of a queue whose workers do the work. */
  readonly redis?: string;
  readonly queue?: string;
}

export interface InitSettings {
  readonly pictures: string;
  readonly category?: string;
  readonly output: string;
  readonly force?: boolean;
}

export interface BrowseSettings {
  readonly port?: number;
}

export interface MiniSettings {
  readonly count: number;
  readonly size: { readonly width: number; readonly height: number };
  readonly seed: number;
  readonly format: "webdataset" | "parquet" | "image-folder" | "authors" | "pictures";
  readonly quiet?: boolean;
}

export async function runAction(path: string, settings: RunSettings, context: CommandContext): Promise<void> {
  await perform(await readConfig(path), path, settings, undefined, context);
}

/** What is done under the name of a step: those that only prepare another come with it. */
const stepsOf: Readonly<Record<string, readonly Step[]>> = {
  dedup: ["fingerprint", "dedup"],
  filter: ["filter", "filter-product"],
  split: ["review", "split"],
};

export async function stepAction(name: string, path: string, settings: RunSettings, context: CommandContext): Promise<void> {
  const config = await readConfig(path);
  if (settings.whatIf) return printWhatIf(config, settings);
  const only = stepsOf[name] ?? [name as Step];
  await perform(config, path, { ...settings, ...(settings.again && { from: only[0]! }) }, only, context);
}

async function perform(
  config: RunConfig,
  path: string,
  settings: RunSettings,
  only: readonly Step[] | undefined,
  { signal }: CommandContext,
): Promise<void> {
  const { limit, shard, workers, retryFailed, from, json = false, quiet = false } = settings;
  const reporter = datasetReporter({ json, quiet, stdout: process.stdout, stderr: process.stderr });
  let summary: RunSummary;
  const pool =
    settings.redis === undefined
      ? undefined
      : await createQueuePool({ redis: settings.redis, ...(settings.queue !== undefined && { queue: settings.queue }) });
  try {
    summary = await runDataset(config, {
      signal,
      ...(pool && { pool }),
      onProgress: reporter.progress,
      ...(limit !== undefined && { limit }),
      ...(shard && { shard }),
      ...(workers !== undefined && { workers }),
      ...(retryFailed && { retryFailed }),
      ...(from && { from }),
      ...(only && { only }),
    });
  } finally {
    reporter.end();
    await pool?.dispose();
  }
  process.stdout.write(json ? `${JSON.stringify({ type: "summary", ...summary })}\n` : summaryText(summary, path, shard ? [] : only));
}

function summaryText({ items, left, train, test, stopped, shards, report }: RunSummary, path: string, only: readonly Step[] | undefined): string {
  const whole = !only || only.some((step) => ["split", "shard", "report"].includes(step));
  const lines = [
    whole ? `${items} items, ${left} triplets: ${train} for training, ${test} for tests` : `${items} items, ${left} of them still going`,
  ];
  for (const outcome of ["rejected", "failed", "quarantined", "waiting"] as const) {
    const at = stopped.filter((counts) => counts[outcome] > 0).map((counts) => `${counts[outcome]} at ${counts.step}`);
    if (at.length > 0) lines.push(`${outcome}: ${at.join(", ")}`);
  }
  for (const { folder, index, known } of shards) lines.push(`${folder}: ${index.files.length} files${known ? ", as they were" : ""}`);
  if (report) lines.push(`${report.html}`);
  const failed = stopped.reduce((sum, counts) => sum + counts.failed + counts.quarantined, 0);
  if (failed > 0) lines.push(`refadgen dataset status ${path} lists what failed; refadgen dataset run ${path} --retry-failed tries it again.`);
  const waiting = stopped.find((counts) => counts.waiting > 0);
  if (waiting) lines.push(`refadgen dataset ${waiting.step === "fingerprint" ? "dedup" : waiting.step} ${path} comes first for those that wait.`);
  return `${lines.join("\n")}\n`;
}

async function printWhatIf(config: RunConfig, { json }: RunSettings): Promise<void> {
  const run = await createRun(config, { readOnly: true });
  try {
    const counts = whatIf(run);
    if (json) {
      process.stdout.write(`${JSON.stringify(counts)}\n`);
      return;
    }
    const rows = counts.thresholds.map(({ threshold, rejected, alone, unknown }) => {
      const { score, least, most } = threshold;
      const rule = [least !== undefined ? `at least ${least}` : "", most !== undefined ? `at most ${most}` : ""]
        .filter((part) => part !== "")
        .join(", ");
      return [score, rule, String(rejected), String(alone), String(unknown)];
    });
    process.stdout.write(
      `${tableText([["score", "threshold", "left out", "by it alone", "not measured"], ...rows])}\n\n${counts.kept} of ${counts.total} would stay.\n`,
    );
  } finally {
    await run.dispose();
  }
}

export async function initAction(file = "dataset.json", { pictures, category, output, force = false }: InitSettings): Promise<void> {
  const text = newConfig({ pictures, output, ...(category !== undefined && { category }) });
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (error) {
    if (Reflect.get(Object(error), "code") !== "EEXIST") throw error;
    throw new ArgumentError(`dataset init: ${file} is there already; --force replaces it`);
  }
  process.stdout.write(`${file}\n`);
  process.stderr.write(
    `put pictures into ${pictures}${category === undefined ? ", a folder for each category," : ""} and start: refadgen dataset run ${file}\n`,
  );
}

export async function statusAction(path: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  const run = await createRun(await readConfig(path), { readOnly: true });
  try {
    const summary = summaryOf(run);
    const failed = [...run.ledger.items({ going: false })].filter(
      ({ stop }) => stop && (stop.outcome === "failed" || stop.outcome === "quarantined"),
    );
    if (json) {
      process.stdout.write(
        `${JSON.stringify({ ...summary, failed: failed.map(({ key, location, stop }) => ({ key, location, ...stop })) }, undefined, 2)}\n`,
      );
      return;
    }
    process.stdout.write(summaryText({ ...summary, shards: [] }, path, undefined));
    const rows = failed
      .slice(0, 20)
      .map(({ key, stop }) => [stop!.step, key, stop!.reasons.map(({ message }) => message.split("\n", 1)[0]).join("; ")]);
    if (rows.length > 0)
      process.stdout.write(`\n${tableText(rows)}\n${failed.length > rows.length ? `and ${failed.length - rows.length} more\n` : ""}`);
  } finally {
    await run.dispose();
  }
}

export async function browseAction(path: string, { port }: BrowseSettings, { signal }: CommandContext): Promise<void> {
  const config = await readConfig(path);
  // Refused before a server is there, and with what to do.
  const there = await open(resolve(config.output, "ledger.sqlite")).catch(() => undefined);
  if (!there) throw new ArgumentError(`dataset browse: nothing has been run in ${config.output}; refadgen dataset run ${path} comes first`);
  await there.close();
  const run = await createRun(config);
  try {
    const server = await browse({ store: reviewStore(run), title: config.report?.title ?? "Dataset", signal, ...(port !== undefined && { port }) });
    process.stdout.write(`${server.url}\n`);
    process.stderr.write("j and k go on and back, a accepts, r rejects, u undoes; Ctrl-C ends\n");
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
    await server.close();
  } finally {
    await run.dispose();
  }
}

export async function miniAction(folder: string, settings: MiniSettings, { signal }: CommandContext): Promise<void> {
  await writeMiniSet(folder, settings, signal);
}
