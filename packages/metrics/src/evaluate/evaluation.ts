import type { ImageScore, MetricName, MetricResult } from "../metrics/contract.js";

/** What `evaluate` found, and what the JSON report holds. Plain data; `schema/evaluation.schema.json` describes its JSON form. */
export interface Evaluation {
  readonly format: "refadgen-metrics";
  /** Raised when a reader of an older version would misread what is written. */
  readonly version: 1;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly tool: { readonly name: "@refadgen/metrics"; readonly version: string };
  /** What people call this run: a model, a commit. */
  readonly label: string;
  /** Where pictures and texts came from, as they were given. */
  readonly inputs: Readonly<Record<string, string>>;
  /** How many files of each role there were, and `pairs`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly metrics: readonly EvaluatedMetric[];
  /** Metrics that were asked for and have no result, because an earlier one missed its threshold (`failFast`). */
  readonly notRun: readonly MetricName[];
  readonly gates: readonly Gate[];
  /** Whether every gate was passed; true when there is none. */
  readonly passed: boolean;
  /** Files without a partner, and pictures without a prompt or mask: they are in no result that needs one. */
  readonly unmatched: readonly UnmatchedFile[];
  /** Files that could not be used, and why; every one once, whatever the number of metrics. */
  readonly skipped: readonly SkippedFile[];
  /** The pictures that were judged; `perImage` of the metrics refers to them by name. */
  readonly items: readonly EvaluatedItem[];
  /** Earlier runs, oldest first: those that the baseline knew of, and the baseline itself. */
  readonly history: readonly HistoryEntry[];
  /** Sentences for people. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/** A metric's result with what it was computed from. */
export interface EvaluatedMetric extends MetricResult {
  readonly networks: readonly { readonly name: string; readonly key: string }[];
  readonly seconds: number;
  /** Scores that came from an earlier run's cache. Metrics of whole sets have none; their features are kept all the same. */
  readonly cached: number;
}

/** A generated picture and what belongs to it. Paths as they were found. */
export interface EvaluatedItem {
  /** The generated file, relative to its folder, with forward slashes. */
  readonly name: string;
  readonly generated: string;
  readonly references: readonly string[];
  readonly prompt?: string;
  /** Light where the product is in the generated picture. */
  readonly mask?: string;
  /** Light where the product is in the references: one for all of them, or one each. */
  readonly productMasks?: readonly string[];
}

/** What a file is to an evaluation. */
export type FileRole = "generated" | "reference" | "real" | "prompt" | "mask" | "product-mask";

export interface UnmatchedFile {
  readonly role: FileRole;
  readonly name: string;
  readonly reason: string;
}

export interface SkippedFile {
  readonly role: FileRole;
  readonly name: string;
  /** As in `SkippedImage`. */
  readonly code: string;
  readonly reason: string;
}

/** A condition that decides between pass and fail. */
export interface Gate {
  readonly kind: "threshold" | "regression";
  readonly metric: MetricName;
  /** The number that is judged: `value`, a detail such as `recall`, or a statistic such as `low`, `median`. */
  readonly quantity: string;
  /** As given: `lpips<0.6`, or `2%`. */
  readonly rule: string;
  readonly actual: number;
  /** The threshold, or the worst value that the baseline allows. */
  readonly limit: number;
  /** Regressions: the baseline's value. */
  readonly baseline?: number;
  /** Regressions with scores per picture in both reports: two-sided, paired. */
  readonly pValue?: number;
  readonly passed: boolean;
  /** One sentence. */
  readonly message: string;
}

/** One earlier run, in few numbers. */
export interface HistoryEntry {
  readonly label: string;
  readonly createdAt: string;
  readonly values: Readonly<Partial<Record<MetricName, number>>>;
}

/** The columns of the paper's Table 3, in its order. */
export const tableMetrics: readonly MetricName[] = ["clip-score", "fid", "image-reward", "mp-lpips", "lpips"];

/** What metrics are called in tables. */
export const metricTitles: Readonly<Record<MetricName, string>> = {
  "clip-score": "CLIP-Score",
  fid: "FID",
  "image-reward": "ImageReward",
  "mp-lpips": "MP-LPIPS",
  lpips: "LPIPS",
  kid: "KID",
  "precision-recall": "P/R F-score",
  "clip-i": "CLIP-I",
  "dino-i": "DINO-I",
  psnr: "PSNR",
  ssim: "SSIM",
  "ms-ssim": "MS-SSIM",
};

/** Scores from worst to best; those that are not defined are left out. */
export function rankedScores(metric: Pick<MetricResult, "direction" | "perImage">): readonly ImageScore[] {
  const sign = metric.direction === "higher" ? 1 : -1;
  const defined = (metric.perImage ?? []).filter(({ value }) => !Number.isNaN(value));
  // Infinities (the PSNR of equal pictures) cannot be subtracted.
  return defined.sort((a, b) => sign * (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
}
