import { lstat } from "node:fs/promises";
import { basename } from "node:path";
import { parquetReadObjects, parquetSchema } from "hyparquet";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import { DatasetError } from "../error.js";
import { createFilePool } from "../formats/file-pool.js";
import { compressors, openParquetFile, parsing } from "../formats/parquet-file.js";
import { listShards } from "../formats/shard-list.js";
import type { IncomingItem, IncomingSource } from "../run/incoming.js";
import { notesOf, pictureItem, refusedItem } from "./picture-item.js";

/** Columns of pictures, in the order in which they are looked for. */
const pictureColumns = ["image", "ad", "jpg", "png", "webp", "img", "bytes"];
const wordColumns = ["captions", "image_text", "text", "caption", "TEXT", "category", "image_type", "label", "licence", "license", "LICENSE"];
const rowsAtOnce = 64;

/** Columns of the first file. */
export async function parquetColumnsOf(path: string): Promise<readonly string[]> {
  const [first] = await listShards("ingest", path, "parquet", [".parquet"]);
  const pool = createFilePool();
  try {
    const { metadata } = await openParquetFile(pool, first!);
    return parquetSchema(metadata).children.map(({ element }) => element.name);
  } finally {
    await pool.dispose();
  }
}

/** Rows with a picture, in Hugging Face's layout (`{ bytes, path }`) or as plain bytes, and words about it. A row is known by its file and number. */
export function parquetSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    async state() {
      const shards = await listShards("ingest", source.path, "parquet", [".parquet"]);
      const facts = await Promise.all(
        shards.map(async ({ path }) => lstat(path).then(({ size, mtimeMs, ctimeMs }) => [basename(path), size, mtimeMs, ctimeMs])),
      );
      return JSON.stringify(facts);
    },
    async *items(signal) {
      const pool = createFilePool();
      try {
        for (const shard of await listShards("ingest", source.path, "parquet", [".parquet"])) {
          const { path } = shard;
          const { file, metadata, rows: count } = await openParquetFile(pool, shard);
          const present = parquetSchema(metadata).children.map(({ element }) => element.name);
          const picture = pictureColumns.find((name) => present.includes(name));
          if (picture === undefined)
            throw new DatasetError(
              "format",
              `${path}: expected a column of pictures (${pictureColumns.join(", ")}), got ${present.slice(0, 20).join(", ")}`,
            );
          const columns = [picture, ...wordColumns.filter((name) => present.includes(name))];
          for (let start = 0; start < count; start += rowsAtOnce) {
            signal?.throwIfAborted();
            const rowEnd = Math.min(start + rowsAtOnce, count);
            const read = { file, metadata, columns, rowStart: start, rowEnd, utf8: false, useOffsetIndex: true, compressors };
            const rows = await parsing(where(path, start), () => parquetReadObjects(read));
            for (const [at, row] of rows.entries()) yield item(row, picture, where(path, start + at));
          }
        }
      } finally {
        await pool.dispose();
      }
    },
  };

  function item(row: Readonly<Record<string, unknown>>, picture: string, place: string): IncomingItem {
    const value = row[picture];
    const bytes = value instanceof Uint8Array ? value : Reflect.get(Object(value), "bytes");
    if (!(bytes instanceof Uint8Array)) return refusedItem(place, { code: "format", message: `${place} holds no picture in ${picture}` }, prefix);
    const text = Object.fromEntries(
      Object.entries(row).map(([name, one]) => [name, one instanceof Uint8Array ? new TextDecoder().decode(one) : one]),
    );
    return pictureItem({ location: place, bytes, ...notesOf(text) }, source, prefix, limits);
  }
}

const where = (path: string, row: number): string => `${basename(path)}, row ${row + 1}`;
