import type { IngestRow, Item, StageName, StageRows } from "../contract.js";
import { DatasetError } from "../error.js";
import { canonicalJson, shortHash } from "../ledger/hash.js";
import type { ResultRecord, StageResult } from "../ledger/records.js";
import { type ItemStageName, stagePlace } from "../stages/create-stage.js";
import { runStage } from "../stages/run-job.js";
import { forEachBounded } from "./bounded.js";
import { commitsOf } from "./commits.js";
import type { Run } from "./create-run.js";
import type { JobPool } from "./job-pool.js";
import { type RunProgress, stepProgress } from "./progress.js";
import { stopOf } from "./stop-of.js";
import { attemptAfter } from "./take-in.js";

export interface ItemStageOptions {
  /** The run's threads, made when they are first needed. */
  readonly pool: () => JobPool;
  readonly retryFailed: boolean;
  /** Do it again, known or not. */
  readonly again: boolean;
  /** Only take what is known; what is not waits. */
  readonly knownOnly: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: RunProgress) => void) | undefined;
}

/** What of a row a stage looks at: a change of anything else leaves its own row as it is. */
const looksAt: { readonly [Name in ItemStageName]: readonly (keyof IngestRow)[] } = {
  score: ["picture"],
  fingerprint: ["picture"],
  extract: ["picture", "mask", "product", "category"],
  inspect: ["picture"],
  caption: ["picture", "category", "captions"],
  augment: [],
};

interface Due {
  readonly item: Item;
  readonly input: string;
  readonly attempt: number;
}

/** Runs a stage over all items that are still going, as far as the ledger does not know what comes of it. */
export async function runItemStage(run: Run, name: ItemStageName, options: ItemStageOptions): Promise<void> {
  const { ledger, config } = run;
  const { pool, retryFailed, again, knownOnly, signal, onProgress } = options;
  const stage = run.stages[name];
  const settings = run.settings[name];
  const hash = shortHash(canonicalJson([name, stage.settings]));
  const place = run.own[name] ? "here" : stagePlace(name, settings);
  // A thread that has done a job takes the next one first: one at a time stay on one thread.
  const limit = place === "here" ? concurrency(run, name) : place === "workers" ? Math.max(run.workers * 2, pool().size) : 1;
  const progress = stepProgress(name, ledger.totals().going, onProgress);
  const commits = commitsOf(ledger);
  let inARow: { readonly code: string; count: number } = { code: "", count: 0 };

  const settle = (key: string, result: StageResult, known: boolean): void => {
    if (result.outcome !== "done") commits.add(() => ledger.stop(key, stopOf(name, result)));
    progress.count(result.outcome, known);
  };
  /** Items that have to be done; the others are settled on the way. */
  const due = async function* (): AsyncGenerator<Due, void, void> {
    let seen = 0;
    for (const entry of ledger.entries({ going: true })) {
      // Thousands of items that are all known must not keep the thread.
      if (++seen % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
      const item: Item = { key: entry.key, rows: neededRows(run, stage.needs, entry.rows) };
      const input = inputHash(run, name, item, stage.needs, entry.results);
      const earlier = entry.results.find((result) => result.stage === name);
      const known = !again && earlier?.input === input && earlier.config === hash && !(retryFailed && !knownOnly && "code" in earlier.result);
      if (known) settle(entry.key, earlier.result, true);
      else if (knownOnly) commits.add(() => ledger.stop(entry.key, { step: name, outcome: "waiting", reasons: [] }));
      else yield { item, input, attempt: attemptAfter(earlier, input, hash) };
    }
  };
  const perform = (item: Item): Promise<StageResult> => {
    if (place === "here") return runStage(stage, item, { files: run.files, ...(signal && { signal }) });
    return pool().run({ stage: name, settings: settings as never, item, store: run.storeFolder });
  };
  try {
    await forEachBounded(due(), { limit, signal }, async ({ item, input, attempt }) => {
      const result = await perform(item);
      const record: ResultRecord = {
        key: item.key,
        stage: name,
        attempt,
        input,
        config: hash,
        ...(result.outcome === "done" && { hash: shortHash(canonicalJson(result.row)) }),
        result,
      };
      commits.add(() => ledger.record(record));
      settle(item.key, result, false);
      inARow = "code" in result ? { code: result.code, count: result.code === inARow.code ? inARow.count + 1 : 1 } : { code: "", count: 0 };
      const most = config.failuresInARow ?? 50;
      if ("code" in result && inARow.count >= most)
        throw new DatasetError(
          result.code === "network" || result.code === "remote" ? "network" : "endpoint",
          `${name} failed ${most} times in a row, at last: ${result.message}. When the cause is gone, start again with --retry-failed`,
          { retryable: true },
        );
    });
  } finally {
    commits.flush();
  }
  progress.end();
}

/** Requests that wait cost nothing; those of endpoints have their own limits. */
function concurrency(run: Run, name: ItemStageName): number {
  const endpoints = name === "caption" ? (run.settings.caption.endpoints ?? []) : [];
  return Math.max(run.workers, 4, ...endpoints.map(({ concurrent = 4 }) => concurrent * endpoints.length * 2));
}

function neededRows(run: Run, needs: readonly StageName[], rows: Item["rows"]): Item["rows"] {
  const needed: { -readonly [Name in StageName]?: StageRows[Name] } = {};
  for (const need of needs) {
    const row = rows[need];
    if (row !== undefined) Object.assign(needed, { [need]: need === "ingest" ? run.known(row as IngestRow) : row });
  }
  return needed;
}

function inputHash(run: Run, name: ItemStageName, { key, rows }: Item, needs: readonly StageName[], results: readonly ResultRecord[]): string {
  const parts = needs.map((need) => {
    if (need === "ingest" && rows.ingest && !run.own[name]) {
      const { ingest } = rows;
      return canonicalJson(Object.fromEntries(looksAt[name].map((field) => [field, ingest[field]])));
    }
    return need === "ingest" ? canonicalJson(rows.ingest) : (results.find(({ stage }) => stage === need)?.hash ?? "");
  });
  return shortHash(key, ...parts);
}
