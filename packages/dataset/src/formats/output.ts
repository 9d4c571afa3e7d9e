import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { type DatasetFormat, type DatasetIndex, type IndexedFile, indexName, unfinishedName } from "./index-file.js";

export interface WriteProgress {
  /** Written so far. */
  readonly triplets: number;
  readonly bytes: number;
}

/** Of every writer of triplets. */
export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Told after each triplet. */
  readonly onProgress?: (progress: WriteProgress) => void;
}

/** A file under a temporary name, digested as it grows. */
export interface OutputFile {
  readonly bytes: number;
  write(...parts: readonly Uint8Array[]): Promise<void>;
  /** Gives it its name, when its content is safe on the disk. */
  finish(facts: Pick<IndexedFile, "split" | "triplets">): Promise<void>;
}

/** The folder that a writer fills. */
export interface Output {
  readonly bytes: number;
  /** A file of the index. */
  create(file: string): Promise<OutputFile>;
  /** A picture or mask beside the indexed files. */
  put(file: string, bytes: Uint8Array): Promise<void>;
}

const temporary = ".writing";

/** Where the pictures of a data set lie that has no shards; they go with it. */
const pictureFolders: Readonly<Record<DatasetFormat, readonly string[]>> = {
  webdataset: [],
  parquet: [],
  "image-folder": ["train", "test", "all"],
  authors: ["Ad Image", "Product Image", "mask_npy"],
};

/**
 * Runs a writer over a folder so that it is taken for a data set only when it is one.
 *
 * A marker stands in the folder from before the first change until the index is there; files get their names when they are whole. What an
 * earlier data set in the folder has and the new one has not is removed. What a stopped writer left behind is cleared by the next.
 *
 * @throws DatasetError `storage` when the system refuses; `ArgumentError` if the folder holds files but no data set
 */
export async function writeDataset(
  folder: string,
  format: DatasetFormat,
  write: (output: Output) => Promise<number>,
  describe: (files: readonly IndexedFile[]) => object = () => ({}),
): Promise<DatasetIndex> {
  const former = await begin(folder, format);
  const files: IndexedFile[] = [];
  const open = new Set<FileHandle>();
  let total = 0;
  const output: Output = {
    get bytes() {
      return total;
    },
    create: async (file) => {
      const handle = await storing(file, () => openTemporary(join(folder, file)));
      open.add(handle);
      const hash = createHash("sha256");
      let bytes = 0;
      return {
        get bytes() {
          return bytes;
        },
        async write(...parts) {
          for (const part of parts) hash.update(part);
          await storing(file, () => writeWhole(handle, parts));
          for (const { length } of parts) bytes += length;
          total += parts.reduce((sum, { length }) => sum + length, 0);
        },
        async finish(facts) {
          await storing(file, () => handle.sync());
          open.delete(handle);
          await storing(file, () => handle.close());
          await storing(file, () => rename(join(folder, file + temporary), join(folder, file)));
          files.push({ file, ...(facts.split && { split: facts.split }), triplets: facts.triplets, bytes, sha256: hash.digest("hex") });
        },
      };
    },
    put: async (file, bytes) => {
      await storing(file, async () => {
        const handle = await openTemporary(join(folder, file));
        try {
          await writeWhole(handle, [bytes]);
        } finally {
          await handle.close();
        }
        await rename(join(folder, file + temporary), join(folder, file));
      });
      total += bytes.length;
    },
  };
  try {
    const triplets = await write(output);
    files.sort((a, b) => (a.file < b.file ? -1 : 1));
    const kept = new Set(files.map(({ file }) => file));
    for (const file of former) if (!kept.has(file)) await storing(file, () => rm(join(folder, file), { force: true }));
    const index: DatasetIndex = { format, version: 1, triplets, files };
    await output.put(indexName, Buffer.from(`${JSON.stringify({ ...index, ...describe(files) }, undefined, 1)}\n`));
    await storing(folder, () => rm(join(folder, unfinishedName)));
    return index;
  } catch (error) {
    for (const handle of open) await handle.close().catch(() => undefined);
    throw error;
  }
}

/** Marks the folder; returns the indexed files of the data set that it held, of a whole one or one whose writer was stopped. */
async function begin(folder: string, format: DatasetFormat): Promise<readonly string[]> {
  return storing(folder, async () => {
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
    const earlier = await Promise.all([indexName, unfinishedName].map((name) => earlierIndex(join(folder, name))));
    const listed = earlier.flatMap(({ files }) => files);
    if (names.length > 0 && !names.includes(indexName) && !names.includes(unfinishedName))
      throw new ArgumentError(`writeDataset: expected an empty folder or one of a data set, got one of other files: ${folder}`);
    const shards = names.filter((name) => /-\d{6,}\.(tar|parquet)$/.test(name));
    const former = [...new Set([...listed, ...shards])];
    await writeFile(join(folder, unfinishedName), JSON.stringify({ format, files: former.map((file) => ({ file })) }));
    await rm(join(folder, indexName), { force: true });
    for (const { format: earlierFormat } of earlier)
      for (const name of earlierFormat ? pictureFolders[earlierFormat] : []) await rm(join(folder, name), { recursive: true, force: true });
    for (const name of names) if (name.endsWith(temporary)) await rm(join(folder, name), { force: true });
    return former;
  });
}

async function earlierIndex(path: string): Promise<{ readonly format?: DatasetFormat; readonly files: readonly string[] }> {
  try {
    const { format, files } = JSON.parse(await readFile(path, "utf8")) as Partial<DatasetIndex>;
    const names = (files ?? []).map(({ file }) => file).filter((file) => typeof file === "string" && !file.split("/").includes(".."));
    return { files: names, ...(format !== undefined && Object.hasOwn(pictureFolders, format) && { format }) };
  } catch {
    return { files: [] };
  }
}

async function openTemporary(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  return open(path + temporary, "w");
}

async function writeWhole(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) {
    for (let from = 0; from < part.length; ) from += (await handle.write(part, from, part.length - from)).bytesWritten;
  }
}

/** What the system refuses becomes a typed error. */
async function storing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), "code");
    const isSystem = typeof code === "string" && typeof Reflect.get(Object(error), "syscall") === "string";
    if (!isSystem) throw error;
    throw new DatasetError("storage", `writeDataset: cannot write ${what}: ${(error as Error).message}`, {
      cause: error,
      retryable: code === "EMFILE" || code === "ENFILE" || code === "EBUSY",
    });
  }
}

/** Splits in the order that files are named and rows are listed. */
export type SplitName = NonNullable<Triplet["split"]> | "all";

/** Shards and lists of triplets that are in neither split are called `all`. */
export function splitName({ split }: Pick<Triplet, "split">): SplitName {
  return split ?? "all";
}
