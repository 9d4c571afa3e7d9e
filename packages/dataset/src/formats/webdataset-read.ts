import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { fileCursor } from "./byte-cursor.js";
import { createFilePool, type FilePool } from "./file-pool.js";
import { fingerprintOf, listShards, type Shard } from "./shard-list.js";
import { defaultMaxFileBytes, loadTriplet, type ReadOptions, type StoredFile, type TripletSource, unlessBroken } from "./stored.js";
import { cutOff, nextTarHeader, padded } from "./tar-header.js";
import { entryOf, readTar, type TarLimits } from "./tar-read.js";
import { sampleName, storedSample, variantSuffix } from "./webdataset-sample.js";

export interface ReadWebDatasetOptions extends ReadOptions, Omit<TarLimits, "maxEntryBytes"> {}

const endings = [".tar", ".tar.gz", ".tgz"];

/**
 * The triplets of shards as they stand in them: of a folder, by its index if it has one; of files; or of one shard that comes as a stream.
 * Shards compressed by gzip are read too. What `storedSample` says of other tools' samples holds.
 *
 * @throws DatasetError `format` naming shard and entry: an archive that is cut off, a sample without its picture or mask, files of one
 *   triplet that do not lie together; `refused` for entries that are not regular files or leave the archive; `too-large`
 */
export async function* readWebDataset(
  source: string | readonly string[] | AsyncIterable<Uint8Array>,
  options: ReadWebDatasetOptions = {},
): AsyncGenerator<Triplet, void, void> {
  if (typeof source === "object" && Symbol.asyncIterator in source) {
    yield* shardTriplets({ path: "shard" }, source, options);
    return;
  }
  for (const shard of await listShards("readWebDataset", source, "webdataset", endings)) {
    const { path } = shard;
    const file = createReadStream(path);
    yield* shardTriplets(shard, /gz$/i.test(path) ? unzipped(path, file) : file, options);
  }
}

