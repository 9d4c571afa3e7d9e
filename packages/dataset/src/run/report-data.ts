import type { ReportSettings, RunConfig } from "../config/run-config.js";
import type { Json, StoredFile } from "../contract.js";
import type { DuplicateGroup } from "../dedup/find-duplicates.js";
import { canonicalJson, shortHash } from "../ledger/hash.js";
import type { LedgerEntry } from "../ledger/records.js";
import type {
  CategoryCounts,
  DatasetReportData,
  DuplicateCluster,
  FailureCounts,
  PictureSource,
  RejectionCounts,
  ReportTriplet,
  ScoreColumn,
} from "../report/data.js";
import { scoreNames } from "../score/names.js";
import type { Run } from "./create-run.js";
import { thresholdsOf } from "./queries.js";
import { type Step, steps } from "./steps.js";

/** The latest run as the report's data: two passes over the ledger; pictures are read when the page is made. */
export function reportData(run: Run, groups: readonly DuplicateGroup[]): DatasetReportData {
  const settings: ReportSettings = run.config.report ?? {};
  const samples = settings.samples ?? 12;
  const each = settings.picturesEach ?? 8;
  const picture =
    (file: StoredFile): PictureSource =>
    () =>
      run.files.get(file).catch(() => undefined);
  const columns = scoreColumns(run);
  const rejections = new Map<string, Mutable<RejectionCounts>>();
  const failures = new Map<string, Mutable<FailureCounts>>();
  const categories = new Map<string, Mutable<CategoryCounts>>();
  const stopped = new Map<Step, { rejected: number; failed: number; waiting: number }>();
  const drivers = new Map<string, number>();
  const chosen = sampler<LedgerEntry>(samples);
  let [items, index] = [0, 0];
  for (const entry of run.ledger.entries()) {
    items++;
    const { key, stop, rows } = entry;
    const source = rows.ingest && picture(rows.ingest.picture);
    const category = (rows.ingest && run.known(rows.ingest).category) ?? "(none)";
    const counts = getOr(categories, category, () => ({ category, items: 0, triplets: 0, rows: 0, train: 0, test: 0 }));
    counts.items++;
    if (rows.score) {
      for (const { column, values } of columns) values[index] = rows.score[column.name] ?? rows.inspect?.[column.name] ?? Number.NaN;
      index++;
    }
    if (rows.extract) drivers.set(rows.extract.driver, (drivers.get(rows.extract.driver) ?? 0) + 1);
    if (stop) {
      const step = stop.step as Step;
      const count = getOr(stopped, step, () => ({ rejected: 0, failed: 0, waiting: 0 }));
      if (stop.outcome === "rejected") count.rejected++;
      else if (stop.outcome === "waiting") count.waiting++;
      else count.failed++;
      for (const { code, message } of stop.reasons) {
        if (stop.outcome === "rejected") {
          const group = getOr(rejections, `${step} ${code}`, () => ({ stage: stepName(step), code, message, count: 0, samples: [] }));
          group.count++;
          if (source && group.samples.length < each) (group.samples as { key: string; picture: PictureSource }[]).push({ key, picture: source });
        } else {
          const result = entry.results.find(({ stage }) => stage === step)?.result;
          const retryable = result !== undefined && "code" in result && result.retryable;
          const group = getOr(failures, `${step} ${code}`, () => ({ stage: stepName(step), code, message, count: 0, keys: [], retryable }));
          group.count++;
          if (group.keys.length < 8) (group.keys as string[]).push(key);
        }
      }
      continue;
    }
    if (!rows.extract || !rows.caption || !rows.augment) continue;
    counts.triplets++;
    counts.rows += Math.max(1, rows.augment.variants.length);
    if (entry.split === "test") counts.test = (counts.test ?? 0) + 1;
    if (entry.split === "train") counts.train = (counts.train ?? 0) + 1;
    chosen.offer(entry, shortHash("sample", key));
  }
  let left = items;
  const stages = steps
    .filter((step) => step !== "shard" && step !== "report")
    .map((step) => {
      const { rejected = 0, failed = 0, waiting = 0 } = stopped.get(step) ?? {};
      left -= rejected + failed + waiting;
      return { stage: stepName(step), done: left, rejected, failed, waiting };
    });
  const triplet = ({ key, rows, split }: LedgerEntry): ReportTriplet => ({
    key,
    category: run.known(rows.ingest!).category ?? "",
    ...(split && { split }),
    ad: picture(rows.ingest!.picture),
    product: picture(rows.extract!.product),
    mask: picture(rows.extract!.mask),
    variants: rows.augment!.variants.map(({ index: number, kind, product }) => ({ index: number, kind, product: picture(product) })),
    captions: rows.caption!.captions,
  });
  return {
    title: settings.title ?? "Dataset",
    facts: {
      seed: run.config.seed ?? 0,
      taxonomy: run.taxonomy.name,
      ...(drivers.size > 0 && {
        "products found by": [...drivers]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, count]) => `${name} ${count}`)
          .join(", "),
      }),
    },
    stages,
    categories: [...categories.values()].sort((a, b) => (a.category < b.category ? -1 : 1)),
    rejections: [...rejections.values()],
    failures: [...failures.values()],
    scores: columns
      .map(({ column, values }) => ({ ...column, values: values.subarray(0, index) }))
      .filter(({ values }) => values.some((value) => !Number.isNaN(value))),
    duplicates: {
      clusters: groups.length,
      items: groups.reduce((sum, { duplicates }) => sum + duplicates.length + 1, 0),
      samples: clusters(run, groups.slice(0, samples), picture),
    },
    triplets: chosen.taken().map(triplet),
    settings: shownConfig(run.config),
    notes: notesOf(run, drivers, items),
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Under which a step stands in the report. */
function stepName(step: Step): string {
  return step === "filter-product" ? "filter (product)" : step;
}

