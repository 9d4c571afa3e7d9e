import * as zlib from "node:zlib";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type AsyncBuffer, type Compressors, type FileMetaData, parquetMetadataAsync } from "hyparquet";
import { DatasetError } from "../error.js";
import type { FilePool } from "./file-pool.js";

/** A Parquet file whose footer has been read and found whole. */
export interface ParquetFile {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rows: number;
}

const largestFooter = 256 * 2 ** 20;

/** @throws DatasetError `format` */
export async function openParquetFile(pool: FilePool, { path, bytes }: { readonly path: string; readonly bytes: number }): Promise<ParquetFile> {
  const file: AsyncBuffer = {
    byteLength: bytes,
    async slice(start, end = bytes) {
      const from = start < 0 ? bytes + start : start;
      if (!(from >= 0 && end >= from && end <= bytes))
        throw new DatasetError("format", `${path}: expected offsets inside the file, got ${from} to ${end}`);
      const part = await pool.read(path, from, end - from);
      return part.buffer.slice(part.byteOffset, part.byteOffset + part.length) as ArrayBuffer;
    },
  };
  const tail = new DataView(bytes < 12 ? new ArrayBuffer(8) : await file.slice(bytes - 8));
  if (tail.getUint32(4, true) !== 0x31524150)
    throw new DatasetError("format", `${path}: expected a Parquet file, which ends in PAR1; it is another kind of file or cut off`);
  const footer = tail.getUint32(0, true);
  if (footer > bytes - 12 || footer > largestFooter)
    throw new DatasetError("format", `${path}: expected a footer inside the file, got one of ${footer} bytes`);
  const metadata = await parsing(path, () => parquetMetadataAsync(file, { geoparquet: false }));
  const rows = Number(metadata.num_rows);
  if (!Number.isSafeInteger(rows) || rows !== metadata.row_groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0))
    throw new DatasetError("format", `${path}: expected as many rows as its row groups have, got ${rows}`);
  return { file, metadata, rows };
}

/** What the parser throws about broken files becomes a typed error. */
export async function parsing<T>(where: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (DatasetError.isInstance(error)) throw error;
    throw new DatasetError("format", `${where}: expected a readable Parquet file (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  }
}

/** Those of Node's own; output is bounded by what the page says its size is. */
export const compressors: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength }),
  ZSTD: (input, maxOutputLength) => {
    // Of Node 22.15 and later.
    const decompress: unknown = Reflect.get(zlib, "zstdDecompressSync");
    if (typeof decompress !== "function") throw new Error("pages compressed by zstd need Node 22.15 or later");
    return decompress(input, { maxOutputLength }) as Uint8Array;
  },
};
