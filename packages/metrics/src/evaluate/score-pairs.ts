import { ArgumentError } from "@refadgen/errors";
import { alphaOf, ImageError, type ResizeFilter } from "@refadgen/image";
import type { Accumulator, MaskedBatch, PairBatch, PromptBatch } from "../metrics/contract.js";
import type { PictureWithMode } from "../networks/contract.js";
import type { FileRole, SkippedFile } from "./evaluation.js";
import type { MetricDriver } from "./metric-driver.js";
import { type PictureReader, resized } from "./pictures.js";
import type { ScoredPair } from "./plan.js";
import { cacheKey, type StateCache } from "./state-cache.js";

export interface ScoreOptions {
  readonly driver: Exclude<MetricDriver, { readonly feed: "sets" }>;
  readonly pairs: readonly ScoredPair[];
  readonly reader: PictureReader;
  readonly cache: StateCache;
  /** Everything that changes a score, besides the pictures. */
  readonly key: unknown;
  /** Rows that are computed, and kept, together. */
  readonly chunk: number;
  /** Resizes references to their generated picture; undefined: sizes have to agree. */
  readonly resizeReferences?: ResizeFilter | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (done: number) => void;
}

export interface Scored {
  readonly accumulator: Accumulator<never>;
  readonly skipped: readonly SkippedFile[];
  /** Rows whose scores came from an earlier run. */
  readonly cached: number;
  readonly counted: number;
}

/** What is kept of a chunk. */
interface Kept {
  readonly state: unknown;
  readonly counted: number;
  readonly skipped: readonly SkippedFile[];
}

/**
 * Feeds rows to a metric chunk by chunk. Each chunk's state is kept under the digests of its files, so that a run that was stopped goes on
 * with the next chunk and comes to the same numbers.
 */
export async function scorePairs(options: ScoreOptions): Promise<Scored> {
  const { driver, pairs, cache, chunk, signal, onProgress } = options;
  const total = await driver.create();
  const skipped: SkippedFile[] = [];
  let [cached, counted] = [0, 0];
  const chunks = Array.from({ length: Math.ceil(pairs.length / chunk) }, (_, index) => pairs.slice(index * chunk, (index + 1) * chunk));
  // One chunk is computed while the files of the next are read.
  let coming = chunks[0] && prepare(chunks[0], options);
  for (const index of chunks.keys()) {
    signal?.throwIfAborted();
    const { key, kept, pictures } = await coming!;
    const next = chunks[index + 1];
    coming = next && prepare(next, options);
    // Its failure is met when its turn comes.
    coming?.catch(() => undefined);
    const result = kept ?? (await scoreChunk(await pictures!(), options));
    if (kept) cached += kept.counted;
    else await cache.put(key, result satisfies Kept);
    if (result.counted > 0) total.merge(result.state as never);
    counted += result.counted;
    skipped.push(...result.skipped);
    onProgress(Math.min(pairs.length, (index + 1) * chunk));
  }
  return { accumulator: total as Accumulator<never>, skipped, cached, counted };
}

interface Prepared {
  readonly key: string;
  readonly kept?: Kept;
  readonly pictures?: () => Promise<readonly (ReadRow | SkippedFile)[]>;
}

async function prepare(rows: readonly ScoredPair[], { key, reader, cache, driver, resizeReferences, signal }: ScoreOptions): Promise<Prepared> {
  const digests = await Promise.all(
    rows.map(async ({ name, prompt, ...row }) => [
      name,
      prompt ?? "",
      ...(await Promise.all(filesOf(row).map(async ([role, path]) => [role, await reader.digest(path)]))),
    ]),
  );
  const chunkKey = cacheKey([key, resizeReferences ?? "none", digests]);
  const kept = (await cache.get(chunkKey)) as Kept | undefined;
  if (kept) return { key: chunkKey, kept };
  const reading = Promise.all(rows.map((row) => readRow(row, driver.feed, reader, resizeReferences, signal)));
  reading.catch(() => undefined);
  return { key: chunkKey, pictures: () => reading };
}

interface ReadRow {
  readonly row: ScoredPair;
  readonly pictures: Readonly<Partial<Record<FileRole, PictureWithMode>>>;
}

