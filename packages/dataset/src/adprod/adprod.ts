import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import type { Triplet, TripletMask } from "../contract.js";
import { DatasetError } from "../error.js";
import { type OpenOptions, openTriplets } from "../formats/open.js";
import { loadMask, loadTriplet, type StoredFile, type StoredTriplet, type TripletSource } from "../formats/stored.js";
import { type BatchOptions, type TrainingBatch, trainingBatches } from "./batches.js";
import { epochOrder, type Rank, rowsOfRank, type Shuffle } from "./order.js";
import { checkPosition, type Position, streamDigest } from "./position.js";
import { decoded } from "./prepare.js";
import { createRows, type Products, type Rows } from "./rows.js";

export interface AdProdOptions extends OpenOptions {
  /** The triplets of one split alone. Default: all. */
  readonly split?: NonNullable<Triplet["split"]>;
  /** What rows a stream goes through. Default "variants", as the authors' loader. */
  readonly products?: Products;
}

/** A triplet whose pictures are decoded when they are asked for. */
export interface AdProdItem extends Pick<Triplet, "key" | "category" | "captions" | "split" | "extra"> {
  /** Number among the triplets that were opened. */
  readonly index: number;
  /** RGB, the pixels of the file: neither EXIF orientation nor profile applied. */
  ad(): Promise<Image>;
  product(): Promise<Image>;
  mask(): Promise<TripletMask>;
  readonly variants: readonly AdProdVariant[];
  /** Everything, pictures as their files. */
  triplet(): Promise<Triplet>;
}

export interface AdProdVariant {
  readonly index: number;
  readonly kind: "degraded" | "view";
  product(): Promise<Image>;
  /** The variant's own, or the triplet's. */
  mask(): Promise<TripletMask>;
}

export interface StreamOptions {
  /** Decides order and draws together with the epoch. Default 0. */
  readonly seed?: number | string;
  /** Default "full". */
  readonly shuffle?: Shuffle;
  /** The first epoch. Default 0. */
  readonly epoch?: number;
  /** How many; Infinity goes on for ever. Default 1. */
  readonly epochs?: number;
  /** Which part of the rows, where several machines read. Default: all. */
  readonly rank?: Rank;
  /** Goes on after what gave this position, in the epochs that were asked for. */
  readonly position?: Position;
  readonly signal?: AbortSignal;
}

/** A row of the stream: a triplet with one of its products. */
export interface StreamedRow {
  readonly item: AdProdItem;
  /** Number of the row in the data set, of which its draws are made. */
  readonly row: number;
  readonly epoch: number;
  /** 0 the product itself, 1 and on its variants in their order, -1 to be drawn. */
  readonly product: number;
  /** Of what comes after it. */
  readonly position: Position;
}

/** A row's number and place, before anything of it is read. */
export interface PlannedRow {
  readonly triplet: number;
  /** Number among the triplets that were opened. */
  readonly place: number;
  readonly product: number;
  readonly row: number;
  readonly epoch: number;
  readonly position: Position;
}

/**
 * A data set of advertisements and products in any of the formats: at random, as a stream, or in batches for training.
 *
 * ```ts
 * const set = await AdProd.open("adprod", { split: "train" });
 * for await (const batch of set.batches({ batchSize: 3, seed: 42 })) step(batch);
 * await set.dispose();
 * ```
 */
export class AdProd {
  /** Number of triplets. */
  readonly length: number;
  /** Number of rows of an epoch: see `products`. */
  readonly rowCount: number;
  readonly #source: TripletSource;
  readonly #chosen: Uint32Array;
  readonly #rows: Rows;
  readonly #options: AdProdOptions;

  private constructor(source: TripletSource, chosen: Uint32Array, rows: Rows, options: AdProdOptions) {
    this.#source = source;
    this.#chosen = chosen;
    this.#rows = rows;
    this.#options = options;
    this.length = chosen.length;
    this.rowCount = rows.length;
  }

