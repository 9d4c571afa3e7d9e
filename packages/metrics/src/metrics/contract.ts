import type { Picture } from "../networks/contract.js";

/** The metrics, as reports and the command name them. */
export type MetricName = (typeof metricNames)[number];
export const metricNames = [
  "clip-score",
  "fid",
  "lpips",
  "mp-lpips",
  "image-reward",
  "kid",
  "precision-recall",
  "clip-i",
  "dino-i",
  "psnr",
  "ssim",
  "ms-ssim",
] as const;

/** Whether a smaller or a larger value is the better one. */
export type Direction = "lower" | "higher";

export const metricDirections: Readonly<Record<MetricName, Direction>> = {
  "clip-score": "higher",
  fid: "lower",
  lpips: "lower",
  "mp-lpips": "lower",
  "image-reward": "higher",
  kid: "lower",
  "precision-recall": "higher",
  "clip-i": "higher",
  "dino-i": "higher",
  psnr: "higher",
  ssim: "higher",
  "ms-ssim": "higher",
};

/** One picture's or one pair's score. */
export interface ImageScore {
  /** The name under which it was given: for files their path relative to the folder. */
  readonly name: string;
  /** NaN where the metric is not defined for it (MP-LPIPS without a point); such scores are left out of the mean and counted in a warning. */
  readonly value: number;
}

/** A confidence interval of `value`. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** For instance 0.95. */
  readonly level: number;
  readonly method: "bootstrap";
  readonly resamples: number;
  readonly seed: number;
}

/** A file that was not used, and why. */
export interface SkippedImage {
  readonly name: string;
  /** `code` of the error: `truncated`, `malformed`, `unsupported`, `limit`, …; of `ImageError` where it concerns the picture. */
  readonly code: string;
  readonly reason: string;
}

/** What a metric says; plain data, fit for JSON. */
export interface MetricResult {
  readonly metric: MetricName;
  /** Whose conventions were followed: values of two recipes must not be compared. */
  readonly recipe: string;
  /** Everything else that changes the value: level, subset size, epsilon, seed… */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly value: number;
  readonly direction: Direction;
  /** How many pictures or pairs stand behind `value`; for two sets the smaller number. */
  readonly n: number;
  /** By role: `{ real: 5000, generated: 5000 }`, `{ pairs: 100 }`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Other numbers by name: `std` of KID, `recall`, `density`, `coverage`, `refScore` … */
  readonly details: Readonly<Record<string, number>>;
  /** Scores of metrics that have one per picture or pair, in order. */
  readonly perImage?: readonly ImageScore[];
  readonly interval?: Interval;
  readonly skipped: readonly SkippedImage[];
  /** Sentences for people: too few pictures, skipped files, scores that are not defined. */
  readonly warnings: readonly string[];
}

export interface IntervalOptions {
  /** Default 0.95. */
  readonly level?: number;
  /** Default 2000. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
}

export interface ComputeOptions {
  /** Interval of the mean for metrics with a score per picture; `false` leaves it out. Default: with its defaults. */
  readonly interval?: IntervalOptions | false;
  readonly signal?: AbortSignal;
}

export interface UpdateOptions {
  readonly signal?: AbortSignal;
}

/**
 * A metric that is fed batch by batch. `state()` is plain data that can be posted to another thread or process; `merge` of all parts gives
 * what one pass over everything would have given. Parts must have the same metric, recipe, settings and weights.
 */
export interface Accumulator<Batch, State = unknown> {
  readonly metric: MetricName;
  readonly recipe: string;
  /**
   * Takes in a batch. Calls may overlap; what counts as order is the order of the calls.
   *
   * @throws ArgumentError before anything is counted
   */
  update(batch: Batch, options?: UpdateOptions): Promise<void>;
  /** The result so far; more may be added afterwards. */
  compute(options?: ComputeOptions): Promise<MetricResult>;
  state(): State;
  /** @throws ArgumentError when `state` belongs to another metric, recipe, setting or network */
  merge(state: State): void;
}

/** A batch of one of two sets that are compared as a whole (FID, KID, precision and recall). */
export interface SetBatch {
  readonly side: "real" | "generated";
  readonly pictures: readonly Picture[];
}

/** Pairs of a generated picture and what it is compared with (LPIPS, PSNR, SSIM, MS-SSIM, CLIP-I, DINO-I). */
export interface PairBatch {
  readonly generated: readonly Picture[];
  readonly reference: readonly Picture[];
  /** One per pair; default their numbers. */
  readonly names?: readonly string[];
}

/** Pictures with what they should show (CLIP-Score, ImageReward). */
export interface PromptBatch {
  readonly generated: readonly Picture[];
  readonly prompts: readonly string[];
  /** CLIP-Score, recipe `hessel`: reference captions per picture, for RefCLIPScore. */
  readonly references?: readonly (readonly string[])[];
  readonly names?: readonly string[];
}

/** Pictures of a product with the product alone and the places of both (MP-LPIPS). */
export interface MaskedBatch {
  readonly generated: readonly Picture[];
  readonly product: readonly Picture[];
  /** Light where the product is in `product`. */
  readonly productMasks: readonly Picture[];
  /** Light where the product is in `generated`. */
  readonly generatedMasks: readonly Picture[];
  readonly names?: readonly string[];
}

/** How far a one-call function has come. */
export interface MetricProgress {
  readonly metric: MetricName;
  /** `read`: files are listed and hashed; `features`: networks run; `distance`: numbers are computed from features. */
  readonly stage: "read" | "features" | "distance";
  /** Pictures or pairs; for `distance` steps. */
  readonly done: number;
  readonly total?: number;
}
