import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { RunConfig } from "../config/run-config.js";
import type { DuplicateGroup } from "../dedup/find-duplicates.js";
import { DatasetError } from "../error.js";
import { openLedger, type StepCounts } from "../ledger/ledger.js";
import { lockRun } from "../ledger/run-lock.js";
import { datasetReport } from "../report/report.js";
import { type WrittenShards, writeShards } from "../shard/write-shards.js";
import { clearUnfinished } from "../store/folder-store.js";
import { storageError } from "../store/system-error.js";
import { createRun, ledgerName, type OwnStages, type Run, type ShardOf } from "./create-run.js";
import type { IncomingSource } from "./incoming.js";
import { runItemStage } from "./item-stage.js";
import { createJobPool, type JobPool } from "./job-pool.js";
import { openSources } from "./open-sources.js";
import { type RunProgress, stepProgress } from "./progress.js";
import { runCategory, runDedup, runFilter, runReview, runSplit } from "./queries.js";
import { reportData } from "./report-data.js";
import { isItemStage, isStep, type Step, stepIndex, steps } from "./steps.js";
import { takeIn } from "./take-in.js";

export interface RunOptions {
  /** Stops after the work under way; what was finished stays, and the same run goes on from there. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Takes the first so many items of the sources. Default all. */
  readonly limit?: number;
  /**
   * Only the stages of every `count`-th item, into a ledger of their own: one of several machines that share the output folder. A run without it then takes over
   * what they did and finishes.
   */
  readonly shard?: ShardOf;
  /** Tries failed items again. Default false: they stay failed. */
  readonly retryFailed?: boolean;
  /** Does this step and all that follow again, whatever is known. */
  readonly from?: Step;
  /** Does these steps alone, on what earlier ones have left; items that an earlier one has not done wait. */
  readonly only?: readonly Step[];
  /** Threads, in place of the config's. */
  readonly workers?: number;
  /** Stages of one's own, with models behind interfaces. */
  readonly stages?: OwnStages;
  /** Does the jobs of item stages in place of threads of this process: `createQueuePool`. It stays the caller's to dispose of. */
  readonly pool?: JobPool;
  /** Sources of one's own, in place of the config's. */
  readonly sources?: readonly IncomingSource[];
}

export interface RunSummary {
  readonly items: number;
  /** Items that came through every step that was run. */
  readonly left: number;
  readonly train: number;
  readonly test: number;
  /** Where the others stopped. */
  readonly stopped: readonly StepCounts[];
  readonly shards: readonly WrittenShards[];
  /** Paths of the report, if it was made. */
  readonly report?: { readonly html: string; readonly json: string; readonly markdown: string };
}

/**
 * Makes a data set as a config says: takes pictures in, scores, filters and dedups them, finds products, writes captions, makes variants, splits, writes shards and a
 * report. Killed at any instant and started again it ends with the same bytes as if nothing had happened; what changed settings do not touch is not done again.
 *
 * @throws DatasetError `invalid-config`; `ledger` while another run is at work in the folder; `storage` (a full disk: make room, start again); `network`, `endpoint`
 *   and `budget` where a service fails for many items; ArgumentError for options out of range; the signal's reason
 */
export async function runDataset(config: RunConfig, options: RunOptions = {}): Promise<RunSummary> {
  checkOptions(options);
  const { shard, workers, stages, signal } = options;
  signal?.throwIfAborted();
  try {
    await mkdir(config.output, { recursive: true });
  } catch (error) {
    throw storageError(`cannot make ${config.output}`, error);
  }
  const unlock = await lockRun(config.output, shard ? ledgerName(shard) : "run");
  try {
    const run = await createRun(config, { ...(shard && { shard }), ...(workers !== undefined && { workers }), ...(stages && { stages }) });
    try {
      if (!shard) {
        await clearUnfinished(run.storeFolder);
        await adoptShards(run);
      }
      let pool: JobPool | undefined;
      const end = () => void pool?.dispose();
      signal?.addEventListener("abort", end, { once: true });
      try {
        return await runSteps(run, options, () => {
          if (options.pool) return options.pool;
          pool ??= createJobPool({ workers: run.workers, deadline: config.deadline ?? 600 });
          return pool;
        });
      } finally {
        signal?.removeEventListener("abort", end);
        await pool?.dispose();
      }
    } finally {
      await run.dispose();
    }
  } finally {
    unlock();
  }
}

/** Queries need all items: a part of them stops before the first that matters. */
const stepsOfShards: readonly Step[] = [
  "ingest",
  "category",
  "score",
  "fingerprint",
  "filter",
  "extract",
  "inspect",
  "filter-product",
  "caption",
  "augment",
];

