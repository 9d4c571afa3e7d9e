import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";
import { openAuthors } from "./authors-read.js";
import { openImageFolder } from "./image-folder-read.js";
import { type DatasetFormat, readIndex } from "./index-file.js";
import { openParquet } from "./parquet-read.js";
import type { ReadOptions, TripletSource } from "./stored.js";
import { openWebDataset } from "./webdataset-read.js";

export interface OpenOptions extends ReadOptions {
  /** Default: what the index says, or what lies in the folder. */
  readonly format?: DatasetFormat;
}

/**
 * A data set of any format for access in any order: a folder, or a list of shards.
 *
 * @throws DatasetError `unreadable` if a folder holds no data set or several; as the format's own function
 */
export async function openTriplets(source: string | readonly string[], options: OpenOptions = {}): Promise<TripletSource> {
  const format = options.format ?? (await formatOf(source));
  if (format === "webdataset") return openWebDataset(source, options);
  if (format === "parquet") return openParquet(source, options);
  if (format !== "image-folder" && format !== "authors")
    throw new ArgumentError(`openTriplets: expected format webdataset, parquet, image-folder or authors, got ${String(format)}`);
  if (typeof source !== "string") throw new ArgumentError(`openTriplets: expected the folder of the data set for ${format}, got a list`);
  return format === "image-folder" ? openImageFolder(source, options) : openAuthors(source, options);
}

async function formatOf(source: string | readonly string[]): Promise<DatasetFormat> {
  if (typeof source !== "string" || !(await stat(source).catch(() => undefined))?.isDirectory()) {
    const paths = typeof source === "string" ? [source] : source;
    const formats = new Set(paths.map((path) => (path.endsWith(".parquet") ? "parquet" : path.endsWith(".tar") ? "webdataset" : undefined)));
    const [format] = formats;
    if (formats.size !== 1 || !format)
      throw new DatasetError("unreadable", `openTriplets: expected a folder, or shards all .tar or all .parquet, got ${paths[0]}`);
    return format;
  }
  const index = await readIndex(source);
  if (index) return index.format;
  const names = await readdir(source);
  const found = new Set<DatasetFormat>();
  if (names.some((name) => name.endsWith(".tar"))) found.add("webdataset");
  if (names.some((name) => name.endsWith(".parquet"))) found.add("parquet");
  if (names.includes("Ad Image") && names.includes("mask_npy")) found.add("authors");
  for (const place of ["", "train", "test"]) if (await stat(join(source, place, "metadata.jsonl")).catch(() => undefined)) found.add("image-folder");
  const [format] = found;
  if (found.size !== 1 || !format)
    throw new DatasetError(
      "unreadable",
      `openTriplets: expected a data set in ${source}, got ${found.size === 0 ? "none" : `several: ${[...found].join(", ")}`}`,
    );
  return format;
}
