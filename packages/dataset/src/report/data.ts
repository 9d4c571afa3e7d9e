import type { Json } from "../contract.js";

/** Bytes of a PNG, JPEG or WebP file, or what reads them when they are needed. `undefined`: it is gone. */
export type PictureSource = Uint8Array | (() => Promise<Uint8Array | undefined>);

export interface ReportPicture {
  readonly key: string;
  readonly picture: PictureSource;
}

/** What came of the items that a stage got. */
export interface StageCounts {
  readonly stage: string;
  readonly done: number;
  readonly rejected: number;
  readonly failed: number;
  /** Not looked at yet. */
  readonly waiting: number;
}

export interface CategoryCounts {
  readonly category: string;
  /** Pictures that came in. */
  readonly items: number;
  /** Triplets that came out. */
  readonly triplets: number;
  /** Rows as the paper counts: one for each variant of a triplet. */
  readonly rows: number;
  readonly train?: number;
  readonly test?: number;
}

export interface RejectionCounts {
  readonly stage: string;
  readonly code: string;
  /** One of the reasons in words. */
  readonly message: string;
  readonly count: number;
  readonly samples: readonly ReportPicture[];
}

export interface FailureCounts {
  readonly stage: string;
  readonly code: string;
  readonly message: string;
  readonly count: number;
  /** Some of the items. */
  readonly keys: readonly string[];
  readonly retryable: boolean;
}

/** One score of all items; thresholds may be tried out on it. */
export interface ScoreColumn {
  readonly name: string;
  readonly unit?: string;
  readonly meaning?: string;
  /** Which end is refused: `higher` is better, so low ones are; `between`: both. */
  readonly better: "higher" | "lower" | "between";
  /** Items below are rejected. */
  readonly least?: number;
  /** Items above are rejected. */
  readonly most?: number;
  /** One for each item, in the same order in every column; `null` or NaN where the measure could not say anything, which passes. */
  readonly values: ArrayLike<number | null>;
}

export interface DuplicateCluster {
  /** Of which the first is kept. */
  readonly members: readonly (ReportPicture & { readonly kept: boolean; readonly note?: string })[];
  /** Members in all, shown or not. */
  readonly size: number;
}

export interface ReportTriplet {
  readonly key: string;
  readonly category: string;
  readonly split?: string;
  readonly ad: PictureSource;
  readonly product: PictureSource;
  /** Grey, light where the product is. */
  readonly mask: PictureSource;
  readonly variants: readonly { readonly index: number; readonly kind: string; readonly product: PictureSource }[];
  readonly captions: readonly string[];
}

/** What the report of a run is made from: counts of everything, pictures of a few. */
export interface DatasetReportData {
  readonly title: string;
  /** Said under the title: sources, seed, versions. No times, if two runs should give the same file. */
  readonly facts?: { readonly [name: string]: string | number };
  /** In the order of the run. */
  readonly stages: readonly StageCounts[];
  readonly categories: readonly CategoryCounts[];
  readonly rejections: readonly RejectionCounts[];
  readonly failures: readonly FailureCounts[];
  readonly scores: readonly ScoreColumn[];
  readonly duplicates: { readonly clusters: number; readonly items: number; readonly samples: readonly DuplicateCluster[] };
  readonly triplets: readonly ReportTriplet[];
  readonly settings: Json;
  /** What the reader should know. */
  readonly notes?: readonly string[];
}
