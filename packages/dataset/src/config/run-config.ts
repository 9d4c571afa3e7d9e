import type { CaptionSettings } from "../caption/settings.js";
import type { Threshold } from "../filter/thresholds.js";
import type { DatasetFormat } from "../formats/index-file.js";
import type { MaskEncoding } from "../formats/mask-file.js";
import type { AugmentStageSettings } from "../stages/augment-stage.js";
import type { ExtractStageSettings } from "../stages/extract-stage.js";

/** Where pictures come from; one entry of `sources`. */
export interface SourceSettings {
  readonly kind: "folder" | "url-list" | "tar" | "webdataset" | "parquet" | "image-folder" | "authors";
  /** File, folder or, for archives and lists, several of them; relative to the config's file. */
  readonly path: string;
  /** Begins the keys of its items; default `s0`, `s1` … with several sources, else nothing. */
  readonly name?: string;
  /** Category of all its items that have none of their own. */
  readonly category?: string;
  /** Kept with each item: an SPDX name or a sentence. */
  readonly licence?: string;
}

/** What may come in. */
export interface IngestSettings {
  /** Bytes of one file. Default 30 MB. */
  readonly maxBytes?: number;
  /** Pixels of one picture, judged by its header. Default 64 000 000. */
  readonly maxPixels?: number;
  /** Pictures of folders are made smaller, to this longer side. Default: they stay as they are. */
  readonly maxSide?: number;
  /** Seconds for one address. Default 20. */
  readonly timeout?: number;
  /** Entries of one archive. Default 1 000 000. */
  readonly maxEntries?: number;
  /** Whether addresses of private networks may be asked, for tests and shops of one's own. Default false. */
  readonly allowPrivate?: boolean;
}

export interface FilterSettings {
  /** In place of `defaultThresholds`. */
  readonly thresholds?: readonly Threshold[];
}

export interface DedupSettings {
  /** `false`: duplicates stay, and are only kept on one side of the split. Default true. */
  readonly drop?: boolean;
  /** Bits in which perceptual hashes may differ. 0 to 16, default 3. */
  readonly radius?: number;
  /** Bits in which they may differ where small copies prove the pictures alike. 0 to 16, default 10. */
  readonly wideRadius?: number;
}

export interface SplitSettings {
  /** Share of the items that are kept for tests. Default 0.1. */
  readonly test?: number;
  /** Whether items keep the side that an earlier run gave them. Default true. */
  readonly keep?: boolean;
}

export interface ShardSettings {
  /** Default `["webdataset"]`. */
  readonly formats?: readonly DatasetFormat[];
  /** Default 1000. */
  readonly maxTriplets?: number;
  /** Default 1 GiB. */
  readonly maxBytes?: number;
  /** Of masks in WebDataset. Default `png`. */
  readonly masks?: MaskEncoding;
}

export interface ReportSettings {
  readonly title?: string;
  /** Pixels of a thumbnail's longer side. Default 224. */
  readonly thumbnail?: number;
  /** Pictures of each reason. Default 8. */
  readonly picturesEach?: number;
  /** Triplets and groups of duplicates that are shown. Default 12. */
  readonly samples?: number;
}

/** A run, as its JSON file says it. */
export interface RunConfig {
  readonly sources: readonly SourceSettings[];
  /** Folder of the ledger, the pictures and what comes out; relative to the config's file. */
  readonly output: string;
  /** Of everything that is drawn. Default 0. */
  readonly seed?: number | string;
  /** Path of a taxonomy of one's own. Default: the 30 categories of Table 1. */
  readonly taxonomy?: string;
  /** What becomes of items without a category: `reject`, or the name of the category that they get. Default `reject`. */
  readonly withoutCategory?: string;
  /** Threads. Default: the processors, at most 16. */
  readonly workers?: number;
  /** Seconds that a stage may take for one item before it is put into quarantine. Default 600. */
  readonly deadline?: number;
  /** Failures in a row, of one stage and one kind, at which the run stops: something is down. Default 50. */
  readonly failuresInARow?: number;
  readonly ingest?: IngestSettings;
  readonly filter?: FilterSettings;
  readonly dedup?: DedupSettings;
  readonly extract?: Omit<ExtractStageSettings, "prompts">;
  readonly caption?: Omit<CaptionSettings, "seed" | "categories">;
  readonly augment?: Omit<AugmentStageSettings, "seed">;
  readonly split?: SplitSettings;
  readonly shard?: ShardSettings;
  readonly report?: ReportSettings;
}
