import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import { writeAuthors } from "../formats/authors-write.js";
import { writeImageFolder } from "../formats/image-folder-write.js";
import type { DatasetFormat, DatasetIndex } from "../formats/index-file.js";
import { readIndex } from "../formats/index-file.js";
import type { WriteOptions } from "../formats/output.js";
import { writeParquet } from "../formats/parquet-write.js";
import { writeWebDataset } from "../formats/webdataset-write.js";
import { type MiniTripletsOptions, miniSet } from "./mini-triplets.js";

export interface WriteMiniOptions extends MiniTripletsOptions {
  /** Default `"webdataset"`. */
  readonly format?: DatasetFormat;
  /** Every tenth triplet is of the test split; default true. */
  readonly split?: boolean;
}

type Writer = (folder: string, triplets: AsyncIterable<Triplet>, options: WriteOptions) => Promise<DatasetIndex>;

const writers: Readonly<Record<DatasetFormat, Writer>> = {
  webdataset: writeWebDataset,
  parquet: writeParquet,
  "image-folder": writeImageFolder,
  authors: writeAuthors,
};

/** Which settings a folder was written with. */
const settingsName = ".adprod-mini.json";

/**
 * Writes AdProd-Mini as a data set that `AdProd` and the readers open. With `details`, `FOLDER-details/KEY/` holds depth, mattes and views of each.
 *
 * The folder counts as a data set only when it is whole. What was written with the same settings is left as it is, so that a stopped run can
 * be started again; of a run that was stopped half way, details are kept and shards made anew.
 *
 * @throws ArgumentError for wrong options, or a folder that holds something else; DatasetError `storage`
 */
export async function writeMini(folder: string, count: number, options: WriteMiniOptions): Promise<DatasetIndex> {
  const { format = "webdataset", split = true, workers, signal, onProgress, ...settings } = options;
  if (!Object.hasOwn(writers, format))
    throw new ArgumentError(`writeMini: expected format to be one of ${Object.keys(writers).join(", ")}, got ${String(format)}`);
  const wanted = JSON.stringify({ version: 2, count, format, split, ...settings });
  const known = await readFile(join(folder, settingsName), "utf8").catch(() => undefined);
  if (known === wanted) {
    const index = await readIndex(folder).catch(() => undefined);
    if (index) return index;
  }
  const running = { ...(workers !== undefined && { workers }), ...(signal && { signal }), ...(onProgress && { onProgress }) };
  async function* triplets(): AsyncGenerator<Triplet, void, void> {
    for await (const { triplet, details } of miniSet(count, { ...settings, ...running })) {
      if (Object.keys(details).length > 0) await writeDetails(`${folder}-details`, triplet.key, details);
      yield split ? { ...triplet, split: inTest(triplet.key) ? "test" : "train" } : triplet;
    }
  }
  await rm(join(folder, settingsName), { force: true });
  const index = await writers[format](folder, triplets(), signal ? { signal } : {});
  await writeFile(join(folder, settingsName), wanted);
  return index;
}

/** About one of ten, by the key alone. */
function inTest(key: string): boolean {
  return createHash("sha256").update(`adprod-mini ${key}`).digest().readUInt32BE() % 10 === 0;
}

/** Under a temporary name first: a folder is there whole or not at all. */
async function writeDetails(folder: string, key: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const [path, draft] = [join(folder, key), join(folder, `.${key}.writing`)];
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(draft, name), bytes);
  await rm(path, { recursive: true, force: true });
  await rename(draft, path);
}
