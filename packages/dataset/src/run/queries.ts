import type { Rejection, ScoreRow } from "../contract.js";
import { type DuplicateGroup, type FingerprintedItem, findDuplicates } from "../dedup/find-duplicates.js";
import { applyThresholds, countThresholds, defaultThresholds, type Threshold, type ThresholdCounts } from "../filter/thresholds.js";
import { reason } from "../ledger/ledger.js";
import type { LedgerEntry } from "../ledger/records.js";
import { scoreNames } from "../score/names.js";
import { splitItems } from "../split/split-items.js";
import type { Run } from "./create-run.js";
import { type RunProgress, stepProgress } from "./progress.js";
import type { Step } from "./steps.js";

export interface QueryOptions {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: RunProgress) => void) | undefined;
}

/** Leaves out items without a category that the taxonomy knows: captions and folders need one. */
export async function runCategory(run: Run, options: QueryOptions): Promise<void> {
  await stopEach(run, "category", options, ({ rows }) => {
    const label = rows.ingest?.category;
    if (!rows.ingest || run.known(rows.ingest).category !== undefined) return undefined;
    return label === undefined
      ? reason("category-missing", 'it has no category: give its source one in the config, or set "withoutCategory"')
      : reason("category-unknown", `${JSON.stringify(label)} is no category or synonym of the taxonomy ${run.taxonomy.name}`);
  });
}

/** Leaves out what does not keep to the thresholds of a stage's scores. A person who accepted an item knows better. */
export async function runFilter(run: Run, of: "score" | "inspect", options: QueryOptions): Promise<void> {
  const thresholds = thresholdsOf(run, of);
  await stopEach(run, of === "score" ? "filter" : "filter-product", options, ({ key, rows }) => {
    const scores = rows[of];
    if (!scores || run.ledger.decision(key) === "accepted") return undefined;
    const reasons = applyThresholds(scores, thresholds);
    return reasons.length === 0 ? undefined : reasons;
  });
}

/** What thresholds would do to all items that have scores, before anything is left out. */
export function whatIf(run: Run, thresholds: readonly Threshold[] = run.config.filter?.thresholds ?? defaultThresholds): ThresholdCounts {
  const scored = function* () {
    for (const { key, rows } of run.ledger.entries()) {
      if (!rows.score) continue;
      const category = rows.ingest && run.known(rows.ingest).category;
      const scores: ScoreRow = { ...rows.score, ...rows.inspect };
      yield { key, scores, ...(category !== undefined && { category }) };
    }
  };
  return countThresholds(scored(), thresholds);
}

export function thresholdsOf(run: Run, of: "score" | "inspect"): readonly Threshold[] {
  const stageOf = new Map(scoreNames.map(({ name, stage }) => [name, stage]));
  return (run.config.filter?.thresholds ?? defaultThresholds).filter(({ score }) => stageOf.get(score) === of);
}

/** Finds what shows the same picture; of each group one stays, unless duplicates may. */
export async function runDedup(run: Run, options: QueryOptions): Promise<readonly DuplicateGroup[]> {
  const { ledger, config } = run;
  const { drop = true, ...limits } = config.dedup ?? {};
  const progress = stepProgress("dedup", ledger.totals().going, options.onProgress);
  const items = function* (): Generator<FingerprintedItem, void, void> {
    for (const { key, rows } of ledger.entries({ going: true })) {
      if (!rows.fingerprint || !rows.ingest) continue;
      const { picture, width, height } = rows.ingest;
      const quality = ledger.decision(key) === "accepted" ? 1 : 0;
      yield { key, fingerprint: rows.fingerprint, sha256: picture.sha256, width, height, quality };
    }
  };
  const groups = await findDuplicates(items(), { ...limits, ...(options.signal && { signal: options.signal }) });
  ledger.transaction(() => {
    for (const { kept, duplicates } of groups) {
      ledger.setCluster(kept, kept);
      for (const { key, reason: how, distance } of duplicates) {
        ledger.setCluster(key, kept);
        if (!drop || ledger.decision(key) === "accepted") continue;
        const detail = distance === null || distance === 0 ? "" : `, ${distance} of 64 bits apart`;
        ledger.stop(key, { step: "dedup", outcome: "rejected", reasons: reason("duplicate", `it repeats ${kept} (${how}${detail})`) });
        progress.count("rejected", false);
      }
    }
  });
  progress.end();
  return groups;
}

/** Leaves out what a person rejected. */
export async function runReview(run: Run, options: QueryOptions): Promise<void> {
  await stopEach(run, "review", options, ({ key }) =>
    run.ledger.decision(key) === "rejected" ? reason("reviewer", "a person rejected it") : undefined,
  );
}

/** Divides what is left into training and test. */
export async function runSplit(run: Run, options: QueryOptions, again: boolean): Promise<void> {
  const { ledger, config } = run;
  const { test = 0.1, keep = true } = config.split ?? {};
  const progress = stepProgress("split", ledger.totals().going, options.onProgress);
  const earlier = keep && !again ? ledger.sides() : new Map<string, "train" | "test">();
  const items = function* () {
    for (const { key, cluster, rows } of ledger.entries({ going: true }))
      yield { key, cluster: cluster ?? key, category: (rows.ingest && run.known(rows.ingest).category) ?? "" };
  };
  const sides = splitItems(items(), { test, seed: config.seed ?? 0, earlier });
  ledger.transaction(() => {
    if (again) ledger.forgetSides();
    for (const [key, side] of sides) {
      ledger.setSplit(key, side);
      progress.count("done", false);
    }
  });
  progress.end();
}

/** One pass over the items that are going; those with reasons stop here. */
async function stopEach(
  run: Run,
  step: Step,
  { signal, onProgress }: QueryOptions,
  reasonsOf: (entry: LedgerEntry) => readonly Rejection[] | undefined,
): Promise<void> {
  const progress = stepProgress(step, run.ledger.totals().going, onProgress);
  let stops: { readonly key: string; readonly reasons: readonly Rejection[] }[] = [];
  const write = () => {
    run.ledger.transaction(() => {
      for (const { key, reasons } of stops) run.ledger.stop(key, { step, outcome: "rejected", reasons });
    });
    stops = [];
  };
  for (const entry of run.ledger.entries({ going: true })) {
    const reasons = reasonsOf(entry);
    if (reasons) stops.push({ key: entry.key, reasons });
    progress.count(reasons ? "rejected" : "done", false);
    if (stops.length >= 1000) write();
    if (progress.done % 256 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
  }
  write();
  progress.end();
}
