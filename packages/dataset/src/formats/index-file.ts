import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";

export type DatasetFormat = "webdataset" | "parquet" | "image-folder" | "authors";

/** A file of a data set that others are judged by: a shard, or the list of a folder of pictures. */
export interface IndexedFile {
  /** Relative to the data set's folder. */
  readonly file: string;
  readonly split?: NonNullable<Triplet["split"]>;
  readonly triplets: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** `index.json`, written when everything else is in its place: a folder that has it is whole. */
export interface DatasetIndex {
  readonly format: DatasetFormat;
  readonly version: 1;
  readonly triplets: number;
  readonly files: readonly IndexedFile[];
}

export const indexName = "index.json";

/** Stands in the folder while a writer is at work, and after one that was killed. */
export const unfinishedName = "index.json.unfinished";

/**
 * The index of a folder, `undefined` if it has none of ours.
 *
 * @throws DatasetError `format` if the folder's writer has not come to its end, or the index is not what it should be
 */
export async function readIndex(folder: string): Promise<DatasetIndex | undefined> {
  if (await stat(join(folder, unfinishedName)).catch(() => undefined))
    throw new DatasetError("format", `${folder}: expected a finished data set, got one whose writer was stopped or is still at work; write it again`);
  const text = await readFile(join(folder, indexName), "utf8").catch(() => undefined);
  const json = text === undefined ? undefined : parsed(text);
  if (typeof json !== "object" || json === null || !("format" in json && "files" in json && "version" in json)) return undefined;
  const index = json as DatasetIndex;
  const valid =
    index.version === 1 &&
    ["webdataset", "parquet", "image-folder", "authors"].includes(index.format) &&
    Array.isArray(index.files) &&
    index.files.every(({ file, bytes, triplets }) => typeof file === "string" && Number.isSafeInteger(bytes) && Number.isSafeInteger(triplets));
  if (!valid) throw new DatasetError("format", `${join(folder, indexName)}: expected an index of version 1, got another`);
  return index;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Reads all files that the index of a data set lists and compares their size and digest.
 *
 * @throws DatasetError `format` naming the first file that is not as it was written; as `readIndex`
 */
export async function verifyDataset(
  folder: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: { readonly file: string; readonly bytes: number }) => void } = {},
): Promise<DatasetIndex> {
  const index = await readIndex(folder);
  if (!index) throw new DatasetError("format", `verifyDataset: expected ${indexName} in ${folder}, got none`);
  for (const { file, bytes, sha256 } of index.files) {
    const hash = createHash("sha256");
    let length = 0;
    const stream = createReadStream(join(folder, file), options.signal ? { signal: options.signal } : {});
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        length += chunk.length;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new DatasetError("format", `verifyDataset: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    if (length !== bytes) throw new DatasetError("format", `verifyDataset: expected ${bytes} bytes in ${file}, got ${length}`);
    if (hash.digest("hex") !== sha256) throw new DatasetError("format", `verifyDataset: expected other content in ${file}: its SHA-256 differs`);
    options.onProgress?.({ file, bytes });
  }
  return index;
}
