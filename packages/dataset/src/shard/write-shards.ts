import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ShardSettings } from "../config/run-config.js";
import type { Triplet } from "../contract.js";
import { writeAuthors } from "../formats/authors-write.js";
import { writeImageFolder } from "../formats/image-folder-write.js";
import { type DatasetFormat, type DatasetIndex, indexName, readIndex } from "../formats/index-file.js";
import type { WriteOptions } from "../formats/output.js";
import { writeParquet } from "../formats/parquet-write.js";
import { writeWebDataset } from "../formats/webdataset-write.js";
import type { Run } from "../run/create-run.js";
import { stepProgress } from "../run/progress.js";
import type { QueryOptions } from "../run/queries.js";
import { storageError } from "../store/system-error.js";
import { formatSignature, ledgerTriplets, shardOrder, tripletsSignature } from "./triplets.js";

export interface WrittenShards {
  readonly format: DatasetFormat;
  readonly folder: string;
  readonly index: DatasetIndex;
  /** Whether they were there already, of the same triplets. */
  readonly known: boolean;
}

/**
 * Writes what is left in each format that is asked for: into a folder beside, which takes the name of the last one when it is whole. Formats that have these very
 * triplets already are left as they are.
 */
export async function writeShards(run: Run, { signal, onProgress }: QueryOptions, again: boolean): Promise<readonly WrittenShards[]> {
  const { ledger, config } = run;
  const settings = config.shard ?? {};
  const formats = settings.formats ?? ["webdataset"];
  const keys = shardOrder(run);
  const signature = tripletsSignature(run, keys);
  const progress = stepProgress("shard", keys.length * formats.length, onProgress);
  const parent = config.output;
  const result: WrittenShards[] = [];
  for (const format of formats) {
    const folder = join(parent, format);
    const fresh = join(parent, `.${format}.writing`);
    const former = join(parent, `.${format}.former`);
    const { formats: _, ...limits } = settings;
    const wanted = formatSignature(format, limits, signature);
    const note = `shards ${format}`;
    const [noted, digest] = (ledger.note(note) ?? "").split(" ");
    const there = !again && noted === wanted ? await wholeIndex(folder, digest) : undefined;
    if (there) {
      for (const _key of keys) progress.count("done", true);
      result.push({ format, folder, index: there, known: true });
      continue;
    }
    try {
      await mkdir(parent, { recursive: true });
      await rm(fresh, { recursive: true, force: true });
    } catch (error) {
      throw storageError(`shard: cannot make ${fresh}`, error);
    }
    const triplets = ledgerTriplets(run, keys, signal);
    const index = await write(format, fresh, triplets, settings, {
      ...(signal && { signal }),
      onProgress: () => progress.count("done", false),
    });
    try {
      await rm(former, { recursive: true, force: true });
      await rename(folder, former).catch((error: unknown) => {
        if (Reflect.get(Object(error), "code") !== "ENOENT") throw error;
      });
      await rename(fresh, folder);
      ledger.setNote(note, `${wanted} ${await indexDigest(folder)}`);
      await rm(former, { recursive: true, force: true });
    } catch (error) {
      throw storageError(`shard: cannot put ${folder} in its place`, error);
    }
    result.push({ format, folder, index, known: false });
  }
  // Formats that are no longer asked for would pass for the latest ones.
  for (const format of ["webdataset", "parquet", "image-folder", "authors"] as const) {
    if (formats.includes(format) || ledger.note(`shards ${format}`) === undefined) continue;
    await rm(join(parent, format), { recursive: true, force: true });
    ledger.setNote(`shards ${format}`, undefined);
  }
  progress.end();
  return result;
}

function write(
  format: DatasetFormat,
  folder: string,
  triplets: AsyncIterable<Triplet>,
  { maxTriplets, maxBytes, masks }: ShardSettings,
  options: WriteOptions,
): Promise<DatasetIndex> {
  const limits = { ...options, ...(maxTriplets !== undefined && { maxTriplets }), ...(maxBytes !== undefined && { maxBytes }) };
  if (format === "webdataset") return writeWebDataset(folder, triplets, { ...limits, ...(masks && { masks }) });
  if (format === "parquet") return writeParquet(folder, triplets, limits);
  return format === "authors" ? writeAuthors(folder, triplets, options) : writeImageFolder(folder, triplets, options);
}

/** The index of a folder that has not been touched since it was written. */
async function wholeIndex(folder: string, digest: string | undefined): Promise<DatasetIndex | undefined> {
  try {
    return (await indexDigest(folder)) === digest ? await readIndex(folder) : undefined;
  } catch {
    return undefined;
  }
}

async function indexDigest(folder: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(folder, indexName)))
    .digest("hex");
}