async function* unzipped(path: string, file: ReturnType<typeof createReadStream>): AsyncGenerator<Uint8Array, void, void> {
  const gunzip = createGunzip();
  file.on("error", (error) => gunzip.destroy(error));
  try {
    yield* file.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw new DatasetError("format", `${path}: expected data compressed by gzip (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    });
  } finally {
    file.destroy();
  }
}

async function* shardTriplets(
  { path: shard, split }: Pick<Shard, "path" | "split">,
  stream: AsyncIterable<Uint8Array>,
  options: ReadWebDatasetOptions,
): AsyncGenerator<Triplet, void, void> {
  const keys = new Set<string>();
  let key: string | undefined;
  let files = new Map<string, StoredFile>();
  const finished = async (): Promise<Triplet | undefined> => {
    const [name, sample] = [key, files];
    if (name === undefined) return undefined;
    return unlessBroken(`${shard}: ${name}`, options, async () => loadTriplet(await storedSample(shard, name, sample, split), options));
  };
  const { maxFileBytes: maxEntryBytes = defaultMaxFileBytes, ...limits } = options;
  for await (const { path, bytes } of readTar(stream, { ...limits, maxEntryBytes, name: shard })) {
    const name = sampleName(path);
    if (!name) continue;
    if (name.key !== key) {
      const triplet = await finished();
      if (triplet) yield triplet;
      begin(shard, name.key, keys);
      key = name.key;
      files = new Map();
    }
    if (files.has(name.suffix)) throw new DatasetError("format", `${shard}: expected every entry once, got ${path} twice`);
    files.set(name.suffix, { where: `${shard}: ${path}`, read: async () => bytes });
  }
  const last = await finished();
  if (last) yield last;
}

function begin(shard: string, key: string, keys: Set<string>): void {
  if (keys.has(key)) throw new DatasetError("format", `${shard}: expected the files of a triplet together, got ${key} at two places`);
  keys.add(key);
}

/** Where the samples of a shard lie. */
interface ShardSamples {
  readonly shard: Shard;
  /** Byte at which each begins, and the end of the last. */
  readonly starts: Float64Array;
  readonly variants: Uint8Array;
}

/**
 * Shards for access in any order: where the samples begin is found once, by the headers alone; a sample is then read at its place.
 *
 * @throws DatasetError as `readWebDataset`; `unreadable` for compressed shards, which can only be read from their beginning
 */
export async function openWebDataset(source: string | readonly string[], options: ReadWebDatasetOptions = {}): Promise<TripletSource> {
  const shards = await listShards("openWebDataset", source, "webdataset", endings);
  const zipped = shards.find(({ path }) => /gz$/i.test(path));
  if (zipped)
    throw new DatasetError("unreadable", `openWebDataset: expected shards that are not compressed, got ${zipped.path}; readWebDataset reads it`);
  const pool = createFilePool();
  const samples: ShardSamples[] = [];
  try {
    for (const shard of shards) {
      options.signal?.throwIfAborted();
      samples.push(await scanShard(pool, shard, options));
    }
  } catch (error) {
    await pool.dispose();
    throw error;
  }
  const runs = samples.map(({ variants }) => variants.length);
  const locate = (index: number): { readonly at: ShardSamples; readonly local: number } => {
    let local = index;
    for (const at of samples) {
      if (local < at.variants.length) return { at, local };
      local -= at.variants.length;
    }
    throw new DatasetError("format", `openWebDataset: no triplet ${index}`);
  };
  return {
    length: runs.reduce((sum, count) => sum + count, 0),
    fingerprint: fingerprintOf("webdataset", shards),
    runs,
    variantCounts: async () => Uint8Array.from(samples.flatMap(({ variants }) => [...variants])),
    splitOf: (index) => locate(index).at.shard.split,
    async get(index) {
      const { at, local } = locate(index);
      return readSample(pool, at.shard, at.starts[local]!, at.starts[local + 1]!, options);
    },
    dispose: () => pool.dispose(),
  };
}

function scanShard(pool: FilePool, shard: Shard, options: ReadWebDatasetOptions): Promise<ShardSamples> {
  const { maxEntries = 1_000_000, maxFileBytes = defaultMaxFileBytes, signal } = options;
  const { path } = shard;
  return pool.use(path, async (file) => {
    const cursor = fileCursor(file, 0, shard.bytes);
    const keys = new Set<string>();
    const shared = new Map<string, string>();
    const starts: number[] = [];
    const variants: number[] = [];
    let key: string | undefined;
    let end = 0;
    for (let count = 0; ; count++) {
      if (count % 1024 === 0) signal?.throwIfAborted();
      const header = await nextTarHeader(path, cursor, shared);
      if (!header) break;
      if (count >= maxEntries) throw new DatasetError("too-large", `${path}: expected at most ${maxEntries} entries, got more`);
      const length = padded(header.size);
      if ((await cursor.skip(length)) < length) throw cutOff(path, `${length} bytes of ${header.path}`);
      if (header.kind === "directory") continue;
      const name = sampleName(entryOf(path, header, maxFileBytes));
      if (!name) continue;
      if (name.key !== key) {
        begin(path, name.key, keys);
        key = name.key;
        starts.push(header.offset);
        variants.push(0);
      }
      if (variantSuffix.test(name.suffix)) variants[variants.length - 1]!++;
      end = cursor.position;
    }
    // Attributes that hold for all entries would be missed by reading from the middle.
    if (shared.size > 0 && [...shared.keys()].some((name) => name === "path" || name === "size"))
      throw new DatasetError("format", `${path}: expected paths and sizes with their entries, got global ones`);
    return { shard, starts: Float64Array.from([...starts, end]), variants: Uint8Array.from(variants) };
  });
}

async function readSample(
  pool: FilePool,
  { path, split }: Shard,
  start: number,
  end: number,
  options: ReadWebDatasetOptions,
): ReturnType<typeof storedSample> {
  let sampleKey = "";
  const files = new Map<string, StoredFile>();
  await pool.use(path, async (file) => {
    const cursor = fileCursor(file, start, end);
    while (cursor.position < end) {
      const header = await nextTarHeader(path, cursor, new Map());
      if (!header) break;
      const { position } = cursor;
      const { size } = header;
      await cursor.skip(padded(size));
      if (header.kind === "directory") continue;
      const entry = entryOf(path, header, options.maxFileBytes ?? defaultMaxFileBytes);
      const name = sampleName(entry);
      if (!name) continue;
      if (files.has(name.suffix)) throw new DatasetError("format", `${path}: expected every entry once, got ${entry} twice`);
      sampleKey = name.key;
      files.set(name.suffix, { where: `${path}: ${entry}`, read: () => pool.read(path, position, size) });
    }
  });
  return storedSample(path, sampleKey, files, split);
}
