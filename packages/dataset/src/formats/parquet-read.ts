import { type AsyncBuffer, type FileMetaData, parquetReadObjects } from "hyparquet";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { extra, object, split, text, texts, variantIndex, variantKind, wrong } from "./fields.js";
import { createFilePool, type FilePool } from "./file-pool.js";
import { isKey, zeroPadded } from "./names.js";
import { compressors, openParquetFile, parsing } from "./parquet-file.js";
import { parquetColumns } from "./parquet-schema.js";
import { fingerprintOf, listShards, type Shard } from "./shard-list.js";
import {
  defaultMaxFileBytes,
  type ReadOptions,
  readSource,
  type StoredFile,
  type StoredTriplet,
  type StoredVariant,
  type TripletSource,
} from "./stored.js";

/**
 * The triplets of Parquet files: of a folder, by its index if it has one, or those listed.
 *
 * Files of other tools need the columns `ad`, `mask` and `product` or `variants`, as pictures in Hugging Face's layout or as plain bytes, and
 * `category` (or `image_type`). Without `key` the number of the row is the key; captions may be called `image_text`, `text` or `caption`; variants
 * without `variant_index` are numbered from 0.
 *
 * @throws DatasetError `format` naming file, row and column; `too-large`; `unreadable`
 */
export function readParquet(source: string | readonly string[], options: ReadOptions = {}): AsyncGenerator<Triplet, void, void> {
  return readSource(openParquet(source, options), options);
}

interface ParquetShard {
  readonly shard: Shard;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of the first row in the whole data set. */
  readonly first: number;
}

/** Parquet files for access in any order; a row is read by its pages where the file says where they lie, else by its row group. */
export async function openParquet(source: string | readonly string[], options: ReadOptions = {}): Promise<TripletSource> {
  const shards = await listShards("openParquet", source, "parquet", [".parquet"]);
  const pool = createFilePool();
  const opened: ParquetShard[] = [];
  let first = 0;
  try {
    for (const shard of shards) {
      options.signal?.throwIfAborted();
      const one = await openShard(pool, shard, first);
      opened.push(one);
      first += one.rows;
    }
  } catch (error) {
    await pool.dispose();
    throw error;
  }
  const locate = (index: number): ParquetShard => {
    const found = opened.findLast((shard) => shard.first <= index && index < shard.first + shard.rows);
    if (!found) throw new DatasetError("format", `openParquet: no triplet ${index}`);
    return found;
  };
  const read = (shard: ParquetShard, rowStart: number, rowEnd: number, columns: readonly string[]): Promise<Readonly<Record<string, unknown>>[]> =>
    parsing(`${shard.shard.path}: rows ${rowStart} to ${rowEnd - 1}`, () =>
      parquetReadObjects({
        file: shard.file,
        metadata: shard.metadata,
        columns: [...columns],
        rowStart,
        rowEnd,
        utf8: false,
        useOffsetIndex: true,
        compressors,
      }),
    );
  // Neighbours are mostly asked for one after the other, and a file without an index of pages gives a row group at once.
  let group:
    | { readonly shard: ParquetShard; readonly start: number; readonly rows: Promise<readonly Readonly<Record<string, unknown>>[]> }
    | undefined;
  const rowAt = async (index: number): Promise<{ readonly shard: ParquetShard; readonly row: Readonly<Record<string, unknown>> }> => {
    const shard = locate(index);
    const local = index - shard.first;
    const range = rowGroupOf(shard.metadata, local);
    if (range.bytes > largestKept) {
      const [row] = await read(shard, local, local + 1, shard.columns);
      return { shard, row: row! };
    }
    if (group?.shard !== shard || group.start !== range.start) {
      const rows = read(shard, range.start, range.end, shard.columns);
      rows.catch(() => undefined);
      group = { shard, start: range.start, rows };
    }
    return { shard, row: (await group.rows)[local - range.start]! };
  };
  return {
    length: first,
    fingerprint: fingerprintOf("parquet", shards),
    runs: opened.map(({ rows }) => rows),
    async variantCounts() {
      const counts = new Uint8Array(first);
      for (const shard of opened) {
        const column = ["variant_index", "variants"].find((name) => shard.columns.includes(name));
        if (column === undefined) continue;
        for (let start = 0; start < shard.rows; start = rowGroupOf(shard.metadata, start).end) {
          options.signal?.throwIfAborted();
          const rows = await read(shard, start, rowGroupOf(shard.metadata, start).end, [column]);
          for (const [at, row] of rows.entries()) counts[shard.first + start + at] = Array.isArray(row[column]) ? row[column].length : 0;
        }
      }
      return counts;
    },
    splitOf: (index) => locate(index).shard.split,
    async get(index) {
      const { shard, row } = await rowAt(index);
      return storedRow(shard.shard, index - shard.first, index, row, options);
    },
    dispose: () => pool.dispose(),
  };
}

