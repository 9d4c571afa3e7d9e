import { availableParallelism } from "node:os";
import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";
import { DatasetError } from "../error.js";
import type { BrokenTriplet, ReadOptions, StoredTriplet, TripletSource } from "../formats/stored.js";
import type { PlannedRow, StreamOptions } from "./adprod.js";
import { checkedDropout, type Draws, type Dropout, drawRow } from "./draws.js";
import type { Position } from "./position.js";
import type { PreparedRow } from "./prepare.js";
import { createPreparePool, type PreparePool } from "./prepare-pool.js";

export interface BatchOptions extends StreamOptions {
  readonly batchSize: number;
  /** Short side after the resize, in pixels. Default 640. */
  readonly shortSide?: number;
  /** Default 640 high and 512 wide. */
  readonly crop?: Size;
  /** Default "random"; "center" for evaluation. */
  readonly cropPlace?: "random" | "center";
  /** Default "random"; "first" for evaluation. */
  readonly caption?: "random" | "first";
  /** Default 5 % image, 5 % text, 5 % both; zeros for evaluation. */
  readonly dropout?: Dropout;
  /** Side of the image encoder's square. Default 224. */
  readonly clipSize?: number;
  /** What becomes of rows at the end of all epochs that do not fill a batch. Default "keep". */
  readonly lastBatch?: "keep" | "drop";
  /** Threads that decode, resize and crop; the batches do not depend on it. Default: one less than processors, at least one; 0 does it in this thread. */
  readonly workers?: number;
  /** Rows that are worked on ahead. Default: twice the workers, and at least a batch. */
  readonly prefetch?: number;
  /** Told of rows that cannot be read, which are passed over. Without it the first one is thrown. */
  readonly onBroken?: (broken: BrokenTriplet) => void;
}

/** Inputs of a training step; B rows, H × W the crop, S the side of the encoder's square. */
export interface TrainingBatch {
  /** B. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  /** `[B, 3, H, W]`, -1 to 1. */
  readonly ad: Float32Array;
  /** `[B, 3, H, W]`, -1 to 1. */
  readonly product: Float32Array;
  /** `[B, 1, H, W]`, 0 and 1. */
  readonly mask: Float32Array;
  /** `[B, 3, S, S]`, CLIP's normalisation; zeros where the image is dropped. */
  readonly clipImage: Float32Array;
  /** Empty where the text is dropped. */
  readonly captions: readonly string[];
  readonly dropImage: readonly boolean[];
  readonly dropText: readonly boolean[];
  readonly keys: readonly string[];
  readonly categories: readonly string[];
  /** Index of the variant, `undefined` for the product itself. */
  readonly variants: readonly (number | undefined)[];
  /** Of the last row. */
  readonly epoch: number;
  /** Of what comes after this batch. */
  readonly position: Position;
}

/** A row that is ready, or the news that it cannot be. */
type Outcome = { readonly planned: PlannedRow } & (
  | { readonly stored: StoredTriplet; readonly draws: Draws; readonly variant: number | undefined; readonly prepared: PreparedRow }
  | { readonly error: unknown }
);
type ReadyRow = Extract<Outcome, { readonly prepared: PreparedRow }>;

/** @throws ArgumentError; DatasetError naming the triplet that cannot be read; the signal's reason */
export async function* trainingBatches(
  source: TripletSource,
  plan: Iterator<PlannedRow, void, void>,
  options: BatchOptions,
  reading: ReadOptions,
): AsyncGenerator<TrainingBatch, void, void> {
  const { batchSize, signal, onBroken, lastBatch = "keep" } = options;
  const settings = checkedSettings(options, reading);
  const workers = options.workers ?? Math.max(availableParallelism() - 1, 1);
  const pool = createPreparePool(workers);
  const prefetch = positive("prefetch", options.prefetch ?? Math.max(2 * workers, batchSize));
  const ahead: Promise<Outcome>[] = [];
  let next = plan.next();
  const fill = (): void => {
    while (!next.done && ahead.length < prefetch) {
      ahead.push(readyRow(source, pool, next.value, settings));
      next = plan.next();
    }
  };
  const aborted = abortion(signal);
  try {
    let rows: ReadyRow[] = [];
    for (fill(); ahead.length > 0; fill()) {
      signal?.throwIfAborted();
      const outcome = await Promise.race([ahead.shift()!, aborted.promise]);
      if ("error" in outcome) {
        const { error, planned } = outcome;
        if (!onBroken || !DatasetError.isInstance(error)) throw error;
        onBroken({ where: `triplet ${planned.triplet}`, error });
        continue;
      }
      rows.push(outcome);
      if (rows.length < batchSize) continue;
      // The next rows are under way while the caller is busy with this batch.
      fill();
      yield collate(rows, settings);
      rows = [];
    }
    if (rows.length > 0 && lastBatch === "keep") yield collate(rows, settings);
  } finally {
    aborted.end();
    await pool.dispose();
    await Promise.allSettled(ahead);
  }
}