  /**
   * Opens a folder with shards, an ImageFolder or the authors' layout; or a list of shards.
   *
   * @throws DatasetError `format` for data sets that are broken or whose writer did not come to its end; `unreadable` if there is none, or none of the
   *   triplets belongs to the split; ArgumentError
   */
  static async open(source: string | readonly string[], options: AdProdOptions = {}): Promise<AdProd> {
    const { split, products = "variants" } = options;
    if (!["variants", "all", "original", "random"].includes(products))
      throw new ArgumentError(`AdProd.open: expected products "variants", "all", "original" or "random", got ${JSON.stringify(products)}`);
    if (split !== undefined && split !== "train" && split !== "test")
      throw new ArgumentError(`AdProd.open: expected split "train" or "test", got ${JSON.stringify(split)}`);
    const opened = await openTriplets(source, options);
    try {
      const all = Uint32Array.from({ length: opened.length }, (_, index) => index);
      const chosen = split === undefined ? all : all.filter((index) => opened.splitOf(index) === split);
      if (split !== undefined && chosen.length === 0)
        throw new DatasetError("unreadable", `AdProd.open: expected triplets of the split ${split}, got none among ${opened.length}`);
      const counts = products === "original" || products === "random" ? new Uint8Array(opened.length) : await opened.variantCounts();
      return new AdProd(opened, chosen, createRows(chosen, opened.runs, counts, products), options);
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  }

  /** @throws ArgumentError for an index that is not 0 to length - 1; DatasetError `format` naming what is broken about the triplet */
  async at(index: number): Promise<AdProdItem> {
    const number = Number.isSafeInteger(index) ? this.#chosen[index] : undefined;
    if (number === undefined) throw new ArgumentError(`AdProd.at: expected an index from 0 to ${this.length - 1}, got ${String(index)}`);
    return itemOf(await this.#source.get(number), index, this.#options);
  }

  /**
   * Rows in the order of their epochs. The order and the position depend on nothing but the options, so that a stream that goes on from a position gives
   * exactly what the interrupted one had still to give.
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<StreamedRow, void, void> {
    for (const { triplet, place, ...rest } of this.#plan(options)) {
      options.signal?.throwIfAborted();
      yield { item: itemOf(await this.#source.get(triplet), place, this.#options), ...rest };
    }
  }

  /**
   * Batches for the trainer: the authors' resize and crop, a caption by chance, dropout; prepared ahead in worker threads. See `BatchOptions`.
   */
  batches(options: BatchOptions): AsyncGenerator<TrainingBatch, void, void> {
    return trainingBatches(this.#source, this.#plan(options), options, this.#options);
  }

  async dispose(): Promise<void> {
    await this.#source.dispose();
  }

  *#plan({
    seed = 0,
    shuffle = "full",
    epoch = 0,
    epochs = 1,
    rank = { index: 0, count: 1 },
    position,
  }: StreamOptions): Generator<PlannedRow, void, void> {
    if (!Number.isSafeInteger(epoch) || epoch < 0) throw new ArgumentError(`stream: expected epoch to be a whole number, got ${String(epoch)}`);
    if (!(epochs === Number.POSITIVE_INFINITY || (Number.isSafeInteger(epochs) && epochs >= 1)))
      throw new ArgumentError(`stream: expected at least one epoch, got ${String(epochs)}`);
    const { split = null, products = "variants" } = this.#options;
    const stream = streamDigest({ dataset: this.#source.fingerprint, length: this.#source.length, split, products, seed, shuffle, rank });
    if (position) checkPosition(position, stream);
    if (this.rowCount === 0) return;
    for (let current = position?.epoch ?? epoch; current < epoch + epochs; current++) {
      const rows = rowsOfRank(epochOrder({ runs: this.#rows.runs, shuffle, seed, epoch: current }), rank);
      const first = current === position?.epoch ? position.row : 0;
      for (let at = first; at < rows.length; at++) {
        const row = rows[at]!;
        const done = at + 1 === rows.length ? { epoch: current + 1, row: 0 } : { epoch: current, row: at + 1 };
        yield { ...this.#rows.at(row), row, epoch: current, position: { version: 1, stream, ...done } };
      }
      if (rows.length === 0) return;
    }
  }
}

function itemOf(stored: StoredTriplet, index: number, options: AdProdOptions): AdProdItem {
  const { key, category, captions, split, extra, variants } = stored;
  const maxPixels = options.maxPixels ?? 64_000_000;
  const picture = async (file: StoredFile): Promise<Image> => decoded(file.where, await file.read(), maxPixels);
  return {
    index,
    key,
    category,
    captions,
    ...(split && { split }),
    ...(extra && { extra }),
    ad: () => picture(stored.ad),
    product: () => picture(stored.product),
    mask: () => loadMask(stored.mask, options),
    variants: variants.map((variant) => ({
      index: variant.index,
      kind: variant.kind,
      product: () => picture(variant.product),
      mask: () => loadMask(variant.mask ?? stored.mask, options),
    })),
    triplet: () => loadTriplet(stored, options),
  };
}
