import { ArgumentError } from "@refadgen/errors";
import { type PairOptions, readRows } from "../images/pairs.js";
import { type ReadOptions, readImages } from "../images/read.js";
import type { ImageSource } from "../images/source.js";
import type { Picture } from "../networks/contract.js";
import type {
  Accumulator,
  ComputeOptions,
  IntervalOptions,
  MaskedBatch,
  MetricProgress,
  MetricResult,
  PairBatch,
  PromptBatch,
  SetBatch,
  SkippedImage,
} from "./contract.js";
import { MetricError } from "./error.js";

/** What every one-call function takes besides its metric's own settings. */
export interface RunOptions extends ReadOptions {
  /** Pictures that are handed to the network together. Default 32. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MetricProgress) => void;
}

/** Options of metrics that compute features, which are worth keeping. */
export interface CacheOptions {
  /** A folder that keeps features by the content of files and weights, so that a run that was ended goes on where it was. Default: none. */
  readonly cacheDirectory?: string;
}

/** Options of metrics with one score per picture. */
export interface ScoredOptions extends RunOptions {
  /** Confidence interval of the value; `false` leaves it out. Default: 95 %, 2000 resamples. */
  readonly interval?: IntervalOptions | false;
}

/** Options of metrics of pairs. */
export interface PairedOptions extends ScoredOptions, PairOptions {}

/** Prompts by the order of the pictures, or by their names (with or without extension). */
export type Prompts = readonly string[] | Readonly<Record<string, string>> | ReadonlyMap<string, string>;

/** Feeds both sets of a metric, or one when the other is given as statistics, and computes it. */
export async function runSets(
  accumulator: Accumulator<SetBatch>,
  sources: Readonly<Partial<Record<SetBatch["side"], ImageSource>>>,
  options: RunOptions,
): Promise<MetricResult> {
  const { signal, onProgress } = options;
  const skipped: SkippedImage[] = [];
  const sides = (["real", "generated"] as const).filter((side) => sources[side] !== undefined);
  const streams = new Map(await Promise.all(sides.map(async (side) => [side, await readImages(side, sources[side]!, options)] as const)));
  const counts = sides.map((side) => streams.get(side)!.count);
  const total = counts.every((count) => count !== undefined) ? counts.reduce((sum, count) => sum! + count!, 0) : undefined;
  let done = 0;
  for (const side of sides) {
    await inBatches(streams.get(side)!, options, skipped, async (rows, read) => {
      if (rows.length > 0) await accumulator.update({ side, pictures: rows.map(({ picture }) => picture) }, signal ? { signal } : {});
      done += read;
      onProgress?.({ metric: accumulator.metric, stage: "features", done, ...(total !== undefined && { total }) });
    });
  }
  return finished(accumulator, skipped, options);
}

/** Feeds pairs and computes the metric. */
export async function runPairs(
  accumulator: Accumulator<PairBatch>,
  generated: ImageSource,
  reference: ImageSource,
  options: PairedOptions,
): Promise<MetricResult> {
  const feed = (rows: readonly NamedRow<"generated" | "reference">[]) => {
    const batch = { generated: rows.map(({ pictures }) => pictures.generated), reference: rows.map(({ pictures }) => pictures.reference) };
    return accumulator.update({ ...batch, names: rows.map(({ name }) => name) }, options.signal ? { signal: options.signal } : {});
  };
  return runRows(accumulator, { generated, reference }, feed, options);
}

export interface MaskedSources {
  readonly generated: ImageSource;
  /** Light where the product is. */
  readonly generatedMasks: ImageSource;
  readonly product: ImageSource;
  /** Light where the product is. */
  readonly productMasks: ImageSource;
}

/** Feeds pictures with masks and computes the metric. */
export async function runMasked(accumulator: Accumulator<MaskedBatch>, sources: MaskedSources, options: PairedOptions): Promise<MetricResult> {
  const feed = (rows: readonly NamedRow<keyof MaskedSources>[]) => {
    const of = (role: keyof MaskedSources) => rows.map(({ pictures }) => pictures[role]);
    const batch = { generated: of("generated"), product: of("product"), productMasks: of("productMasks"), generatedMasks: of("generatedMasks") };
    return accumulator.update({ ...batch, names: rows.map(({ name }) => name) }, options.signal ? { signal: options.signal } : {});
  };
  const { generated, generatedMasks, product, productMasks } = sources;
  return runRows(accumulator, { generated, generatedMasks, product, productMasks }, feed, options);
}

/** Feeds pictures with their prompts and computes the metric. */
export async function runPrompts(
  accumulator: Accumulator<PromptBatch>,
  generated: ImageSource,
  prompts: Prompts,
  options: ScoredOptions,
  references?: (name: string, index: number) => readonly string[],
): Promise<MetricResult> {
  const { signal, onProgress } = options;
  const skipped: SkippedImage[] = [];
  const stream = await readImages("generated", generated, options);
  if (Array.isArray(prompts) && stream.count !== undefined && prompts.length !== stream.count)
    throw new ArgumentError(`${accumulator.metric}: expected one prompt per picture, got ${prompts.length} prompts and ${stream.count} pictures`);
  let done = 0;
  await inBatches(stream, options, skipped, async (rows, read) => {
    if (rows.length > 0) {
      const batch: PromptBatch = {
        generated: rows.map(({ picture }) => picture),
        prompts: rows.map(({ name, index }) => promptOf(accumulator.metric, prompts, name, index)),
        names: rows.map(({ name }) => name),
        ...(references && { references: rows.map(({ name, index }) => references(name, index)) }),
      };
      await accumulator.update(batch, signal ? { signal } : {});
    }
    done += read;
    onProgress?.({ metric: accumulator.metric, stage: "features", done, ...(stream.count !== undefined && { total: stream.count }) });
  });
  if (Array.isArray(prompts) && prompts.length !== done)
    throw new ArgumentError(`${accumulator.metric}: expected one prompt per picture, got ${prompts.length} prompts and ${done} pictures`);
  return finished(accumulator, skipped, options);
}

/** The text that belongs to a picture, by its place or its name. */
function promptOf(metric: string, prompts: Prompts, name: string, index: number): string {
  const stem = name.replace(/\.[^./\\]*$/, "");
  const byName = (key: string) => (prompts instanceof Map ? prompts.get(key) : Object.hasOwn(prompts, key) ? Reflect.get(prompts, key) : undefined);
  const prompt: unknown = Array.isArray(prompts) ? prompts[index] : (byName(name) ?? byName(stem));
  if (typeof prompt !== "string") throw new ArgumentError(`${metric}: expected a prompt for ${name}, got none`);
  return prompt;
}

interface NamedRow<Role extends string> {
  readonly name: string;
  readonly pictures: Readonly<Record<Role, Picture>>;
}

async function runRows<Role extends string>(
  accumulator: { readonly metric: Accumulator<never>["metric"]; compute(options?: ComputeOptions): Promise<MetricResult> },
  sources: Readonly<Record<Role, ImageSource>>,
  feed: (rows: readonly NamedRow<Role>[]) => Promise<void>,
  options: PairedOptions,
): Promise<MetricResult> {
  const { onProgress } = options;
  const stream = await readRows(sources, options);
  const skipped: SkippedImage[] = [...stream.unmatched];
  const size = batchSizeOf(options);
  let [done, rows] = [0, [] as NamedRow<Role>[]];
  const flush = async () => {
    if (rows.length > 0) await feed(rows);
    rows = [];
    onProgress?.({ metric: accumulator.metric, stage: "features", done, total: stream.count });
  };
  for await (const row of stream) {
    done++;
    if ("skipped" in row) skipped.push(row.skipped);
    else rows.push(row);
    if (rows.length === size) await flush();
  }
  await flush();
  return finished(accumulator, skipped, options);
}

interface NamedPicture {
  readonly name: string;
  readonly picture: Picture;
  /** Its place in the source. */
  readonly index: number;
}

async function inBatches(
  stream: Awaited<ReturnType<typeof readImages>>,
  options: RunOptions,
  skipped: SkippedImage[],
  feed: (rows: readonly NamedPicture[], read: number) => Promise<void>,
): Promise<void> {
  const size = batchSizeOf(options);
  let [rows, read, index] = [[] as NamedPicture[], 0, 0];
  for await (const image of stream) {
    read++;
    if ("skipped" in image) skipped.push(image.skipped);
    else rows.push({ ...image, index });
    index++;
    if (rows.length < size) continue;
    await feed(rows, read);
    [rows, read] = [[], 0];
  }
  if (read > 0) await feed(rows, read);
}

function batchSizeOf({ batchSize = 32 }: RunOptions): number {
  if (!Number.isInteger(batchSize) || batchSize < 1) throw new ArgumentError(`batchSize: expected an integer of at least 1, got ${batchSize}`);
  return batchSize;
}

async function finished(
  accumulator: { readonly metric: Accumulator<never>["metric"]; compute(options?: ComputeOptions): Promise<MetricResult> },
  skipped: readonly SkippedImage[],
  { signal, onProgress, ...options }: ScoredOptions,
): Promise<MetricResult> {
  onProgress?.({ metric: accumulator.metric, stage: "distance", done: 0, total: 1 });
  const compute = { ...(options.interval !== undefined && { interval: options.interval }), ...(signal && { signal }) };
  const result = await accumulator.compute(compute).catch((error: unknown) => {
    if (MetricError.isInstance(error) && error.code === "too-few" && skipped.length > 0)
      throw new MetricError("too-few", `${error.message}; ${skipped.length} were skipped: ${listed(skipped)}`, { cause: error });
    throw error;
  });
  onProgress?.({ metric: accumulator.metric, stage: "distance", done: 1, total: 1 });
  if (skipped.length === 0) return result;
  const warning = `${skipped.length} pictures were skipped: ${listed(skipped)}`;
  return { ...result, skipped: [...result.skipped, ...skipped], warnings: [...result.warnings, warning] };
}

function listed(skipped: readonly SkippedImage[]): string {
  const shown = skipped.slice(0, 5).map(({ name, code }) => `${name} (${code})`);
  return shown.join(", ") + (skipped.length > 5 ? ` and ${skipped.length - 5} more` : "");
}