function filesOf({ generated, reference, mask, productMask }: Omit<ScoredPair, "name" | "prompt">): [FileRole, string][] {
  const files: [FileRole, string | undefined][] = [
    ["generated", generated],
    ["reference", reference],
    ["mask", mask],
    ["product-mask", productMask],
  ];
  return files.filter((file): file is [FileRole, string] => file[1] !== undefined);
}

async function readRow(
  row: ScoredPair,
  feed: "pairs" | "prompts" | "masked",
  reader: PictureReader,
  resize: ResizeFilter | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadRow | SkippedFile> {
  const pictures: Partial<Record<FileRole, PictureWithMode>> = {};
  for (const [role, path] of filesOf(row)) {
    const read = await reader.read(path, { signal });
    if (!("picture" in read)) return { role, name: role === "generated" ? row.name : path, ...read };
    pictures[role] = read.picture;
  }
  const { generated, reference } = pictures;
  // MP-LPIPS brings both pictures to a size of its own.
  if (resize && feed === "pairs" && generated && reference) pictures.reference = resized(reference, generated.image, resize);
  if (feed === "masked" && !pictures["product-mask"] && reference) {
    const alpha = alphaOf(reference.image);
    if (!alpha) {
      const reason = "no mask says where the product is in this picture, and it has no transparency either";
      return { role: "reference", name: row.reference ?? row.name, code: "no-mask", reason };
    }
    pictures["product-mask"] = { image: alpha, mode: "L" };
  }
  return { row, pictures };
}

async function scoreChunk(read: readonly (ReadRow | SkippedFile)[], options: ScoreOptions): Promise<Kept> {
  const skipped = read.filter((row): row is SkippedFile => "code" in row);
  const good = read.filter((row): row is ReadRow => !("code" in row));
  const accumulator = await options.driver.create();
  if (good.length === 0) return { state: undefined, counted: 0, skipped };
  try {
    await update(accumulator, options, good);
    return { state: accumulator.state(), counted: good.length, skipped };
  } catch (error) {
    if (!concernsPictures(error)) throw error;
    if (good.length === 1) return { state: undefined, counted: 0, skipped: [...skipped, mismatchOf(good[0]!, error)] };
    return oneByOne(good, skipped, options);
  }
}

/** One row that cannot be compared must not take its chunk along. */
async function oneByOne(good: readonly ReadRow[], skippedBefore: readonly SkippedFile[], options: ScoreOptions): Promise<Kept> {
  const accumulator = await options.driver.create();
  const skipped = [...skippedBefore];
  let counted = 0;
  for (const row of good) {
    try {
      await update(accumulator, options, [row]);
      counted++;
    } catch (error) {
      if (!concernsPictures(error)) throw error;
      skipped.push(mismatchOf(row, error));
    }
  }
  return { state: counted > 0 ? accumulator.state() : undefined, counted, skipped };
}

function concernsPictures(error: unknown): boolean {
  return ArgumentError.isInstance(error) || ImageError.isInstance(error);
}

function mismatchOf({ row, pictures }: ReadRow, error: unknown): SkippedFile {
  const { generated, reference } = pictures;
  const sizes = [generated, reference].map((picture) => picture && `${picture.image.width} × ${picture.image.height}`);
  if (reference && sizes[0] !== sizes[1]) {
    return { role: "generated", name: row.name, code: "size", reason: `it has ${sizes[0]} pixels and its reference ${sizes[1]}` };
  }
  return { role: "generated", name: row.name, code: "not-comparable", reason: error instanceof Error ? error.message : String(error) };
}

async function update(accumulator: unknown, { driver, signal }: ScoreOptions, rows: readonly ReadRow[]): Promise<void> {
  const all = (role: FileRole) => rows.map(({ pictures }) => pictures[role]!);
  const names = rows.map(({ row }) => row.name);
  const options = signal ? { signal } : {};
  if (driver.feed === "pairs") {
    await (accumulator as Accumulator<PairBatch>).update({ generated: all("generated"), reference: all("reference"), names }, options);
  } else if (driver.feed === "prompts") {
    await (accumulator as Accumulator<PromptBatch>).update(
      { generated: all("generated"), prompts: rows.map(({ row }) => row.prompt!), names },
      options,
    );
  } else {
    const batch = { generated: all("generated"), product: all("reference"), generatedMasks: all("mask"), productMasks: all("product-mask"), names };
    await (accumulator as Accumulator<MaskedBatch>).update(batch, options);
  }
}
