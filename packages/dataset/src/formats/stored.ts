import type { Json, Triplet, TripletMask, TripletVariant } from "../contract.js";
import { DatasetError } from "../error.js";
import { decodeMask } from "./mask-file.js";
import { pictureOf } from "./picture-type.js";

/** A file of a triplet where it lies: a range of a shard, a cell of a table, a file of a folder. */
export interface StoredFile {
  /** For messages. */
  readonly where: string;
  read(): Promise<Uint8Array>;
}

/** A triplet whose pictures and masks are still to be read. */
export interface StoredTriplet {
  readonly key: string;
  readonly category: string;
  readonly captions: readonly string[];
  readonly split?: NonNullable<Triplet["split"]>;
  readonly extra?: { readonly [key: string]: Json };
  readonly ad: StoredFile;
  readonly product: StoredFile;
  readonly mask: StoredFile;
  readonly variants: readonly StoredVariant[];
}

export interface StoredVariant {
  readonly index: number;
  readonly kind: TripletVariant["kind"];
  readonly product: StoredFile;
  readonly mask?: StoredFile;
}

/** A data set of any format, for access in any order. */
export interface TripletSource {
  readonly length: number;
  /** Digest of what tells this data set from another: names and sizes of its files. */
  readonly fingerprint: string;
  /** How many triplets lie together, in order: those of a shard. */
  readonly runs: readonly number[];
  /** How many variants each triplet has. */
  variantCounts(): Promise<Uint8Array>;
  /** Which split each belongs to. */
  splitOf(index: number): Triplet["split"];
  get(index: number): Promise<StoredTriplet>;
  dispose(): Promise<void>;
}

/** Of every reader of triplets. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Told of triplets that cannot be read, which are passed over. Without it the first one is thrown. */
  readonly onBroken?: (broken: BrokenTriplet) => void;
  /** Refuse masks of more pixels, before they are decoded. Default 64 million. */
  readonly maxPixels?: number;
  /** Refuse files of more bytes, before they are read. Default 256 MiB. */
  readonly maxFileBytes?: number;
}

/** A triplet that is left out, and why. */
export interface BrokenTriplet {
  /** The file, and the row or entry in it. */
  readonly where: string;
  readonly error: DatasetError;
}

export const defaultMaxFileBytes: number = 256 * 2 ** 20;

/** Reads everything of a triplet. */
export async function loadTriplet(stored: StoredTriplet, options: Pick<ReadOptions, "maxPixels"> = {}): Promise<Triplet> {
  const { key, category, captions, split, extra } = stored;
  const masks = new Map<StoredFile, Promise<TripletMask>>();
  const variants: TripletVariant[] = [];
  for (const { index, kind, product, mask } of stored.variants) {
    // Variants that share a mask in the store share it in memory.
    if (mask && !masks.has(mask)) masks.set(mask, loadMask(mask, options));
    variants.push({ index, kind, product: await loadPicture(product), ...(mask && { mask: await masks.get(mask)! }) });
  }
  return {
    key,
    category,
    ad: await loadPicture(stored.ad),
    product: await loadPicture(stored.product),
    mask: await loadMask(stored.mask, options),
    captions,
    variants,
    ...(split && { split }),
    ...(extra && { extra }),
  };
}

async function loadPicture(file: StoredFile): Promise<Triplet["ad"]> {
  return pictureOf(file.where, await file.read());
}

export async function loadMask(file: StoredFile, options: Pick<ReadOptions, "maxPixels">): Promise<TripletMask> {
  return decodeMask(file.where, await file.read(), options);
}

/** The triplets of a source in its order. */
export async function* readSource(opening: Promise<TripletSource>, options: ReadOptions): AsyncGenerator<Triplet, void, void> {
  const source = await opening;
  try {
    for (let index = 0; index < source.length; index++) {
      options.signal?.throwIfAborted();
      const triplet = await unlessBroken(`triplet ${index}`, options, async () => loadTriplet(await source.get(index), options));
      if (triplet) yield triplet;
    }
  } finally {
    await source.dispose();
  }
}

/** What `read` gives, or `undefined` if it fails and somebody wants to be told. */
export async function unlessBroken<T>(where: string, { onBroken, signal }: ReadOptions, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    signal?.throwIfAborted();
    if (!onBroken || !DatasetError.isInstance(error)) throw error;
    onBroken({ where, error });
    return undefined;
  }
}
