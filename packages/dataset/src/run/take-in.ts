import { DatasetError } from "../error.js";
import { isKey } from "../formats/names.js";
import { canonicalJson, shortHash } from "../ledger/hash.js";
import type { ResultRecord, StageResult } from "../ledger/records.js";
import { failureOf } from "../stages/run-job.js";
import { forEachBounded } from "./bounded.js";
import { commitsOf } from "./commits.js";
import type { Run, ShardOf } from "./create-run.js";
import type { IncomingItem, IncomingSource } from "./incoming.js";
import { type RunProgress, stepProgress } from "./progress.js";
import { stopOf } from "./stop-of.js";

export interface TakeInOptions {
  readonly sources: readonly IncomingSource[];
  readonly limit: number;
  readonly shard: ShardOf | undefined;
  readonly retryFailed: boolean;
  /** Read everything again, known or not. */
  readonly again: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: RunProgress) => void) | undefined;
}

/** Goes through the sources and takes in what is not known. A source that has not changed since it was gone through to its end is not opened. */
export async function takeIn(run: Run, options: TakeInOptions): Promise<void> {
  const { ledger, config } = run;
  const { sources, limit, shard, retryFailed, again, signal, onProgress } = options;
  const progress = stepProgress("ingest", undefined, onProgress);
  const commits = commitsOf(ledger);
  let left = limit;
  const finished: { readonly index: number; readonly whole: string | undefined }[] = [];
  ledger.transaction(() => ledger.beginRun());
  for (const [index, source] of sources.entries()) {
    if (left <= 0) break;
    signal?.throwIfAborted();
    const note = `source ${index}`;
    const settings = shortHash(canonicalJson([config.sources[index] ?? index, config.ingest ?? {}]));
    const state = await source.state();
    const whole = state === undefined ? undefined : shortHash(settings, state);
    if (!again && whole !== undefined && ledger.note(note) === whole && !(retryFailed && hasFailures(run, index))) {
      left -= ledger.transaction(() => ledger.enterSource(index, left));
      stopKnown(run, index, progress.count);
      continue;
    }
    let position = 0;
    const pending = new Set<string>();
    const mine = (key: string) => !shard || Number.parseInt(shortHash(key).slice(0, 8), 16) % shard.count === shard.index;
    const wanted = async function* (): AsyncGenerator<{ readonly item: IncomingItem; readonly position: number }, void, void> {
      for await (const item of source.items(signal)) {
        if (!isKey(item.key))
          throw new DatasetError("invalid-config", `ingest: expected a key of letters, digits, "_" and "-", got ${JSON.stringify(item.key)}`);
        if (!mine(item.key)) continue;
        if (pending.has(item.key) || ledger.isLive(item.key))
          throw new DatasetError("invalid-config", `ingest: two items have the key ${item.key}; give each source a name of its own`);
        pending.add(item.key);
        yield { item, position: position++ };
        if (--left <= 0) return;
      }
    };
    await forEachBounded(wanted(), { limit: run.workers * 2 + 2, signal }, async ({ item, position: at }) => {
      const { key, location, input } = item;
      const earlier = ledger.result(key, "ingest");
      const known = !again && earlier?.input === input && earlier.config === settings && !(retryFailed && "code" in earlier.result);
      const result = known ? earlier.result : await resultOf(item, run, signal);
      const record: ResultRecord = {
        key,
        stage: "ingest",
        attempt: known ? earlier.attempt : attemptAfter(earlier, input, settings),
        input,
        config: settings,
        ...(result.outcome === "done" && { hash: shortHash(canonicalJson(result.row)) }),
        result,
      };
      commits.add(() => {
        ledger.enter({ key, source: index, position: at, location });
        if (!known) ledger.record(record);
        if (result.outcome !== "done") ledger.stop(key, stopOf("ingest", result));
        pending.delete(key);
      });
      progress.count(result.outcome, known);
    }).finally(() => commits.flush());
    // Cut off by the limit, the source may hold more; what it holds no longer is only known at its end.
    if (left > 0) finished.push({ index, whole });
  }
  // At last and at once: an item that moved from one source to another is met before it is missed.
  ledger.transaction(() => {
    for (const { index, whole } of finished) {
      ledger.forgetOthers(index);
      ledger.setNote(`source ${index}`, whole);
    }
  });
  progress.end();
}

export function attemptAfter(earlier: ResultRecord | undefined, input: string, config: string): number {
  return earlier && earlier.input === input && earlier.config === config && "code" in earlier.result ? earlier.attempt + 1 : 1;
}

async function resultOf(item: IncomingItem, run: Run, signal: AbortSignal | undefined): Promise<StageResult> {
  try {
    return await item.ingest({ files: run.files, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    return failureOf(error);
  }
}

function hasFailures(run: Run, source: number): boolean {
  return run.ledger.failures("ingest", source) > 0;
}

/** Items of a source that is not opened: those that were refused are so again. */
function stopKnown(run: Run, source: number, count: (outcome: StageResult["outcome"], known: boolean) => void): void {
  run.ledger.transaction(() => {
    for (const { key, source: of } of run.ledger.items()) {
      if (of !== source) continue;
      const result = run.ledger.result(key, "ingest")?.result;
      if (!result)
        throw new DatasetError("ledger", `ingest: ${key} has no result, though its source was gone through: start again with --from ingest`);
      if (result.outcome !== "done") run.ledger.stop(key, stopOf("ingest", result));
      count(result.outcome, true);
    }
  });
}
