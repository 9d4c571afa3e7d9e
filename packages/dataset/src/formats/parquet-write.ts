import { ArgumentError } from "@refadgen/errors";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Triplet } from "../contract.js";
import { tripletChecker } from "./check-triplet.js";
import type { DatasetIndex } from "./index-file.js";
import { encodeMask } from "./mask-file.js";
import { zeroPadded } from "./names.js";
import { type Output, type OutputFile, type SplitName, splitName, type WriteOptions, writeDataset } from "./output.js";
import { columnSettings, huggingFaceFeatures, parquetColumns, parquetSchema } from "./parquet-schema.js";
import { pictureExtension } from "./picture-type.js";
import { type ShardLimits, shardLimits } from "./webdataset-write.js";

export interface WriteParquetOptions extends WriteOptions, ShardLimits {
  /** Triplets that are written, and held in memory, together. Default 64, fewer where they come to more than 64 MiB. */
  readonly rowGroupTriplets?: number;
}

/** Picture columns of a row group: a file's bytes and its name. */
interface ImageCell {
  readonly bytes: Uint8Array;
  readonly path: string;
}

type Row = Readonly<Record<string, unknown>>;

const largestRowGroup = 64 * 2 ** 20;
const pageBytes = 2 ** 20;

/**
 * Writes `train-000000.parquet`, `test-000000.parquet` (`all-…` for triplets in neither), and at last `index.json` with their sizes and digests.
 * The same triplets give the same bytes.
 *
 * One row is a triplet: `key`, `category`, `split`, `captions`, the pictures `ad`, `product` and `mask` in Hugging Face's layout, the lists
 * `variants`, `variant_index`, `variant_kind`, `variant_masks` (empty where the variant uses the triplet's mask), and `extra` as JSON.
 *
 * @throws ArgumentError for a triplet that is not what its type says, or a key that comes twice; DatasetError `storage`
 */
export async function writeParquet(folder: string, triplets: AsyncIterable<Triplet>, options: WriteParquetOptions = {}): Promise<DatasetIndex> {
  const { rowGroupTriplets = 64, signal, onProgress } = options;
  const limits = shardLimits("writeParquet", options);
  if (!Number.isSafeInteger(rowGroupTriplets) || rowGroupTriplets < 1)
    throw new ArgumentError(`writeParquet: expected rowGroupTriplets to be a positive integer, got ${String(rowGroupTriplets)}`);
  return writeDataset(folder, "parquet", async (output) => {
    const check = tripletChecker("writeParquet");
    const shards = new Map<SplitName, ParquetShard>();
    const numbers = new Map<SplitName, number>();
    let count = 0;
    for await (const triplet of triplets) {
      signal?.throwIfAborted();
      const split = splitName(triplet);
      const { row, bytes } = await rowOf(check(triplet));
      let shard = shards.get(split);
      if (shard && (shard.triplets >= limits.maxTriplets || shard.bytes + bytes > limits.maxBytes)) {
        await shard.finish();
        shard = undefined;
      }
      if (!shard) {
        const number = numbers.get(split) ?? 0;
        numbers.set(split, number + 1);
        shard = await openShard(output, split, number, rowGroupTriplets);
        shards.set(split, shard);
      }
      await shard.add(row, bytes);
      count++;
      onProgress?.({ triplets: count, bytes: output.bytes });
    }
    for (const shard of shards.values()) await shard.finish();
    return count;
  });
}

interface ParquetShard {
  readonly triplets: number;
  /** Of pictures and texts, written or waiting. */
  readonly bytes: number;
  add(row: Row, bytes: number): Promise<void>;
  finish(): Promise<void>;
}

async function openShard(output: Output, split: SplitName, number: number, rowGroupTriplets: number): Promise<ParquetShard> {
  const file = await output.create(`${split}-${zeroPadded(number, 6)}.parquet`);
  const writer = fileWriter(file);
  const parquet = new ParquetWriter({
    writer,
    schema: parquetSchema,
    kvMetadata: [{ key: "huggingface", value: huggingFaceFeatures }],
    createdBy: "refadgen",
  });
  let rows: Row[] = [];
  let waiting = 0;
  let [triplets, total] = [0, 0];
  const writeGroup = async (): Promise<void> => {
    if (rows.length === 0) return;
    const columnData = parquetColumns.map((name) => ({ name, data: rows.map((row) => row[name]), ...columnSettings(name) }));
    await parquet.write({ columnData, rowGroupSize: rows.length, pageSize: pageBytes });
    rows = [];
    waiting = 0;
  };
  return {
    get triplets() {
      return triplets;
    },
    get bytes() {
      return total;
    },
    async add(row, bytes) {
      if (rows.length >= rowGroupTriplets || (rows.length > 0 && waiting + bytes > largestRowGroup)) await writeGroup();
      rows.push(row);
      waiting += bytes;
      triplets++;
      total += bytes;
    },
    async finish() {
      await writeGroup();
      await parquet.finish();
      await file.finish({ triplets, ...(split !== "all" && { split }) });
    },
  };
}

/** Collects a row group in memory and hands it to the file when it is whole. */
function fileWriter(file: OutputFile): ByteWriter & { flush(): Promise<void> } {
  const writer = new ByteWriter(pageBytes);
  const flush = async (): Promise<void> => {
    const bytes = new Uint8Array(writer.buffer, 0, writer.index);
    writer.index = 0;
    await file.write(bytes);
  };
  return Object.assign(writer, { flush, finish: flush });
}

async function rowOf(triplet: Triplet): Promise<{ readonly row: Row; readonly bytes: number }> {
  const { key, category, split, captions, ad, product, mask, variants, extra } = triplet;
  let total = 0;
  const cell = (name: string, bytes: Uint8Array, extension: string): ImageCell => {
    total += bytes.length;
    return { bytes, path: `${key}.${name}.${extension}` };
  };
  const picture = (name: string, { bytes, type }: Triplet["ad"]): ImageCell => cell(name, bytes, pictureExtension(type));
  const json = extra ? JSON.stringify(extra) : undefined;
  const masks: (ImageCell | null)[] = [];
  for (const variant of variants)
    masks.push(variant.mask ? cell(`mask_${zeroPadded(variant.index, 2)}`, await encodeMask(variant.mask, "png"), "png") : null);
  const row = {
    key,
    category,
    split: split ?? null,
    captions,
    ad: picture("ad", ad),
    product: picture("product", product),
    mask: cell("mask", await encodeMask(mask, "png"), "png"),
    variant_index: variants.map(({ index }) => index),
    variant_kind: variants.map(({ kind }) => kind),
    variants: variants.map((variant) => picture(`product_${zeroPadded(variant.index, 2)}`, variant.product)),
    variant_masks: masks,
    extra: json ?? null,
  };
  return { row, bytes: total + (json?.length ?? 0) };
}