function scoreColumns(run: Run): readonly { readonly column: Omit<ScoreColumn, "values">; readonly values: Float64Array }[] {
  const thresholds = [...thresholdsOf(run, "score"), ...thresholdsOf(run, "inspect")];
  const { items } = run.ledger.totals();
  return scoreNames.map(({ name, unit, meaning, direction }) => {
    const own = thresholds.filter(({ score }) => score === name);
    const least = largest(own.map((threshold) => threshold.least));
    const most = largest(own.map((threshold) => (threshold.most === undefined ? undefined : -threshold.most)));
    return {
      column: {
        name,
        unit,
        meaning,
        better: direction,
        ...(least !== undefined && { least }),
        ...(most !== undefined && { most: -most }),
      },
      values: new Float64Array(items),
    };
  });
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>((most, value) => (value === undefined || (most !== undefined && most >= value) ? most : value), undefined);
}

function clusters(run: Run, groups: readonly DuplicateGroup[], picture: (file: StoredFile) => PictureSource): DuplicateCluster[] {
  return groups.map(({ kept, duplicates }) => {
    const members = [
      { key: kept, note: "kept" },
      ...duplicates.slice(0, 7).map(({ key, reason, distance }) => ({ key, note: distance === null ? reason : `${reason}, ${distance} bits` })),
    ];
    return {
      size: duplicates.length + 1,
      members: members.flatMap(({ key, note }) => {
        const ingest = run.ledger.item(key)?.rows.ingest;
        return ingest ? [{ key, kept: key === kept, note, picture: picture(ingest.picture) }] : [];
      }),
    };
  });
}

/** Settings as they were given, without what is only true of one machine. */
function shownConfig({ output: _, taxonomy, sources, workers: __, ...rest }: RunConfig): Json {
  const last = (path: string) => path.split(/[\\/]/).at(-1) ?? path;
  const text = canonicalJson({
    ...rest,
    ...(taxonomy !== undefined && { taxonomy: last(taxonomy) }),
    sources: sources.map(({ path, ...source }) => ({ ...source, path: /^https?:/i.test(path) ? path : last(path) })),
  });
  return JSON.parse(text) as Json;
}

function notesOf(run: Run, drivers: ReadonlyMap<string, number>, items: number): string[] {
  const notes: string[] = [];
  if (items === 0) notes.push("The sources hold no pictures.");
  if ([...drivers.keys()].every((name) => ["given", "alpha", "plain-background", "grabcut"].includes(name)) && drivers.size > 0)
    notes.push(
      "Products were found without a model; with a detector and a segmenter (extract.drivers: grounded) fewer pictures are rejected and outlines are finer.",
    );
  if ((run.config.caption?.endpoints ?? []).length === 0)
    notes.push("Captions come from the source or from templates; a vision language model (caption.endpoints) describes what is there.");
  return notes;
}

/** Keeps the few whose draws are the smallest, in the order of their draws: any order of offers gives the same. */
function sampler<T>(count: number): { offer(value: T, draw: string): void; taken(): readonly T[] } {
  let kept: { readonly value: T; readonly draw: string }[] = [];
  return {
    offer(value, draw) {
      const last = kept.at(-1);
      if (kept.length >= count && (!last || draw > last.draw)) return;
      kept = [...kept, { value, draw }].sort((a, b) => (a.draw < b.draw ? -1 : 1)).slice(0, count);
    },
    taken: () => kept.map(({ value }) => value),
  };
}

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const there = map.get(key);
  if (there !== undefined) return there;
  const value = make();
  map.set(key, value);
  return value;
}
