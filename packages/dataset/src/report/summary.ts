import { ArgumentError } from "@refadgen/errors";
import type { Json } from "../contract.js";
import type { CategoryCounts, DatasetReportData, ScoreColumn } from "./data.js";
import { tableOneCounts, tableOneTotal } from "./table-one.js";

/** A category's counts beside those of the paper; a category that only one of the two has is 0 in the other. */
export interface ComparedCategory extends CategoryCounts {
  /** Rows in Table 1; absent for a category that it does not have. */
  readonly tableOne?: number;
}

export interface ScoreSummary {
  readonly name: string;
  readonly unit?: string;
  readonly meaning?: string;
  readonly better: ScoreColumn["better"];
  readonly least?: number;
  readonly most?: number;
  /** Items with a value. */
  readonly measured: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** Counts of `histogramBins` equal bins from `from` to `to`; what lies beyond is in the first and the last. */
  readonly histogram: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
  /** Items outside this score's thresholds. */
  readonly rejects: number;
  /** Of these, items inside all others'. */
  readonly rejectsAlone: number;
}

/** Everything of a report but its pictures. */
export interface ReportSummary {
  readonly title: string;
  readonly facts: { readonly [name: string]: string | number };
  readonly stages: DatasetReportData["stages"];
  readonly items: number;
  readonly triplets: number;
  readonly rows: number;
  readonly categories: readonly ComparedCategory[];
  readonly rejections: readonly { readonly stage: string; readonly code: string; readonly message: string; readonly count: number }[];
  readonly failures: DatasetReportData["failures"];
  readonly scores: readonly ScoreSummary[];
  /** Items inside all thresholds, of those that have scores. */
  readonly passing: { readonly items: number; readonly of: number };
  readonly duplicates: { readonly clusters: number; readonly items: number };
  readonly settings: Json;
  readonly notes: readonly string[];
}

export const histogramBins = 48;

/** @throws ArgumentError for columns of different lengths or counts that are none */
export function summarise(data: DatasetReportData): ReportSummary {
  const lengths = new Set(data.scores.map(({ values }) => values.length));
  if (lengths.size > 1) throw new ArgumentError(`datasetReport: expected as many values in every score, got ${[...lengths].join(", ")}`);
  for (const { stage, done, rejected, failed, waiting } of data.stages) {
    if (![done, rejected, failed, waiting].every((count) => Number.isSafeInteger(count) && count >= 0)) {
      throw new ArgumentError(`datasetReport: expected counts of stage ${stage}, got ${[done, rejected, failed, waiting].join(", ")}`);
    }
  }
  for (const { name, least, most } of data.scores) {
    const wrong = [least, most].find((threshold) => threshold !== undefined && !Number.isFinite(threshold));
    if (wrong !== undefined) throw new ArgumentError(`datasetReport: expected thresholds of ${name} to be numbers, got ${wrong}`);
  }
  const [first] = data.stages;
  const items = first ? first.done + first.rejected + first.failed + first.waiting : 0;
  const total = (of: "triplets" | "rows") => data.categories.reduce((sum, category) => sum + category[of], 0);
  const [size = 0] = lengths;
  const { outside, fails } = failing(data.scores, size);
  return {
    title: data.title,
    facts: data.facts ?? {},
    stages: data.stages,
    items,
    triplets: total("triplets"),
    rows: total("rows"),
    categories: compared(data.categories),
    rejections: byCount(data.rejections).map(({ stage, code, message, count }) => ({ stage, code, message, count })),
    failures: byCount(data.failures),
    scores: data.scores.map((column, index) => scoreSummary(column, outside[index]!, fails)),
    passing: { items: fails.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0), of: size },
    duplicates: { clusters: data.duplicates.clusters, items: data.duplicates.items },
    settings: data.settings,
    notes: data.notes ?? [],
  };
}

/** Whether a value is refused by the column's thresholds. */
function isOutside(value: number | null | undefined, { least, most }: Pick<ScoreColumn, "least" | "most">): boolean {
  if (value === null || value === undefined || !Number.isFinite(value)) return false;
  return (least !== undefined && value < least) || (most !== undefined && value > most);
}

function failing(columns: readonly ScoreColumn[], size: number): { readonly outside: readonly Uint8Array[]; readonly fails: Uint8Array } {
  const fails = new Uint8Array(size);
  const outside = columns.map((column) => {
    const own = new Uint8Array(size);
    for (let item = 0; item < size; item++) {
      if (!isOutside(column.values[item], column)) continue;
      own[item] = 1;
      fails[item] = Math.min(255, fails[item]! + 1);
    }
    return own;
  });
  return { outside, fails };
}

function scoreSummary(column: ScoreColumn, outside: Uint8Array, fails: Uint8Array): ScoreSummary {
  const { name, unit, meaning, better, least, most } = column;
  const sorted = measuredValues(column);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  // A handful of outliers would squeeze everything else into one bar.
  const from = Math.min(at(0.002), least ?? Number.POSITIVE_INFINITY);
  const to = Math.max(at(0.998), most ?? Number.NEGATIVE_INFINITY);
  const counts = new Array<number>(histogramBins).fill(0);
  for (const value of sorted) {
    const bin = to > from ? Math.floor(((value - from) / (to - from)) * histogramBins) : 0;
    counts[Math.min(histogramBins - 1, Math.max(0, bin))]!++;
  }
  let [rejects, rejectsAlone] = [0, 0];
  for (let item = 0; item < outside.length; item++) {
    if (outside[item] === 0) continue;
    rejects++;
    if (fails[item] === 1) rejectsAlone++;
  }
  return {
    name,
    ...(unit !== undefined && { unit }),
    ...(meaning !== undefined && { meaning }),
    better,
    ...(least !== undefined && { least }),
    ...(most !== undefined && { most }),
    measured: sorted.length,
    low: at(0),
    median: at(0.5),
    high: at(1),
    histogram: { from, to, counts },
    rejects,
    rejectsAlone,
  };
}

/** In ascending order, without those that are missing. */
export function measuredValues({ values }: ScoreColumn): Float64Array {
  const found = new Float64Array(values.length);
  let count = 0;
  for (let item = 0; item < values.length; item++) {
    const value = values[item];
    if (value !== null && value !== undefined && Number.isFinite(value)) found[count++] = value;
  }
  return found.subarray(0, count).sort();
}

function compared(categories: readonly CategoryCounts[]): ComparedCategory[] {
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replaceAll(/[_\s-]+/g, " ")
      .trim()
      .replace(/s$/, "");
  const left = new Map(Object.entries(tableOneCounts).map(([name, count]) => [plain(name), { name, count }]));
  const ours = [...categories]
    .sort((a, b) => (a.category < b.category ? -1 : 1))
    .map((category): ComparedCategory => {
      const match = left.get(plain(category.category));
      left.delete(plain(category.category));
      return match ? { ...category, tableOne: match.count } : category;
    });
  const absent = [...left.values()].map(({ name, count }) => ({ category: name.toLowerCase(), items: 0, triplets: 0, rows: 0, tableOne: count }));
  return [...ours, ...absent];
}

/** What Table 1 would have of this many rows. */
export function tableOneShare(count: number): number {
  return count / tableOneTotal;
}

function byCount<T extends { readonly count: number; readonly code: string; readonly stage: string }>(groups: readonly T[]): T[] {
  return [...groups].sort((a, b) => b.count - a.count || (`${a.stage} ${a.code}` < `${b.stage} ${b.code}` ? -1 : 1));
}