interface Settings {
  readonly seed: number | string;
  readonly shortSide: number;
  readonly crop: Size;
  readonly cropPlace: "random" | "center";
  readonly caption: "random" | "first";
  readonly dropout: Required<Dropout>;
  readonly clipSize: number;
  readonly maxPixels: number;
}

function checkedSettings(options: BatchOptions, reading: ReadOptions): Settings {
  positive("batchSize", options.batchSize);
  const { cropPlace = "random", caption = "random", lastBatch = "keep" } = options;
  if (!["random", "center"].includes(cropPlace))
    throw new ArgumentError(`batches: expected cropPlace "random" or "center", got ${String(cropPlace)}`);
  if (!["random", "first"].includes(caption)) throw new ArgumentError(`batches: expected caption "random" or "first", got ${String(caption)}`);
  if (!["keep", "drop"].includes(lastBatch)) throw new ArgumentError(`batches: expected lastBatch "keep" or "drop", got ${String(lastBatch)}`);
  const shortSide = positive("shortSide", options.shortSide ?? 640);
  const { width, height } = options.crop ?? { width: 512, height: 640 };
  const crop = { width: positive("crop.width", width), height: positive("crop.height", height) };
  if (Math.max(width, height) > shortSide)
    throw new ArgumentError(`batches: expected a crop that fits into every picture of short side ${shortSide}, got ${width} × ${height}`);
  return {
    seed: options.seed ?? 0,
    shortSide,
    crop,
    cropPlace,
    caption,
    dropout: checkedDropout(options.dropout),
    clipSize: positive("clipSize", options.clipSize ?? 224),
    maxPixels: reading.maxPixels ?? 64_000_000,
  };
}

function positive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw new ArgumentError(`batches: expected ${name} to be a positive integer, got ${String(value)}`);
  return value;
}

/** Never rejects: what goes wrong is told when its turn comes. */
async function readyRow(source: TripletSource, pool: PreparePool, planned: PlannedRow, settings: Settings): Promise<Outcome> {
  const { shortSide, crop, cropPlace, caption, clipSize, maxPixels } = settings;
  try {
    const stored = await source.get(planned.triplet);
    const { captions, variants } = stored;
    const key = { seed: settings.seed, epoch: planned.epoch, row: planned.row };
    const drawn = drawRow(key, captions.length, variants.length + 1, settings.dropout);
    const draws = caption === "first" ? { ...drawn, caption: Math.min(0, captions.length - 1) } : drawn;
    const product = planned.product === -1 ? draws.product : planned.product;
    const variant = product === 0 ? undefined : variants[product - 1];
    if (product !== 0 && !variant) throw new DatasetError("format", `${stored.key}: expected at least ${product} variants, got ${variants.length}`);
    const files = [stored.ad, (variant ?? stored).product, variant?.mask ?? stored.mask].map((file) => file.read());
    const [ad, productBytes, mask] = (await Promise.all(files)) as [Uint8Array, Uint8Array, Uint8Array];
    const place = cropPlace === "center" ? cropPlace : { down: draws.down, right: draws.right };
    const prepared = await pool.prepare({ key: stored.key, ad, product: productBytes, mask, shortSide, crop, place, clipSize, maxPixels });
    return { planned, stored, draws, variant: variant?.index, prepared };
  } catch (error) {
    return { planned, error };
  }
}

function collate(rows: readonly ReadyRow[], { crop: { width, height }, clipSize }: Settings): TrainingBatch {
  const join = (name: "ad" | "product" | "mask" | "clipImage", length: number): Float32Array => {
    const values = new Float32Array(rows.length * length);
    for (const [at, { prepared, draws }] of rows.entries()) if (name !== "clipImage" || !draws.dropImage) values.set(prepared[name], at * length);
    return values;
  };
  const area = width * height;
  const last = rows.at(-1)!.planned;
  return {
    size: rows.length,
    width,
    height,
    ad: join("ad", 3 * area),
    product: join("product", 3 * area),
    mask: join("mask", area),
    clipImage: join("clipImage", 3 * clipSize * clipSize),
    captions: rows.map(({ stored, draws }) => (draws.dropText ? "" : (stored.captions[draws.caption] ?? ""))),
    dropImage: rows.map(({ draws }) => draws.dropImage),
    dropText: rows.map(({ draws }) => draws.dropText),
    keys: rows.map(({ stored }) => stored.key),
    categories: rows.map(({ stored }) => stored.category),
    variants: rows.map(({ variant }) => variant),
    epoch: last.epoch,
    position: last.position,
  };
}

/** A promise that rejects when the signal aborts. */
function abortion(signal: AbortSignal | undefined): { readonly promise: Promise<never>; end(): void } {
  let end = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    end = () => signal?.removeEventListener("abort", abort);
  });
  promise.catch(() => undefined);
  return { promise, end: () => end() };
}
