/** A value that JSON holds without loss. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A file in the store of a run, found by what is in it. */
export interface StoredFile {
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  readonly type: "image/png" | "image/jpeg" | "image/webp" | "application/json";
}

/** Files by content, shared by all stages and workers of a run. */
export interface FileStore {
  /** Writes under a temporary name and renames; the same bytes twice are one file. */
  put(bytes: Uint8Array, type: StoredFile["type"]): Promise<StoredFile>;
  /** @throws DatasetError `storage` if the file is missing or its content is not what its name says */
  get(file: StoredFile): Promise<Uint8Array>;
}

/** Where an item came from, as it is kept for good. */
export interface Provenance {
  readonly kind: "folder" | "url-list" | "tar" | "webdataset" | "parquet" | "image-folder" | "authors" | "mini";
  /** Path relative to the source, entry of an archive, or address. */
  readonly location: string;
  /** An SPDX name or a sentence. */
  readonly licence?: string;
  /** What the server's headers said about use by machines: `noai`, `noindex`. */
  readonly robots?: readonly string[];
  /** Of the bytes that were read. */
  readonly sha256: string;
  /** EXIF orientation, 1 to 8, that was applied. */
  readonly orientation: number;
  /** Container of the original: `jpeg`, `png`. */
  readonly format: string;
}

/** After `ingest`: a picture upright, sRGB, 8 bits, RGB (RGBA where its alpha is the product's), and what its source said of it. */
export interface IngestRow {
  readonly provenance: Provenance;
  readonly picture: StoredFile;
  readonly width: number;
  readonly height: number;
  /** Name of a category of the taxonomy. */
  readonly category?: string;
  readonly captions?: readonly string[];
  /** The product's mask on the ad's canvas, 8-bit grey PNG, 255 where the product is, if the source has one. */
  readonly mask?: StoredFile;
  /** The product on the ad's canvas, on white, if the source has one. */
  readonly product?: StoredFile;
}

/** Numbers about a picture by name; `null` where a measure could not say anything. See `scoreNames`. */
export type ScoreRow = { readonly [score: string]: number | null };

/** After `fingerprint`: what duplicates are found by. */
export interface FingerprintRow {
  /** Of the decoded pixels and their size. */
  readonly pixels: string;
  /** 64-bit perceptual hashes of the picture, of its mirror image and of its middle and other parts; 16 hexadecimal digits each. */
  readonly hashes: readonly string[];
  /** A very small copy, base64, that verifies what the hashes say. */
  readonly thumbnail?: string;
}

/** After `extract`: the product found in the ad. */
export interface ExtractRow {
  /** Product on white on the ad's canvas, PNG. */
  readonly product: StoredFile;
  /** 8-bit grey PNG of the ad's size, 255 where the product is. */
  readonly mask: StoredFile;
  readonly driver: string;
  readonly score: number;
  readonly reasons: readonly string[];
}

/** After `caption`. */
export interface CaptionRow {
  readonly captions: readonly string[];
  /** What wrote them: a model's name, `template`, `source`. */
  readonly writer: string;
  readonly attempts: number;
}

/** One augmented variant of a product: `_00` to `_04`. */
export interface VariantRow {
  readonly index: number;
  readonly kind: "degraded" | "view";
  readonly product: StoredFile;
  /** Only of kinds that move the outline; else the mask of the item. */
  readonly mask?: StoredFile;
  /** What replays it. */
  readonly record: Json;
}

/** After `augment`. */
export interface AugmentRow {
  readonly variants: readonly VariantRow[];
}

/** Rows by the stage that wrote them. `inspect` holds scores that need the product's mask. */
export interface StageRows {
  readonly ingest: IngestRow;
  readonly score: ScoreRow;
  readonly fingerprint: FingerprintRow;
  readonly extract: ExtractRow;
  readonly inspect: ScoreRow;
  readonly caption: CaptionRow;
  readonly augment: AugmentRow;
}

export type StageName = keyof StageRows;

/** What is known of one item so far. */
export interface Item {
  /** Letters, digits, `_` and `-`; unique in a run; sorts items. */
  readonly key: string;
  readonly rows: { readonly [Name in StageName]?: StageRows[Name] };
}

/** Why an item is left out, as a code to count and a sentence to read. */
export interface Rejection {
  readonly code: string;
  readonly message: string;
}

export type StageOutcome<Row> =
  | { readonly outcome: "done"; readonly row: Row }
  | { readonly outcome: "rejected"; readonly reasons: readonly Rejection[] };

export interface StageContext {
  readonly files: FileStore;
  readonly signal?: AbortSignal;
}

/**
 * A step that looks at one item at a time. It is a pure function of its settings and of the rows it needs: run twice, anywhere, it answers the same
 * bytes. A failure is thrown; `DatasetError.retryable` says whether to try again.
 */
export interface Stage<Name extends StageName> {
  readonly name: Name;
  /** Rows that it reads; when one changes, its own is made again. */
  readonly needs: readonly StageName[];
  /** Everything else that its row depends on. */
  readonly settings: Json;
  run(item: Item, context: StageContext): Promise<StageOutcome<StageRows[Name]>>;
  dispose?(): Promise<void>;
}

/** One finished triplet: what goes into shards and comes out of them, whatever the format. */
export interface Triplet {
  readonly key: string;
  readonly category: string;
  readonly ad: TripletPicture;
  /** The product on white on the ad's canvas. */
  readonly product: TripletPicture;
  readonly mask: TripletMask;
  readonly captions: readonly string[];
  /** Augmented variants of `product`, by index. */
  readonly variants: readonly TripletVariant[];
  readonly split?: "train" | "test";
  /** Anything else worth keeping: provenance, scores, records. */
  readonly extra?: { readonly [key: string]: Json };
}

/** A picture as its file: bytes are kept as they are through every format. */
export interface TripletPicture {
  readonly bytes: Uint8Array;
  readonly type: "image/png" | "image/jpeg" | "image/webp";
}

/** 1 where the product is, `[H, W]`. */
export interface TripletMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface TripletVariant {
  readonly index: number;
  readonly kind: "degraded" | "view";
  readonly product: TripletPicture;
  /** Of kinds that move the outline; else the triplet's own. */
  readonly mask?: TripletMask;
}