async function runSteps(run: Run, options: RunOptions, pool: () => JobPool): Promise<RunSummary> {
  const { signal, onProgress, limit = Number.POSITIVE_INFINITY, shard, retryFailed = false, from, only, sources } = options;
  const query = { signal, onProgress };
  const again = (step: Step) => from !== undefined && stepIndex(step) >= stepIndex(from);
  let groups: readonly DuplicateGroup[] = [];
  let shards: readonly WrittenShards[] = [];
  let report: RunSummary["report"];
  const last = only ? Math.max(...only.map(stepIndex)) : steps.length;
  for (const step of steps) {
    if (shard && !stepsOfShards.includes(step)) continue;
    if (stepIndex(step) > last) break;
    signal?.throwIfAborted();
    const knownOnly = only !== undefined && !only.includes(step);
    if (step === "ingest") {
      if (knownOnly) run.ledger.transaction(() => run.ledger.forgetStops());
      else
        await takeIn(run, {
          sources: sources ?? openSources(run.config),
          limit,
          shard,
          retryFailed,
          again: again(step),
          signal,
          onProgress,
        });
    } else if (isItemStage(step))
      await runItemStage(run, step, { pool, retryFailed, again: again(step), knownOnly, signal, onProgress: knownOnly ? undefined : onProgress });
    else if (step === "category") await runCategory(run, query);
    else if (step === "filter") await runFilter(run, "score", query);
    else if (step === "filter-product") await runFilter(run, "inspect", query);
    else if (step === "dedup") groups = await runDedup(run, query);
    else if (step === "review") await runReview(run, query);
    else if (step === "split") await runSplit(run, query, again(step));
    else if (step === "shard" && !knownOnly) shards = await writeShards(run, query, again(step));
    else if (step === "report" && !knownOnly) report = await writeReport(run, groups, options);
  }
  return { ...summaryOf(run), shards, ...(report && { report }) };
}

/** Counts of the latest run. */
export function summaryOf(run: Pick<Run, "ledger">): Pick<RunSummary, "items" | "left" | "train" | "test" | "stopped"> {
  const { items, going } = run.ledger.totals();
  return { items, left: going, ...run.ledger.splitCounts(), stopped: run.ledger.counts() };
}

async function writeReport(
  run: Run,
  groups: readonly DuplicateGroup[],
  { signal, onProgress }: RunOptions,
): Promise<NonNullable<RunSummary["report"]>> {
  const progress = stepProgress("report", undefined, onProgress);
  const { thumbnail, picturesEach, samples } = run.config.report ?? {};
  const { html, json, markdown } = await datasetReport(reportData(run, groups), {
    ...(thumbnail !== undefined && { thumbnail }),
    ...(picturesEach !== undefined && { picturesEach }),
    ...(samples !== undefined && { samples }),
    ...(signal && { signal }),
  });
  const paths = {
    html: join(run.config.output, "report.html"),
    json: join(run.config.output, "report.json"),
    markdown: join(run.config.output, "report.md"),
  };
  for (const [path, text] of [
    [paths.html, html],
    [paths.json, json],
    [paths.markdown, markdown],
  ] as const) {
    try {
      await writeFile(`${path}.writing`, text);
      await rename(`${path}.writing`, path);
    } catch (error) {
      throw storageError(`report: cannot write ${path}`, error);
    }
  }
  progress.end();
  return paths;
}

/** Takes over what runs of parts have done, of whatever number of parts. */
async function adoptShards(run: Run): Promise<void> {
  const names = (await readdir(run.config.output)).filter((name) => /^ledger-\d+-of-\d+\.sqlite$/.test(name)).sort();
  for (const file of names) {
    const name = file.slice(0, -".sqlite".length);
    // While its run is at work, what it has is not all.
    const unlock = await lockRun(run.config.output, name);
    try {
      const other = await openLedger(run.config.output, { name });
      try {
        run.ledger.adopt(other);
      } finally {
        other.dispose();
      }
    } finally {
      unlock();
    }
  }
}

function checkOptions({ limit, shard, from, only, workers }: RunOptions): void {
  const positive = (name: string, value: number | undefined) => {
    if (value !== undefined && (!Number.isInteger(value) || value < 1))
      throw new ArgumentError(`runDataset: expected ${name} of at least 1, got ${value}`);
  };
  positive("limit", limit);
  positive("workers", workers);
  if (shard && !(Number.isInteger(shard.count) && shard.count >= 1 && Number.isInteger(shard.index) && shard.index >= 0 && shard.index < shard.count))
    throw new ArgumentError(`runDataset: expected a shard from 0/n to (n-1)/n, got ${shard.index}/${shard.count}`);
  for (const [name, step] of [["from", from] as const, ...(only ?? []).map((step) => ["only", step] as const)])
    if (step !== undefined && !isStep(step))
      throw new ArgumentError(`runDataset: expected ${name} to be one of ${steps.join(", ")}, got ${String(step)}`);
  if (only?.length === 0) throw new ArgumentError("runDataset: expected only to name steps, got none");
  const whole = only?.find((step) => !stepsOfShards.includes(step));
  if (shard && whole)
    throw new DatasetError("invalid-config", `runDataset: ${whole} needs all items: run it without a shard when every part is done`);
}