/** Row groups up to this size are kept in memory, one at a time. */
const largestKept = 64 * 2 ** 20;

function rowGroupOf({ row_groups }: FileMetaData, row: number): { readonly start: number; readonly end: number; readonly bytes: number } {
  let start = 0;
  for (const { num_rows, total_byte_size } of row_groups) {
    const end = start + Number(num_rows);
    if (row < end) return { start, end, bytes: Number(total_byte_size) };
    start = end;
  }
  throw new DatasetError("format", `openParquet: no row ${row}`);
}

async function openShard(pool: FilePool, shard: Shard, first: number): Promise<ParquetShard> {
  const { file, metadata, rows } = await openParquetFile(pool, shard);
  const present = new Set(metadata.row_groups[0]?.columns.map(({ meta_data }) => meta_data?.path_in_schema[0]));
  return { shard, file, metadata, columns: [...parquetColumns, ...aliases].filter((name) => present.has(name)), rows, first };
}

const aliases: readonly string[] = ["image_type", "image_text", "text", "caption"];

function storedRow(
  { path, split: splitOfShard }: Shard,
  local: number,
  index: number,
  row: Readonly<Record<string, unknown>>,
  options: ReadOptions,
): StoredTriplet {
  const where = `${path}: row ${local}`;
  const key = row.key === undefined ? zeroPadded(index, 8) : text(`${where}: key`, row.key);
  if (!isKey(key)) throw wrong(`${where}: key`, 'letters, digits, "_" and "-"', key);
  const named = (name: string) => `${where} (${key}): ${name}`;
  const variants = variantsOf(named, row, options);
  const product = imageCell(named("product"), row.product, options) ?? variants[0]?.product;
  const needed = (name: string, file: StoredFile | undefined): StoredFile => {
    if (!file) throw wrong(named(name), "a picture", undefined);
    return file;
  };
  const splitNamed = split(named("split"), row.split) ?? splitOfShard;
  const more = extra(named("extra"), row.extra);
  return {
    key,
    category: text(named("category"), row.category ?? row.image_type),
    captions: texts(named("captions"), row.captions ?? row.image_text ?? row.text ?? row.caption ?? []),
    ad: needed("ad", imageCell(named("ad"), row.ad, options)),
    product: needed("product", product),
    mask: needed("mask", imageCell(named("mask"), row.mask, options)),
    variants,
    ...(splitNamed && { split: splitNamed }),
    ...(more && { extra: more }),
  };
}

function variantsOf(named: (name: string) => string, row: Readonly<Record<string, unknown>>, options: ReadOptions): readonly StoredVariant[] {
  const pictures = list(named("variants"), row.variants);
  const [indices, kinds, masks] = ["variant_index", "variant_kind", "variant_masks"].map((name) => {
    const values = list(named(name), row[name]);
    if (values.length !== 0 && values.length !== pictures.length)
      throw wrong(named(name), `${pictures.length} values, one per variant`, values.length);
    return values;
  });
  const seen = new Set<number>();
  return pictures.map((cell, at): StoredVariant => {
    const index = indices![at] === undefined ? at : variantIndex(named(`variant_index[${at}]`), indices![at]);
    if (seen.has(index)) throw wrong(named("variant_index"), "every number once", index);
    seen.add(index);
    const product = imageCell(named(`variants[${at}]`), cell, options);
    if (!product) throw wrong(named(`variants[${at}]`), "a picture", cell);
    const mask = imageCell(named(`variant_masks[${at}]`), masks![at], options);
    const kind = kinds![at] === undefined ? (mask ? "view" : "degraded") : variantKind(named(`variant_kind[${at}]`), kinds![at]);
    return { index, kind, product, ...(mask && { mask }) };
  });
}

function list(where: string, value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(where, "a list", typeof value);
  return value;
}

/** Hugging Face's `{bytes, path}`, or bytes alone. A path without bytes leads out of the file and is not followed. */
function imageCell(where: string, value: unknown, { maxFileBytes = defaultMaxFileBytes }: ReadOptions): StoredFile | undefined {
  if (value === undefined || value === null) return undefined;
  const bytes = value instanceof Uint8Array ? value : object(where, value).bytes;
  if (bytes === undefined || bytes === null) {
    if (Reflect.get(Object(value), "path")) throw wrong(where, "the bytes of a picture", "a path alone");
    return undefined;
  }
  if (!(bytes instanceof Uint8Array)) throw wrong(where, "the bytes of a picture", typeof bytes);
  if (bytes.length > maxFileBytes) throw new DatasetError("too-large", `${where}: expected at most ${maxFileBytes} bytes, got ${bytes.length}`);
  return { where, read: async () => bytes };
}
