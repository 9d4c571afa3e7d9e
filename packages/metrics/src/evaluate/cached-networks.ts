import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Tensor } from "@refadgen/graph";
import { digestOf } from "../images/digest.js";
import type { Clip, Dino, Inception, InceptionLevel, InceptionOptions, LoadedNetwork, Picture } from "../networks/contract.js";
import { FeatureCache } from "./feature-cache.js";
import { cacheKey } from "./state-cache.js";

/** Where rows of features are kept between runs, and how many were found there. */
export interface FeatureStore {
  /** Undefined: nothing is kept. */
  readonly folder: string | undefined;
  readonly onFailure: (message: string) => void;
}

/** The same network, which computes the features of every picture only once: rows are kept on the disk by the picture's digest. */
export function cachedInception(network: Inception, store: FeatureStore): Inception {
  const rows = rowCaches(network, store);
  return {
    ...delegate(network),
    tensorFeatures: (pixels, options) => network.tensorFeatures(pixels, options),
    features: async (pictures, options) => {
      const levels = options.levels ?? [2048];
      const results = new Map<InceptionLevel, Tensor<"float32">>();
      // All levels come from one pass, so that what is missing at one of them is computed for all.
      const found = await Promise.all(levels.map((level) => rows.find(["inception", options.input, level], widthOf(level), pictures)));
      const missing = pictures.flatMap((_, index) => (found.every((row) => row[index]) ? [] : [index]));
      const fresh =
        missing.length === 0
          ? undefined
          : await network.features(
              missing.map((index) => pictures[index]!),
              options as InceptionOptions,
            );
      for (const [position, level] of levels.entries()) {
        const computed = fresh?.get(level);
        const joined = joinRows(found[position]!, missing, computed);
        if (computed) await rows.keep(["inception", options.input, level], widthOf(level), pictures, missing, computed);
        results.set(level, joined);
      }
      return results;
    },
    dispose: () => rows.close(),
  };
}

/** As `cachedInception`, for CLIP's image embeddings. Texts are not kept: there are few, and they are quick. */
export function cachedClip(network: Clip, store: FeatureStore): Clip {
  const rows = rowCaches(network, store);
  return {
    ...delegate(network),
    dimensions: network.dimensions,
    resolution: network.resolution,
    imageTensor: (pixels, options) => network.imageTensor(pixels, options),
    texts: (texts, options) => network.texts(texts, options),
    tokens: (ids, options) => network.tokens(ids, options),
    tokenize: (texts, options) => network.tokenize(texts, options),
    images: (pictures, options) =>
      rows.through(["clip", options.preprocessing], network.dimensions, pictures, (missing) => network.images(missing, options)),
    dispose: () => rows.close(),
  };
}

/** As `cachedInception`, for DINO's class tokens. */
export function cachedDino(network: Dino, store: FeatureStore): Dino {
  const rows = rowCaches(network, store);
  return {
    ...delegate(network),
    dimensions: network.dimensions,
    patch: network.patch,
    tokens: (pictures, options) => network.tokens(pictures, options),
    tensorTokens: (pixels, options) => network.tensorTokens(pixels, options),
    embeddings: (pictures, options = {}) =>
      rows.through(["dino", options.crop ?? "default", options.resize ?? "default"], network.dimensions, pictures, (missing) =>
        network.embeddings(missing, options),
      ),
    dispose: () => rows.close(),
  };
}

function delegate(network: LoadedNetwork): Pick<LoadedNetwork, "name" | "weights" | "contentKey"> {
  return { name: network.name, weights: network.weights, contentKey: () => network.contentKey() };
}

function widthOf(level: InceptionLevel): number {
  return typeof level === "number" ? level : 1008;
}

type Row = Float32Array | undefined;

interface RowCaches {
  find(kind: readonly unknown[], width: number, pictures: readonly Picture[]): Promise<Row[]>;
  keep(kind: readonly unknown[], width: number, pictures: readonly Picture[], indices: readonly number[], computed: Tensor<"float32">): Promise<void>;
  through(
    kind: readonly unknown[],
    width: number,
    pictures: readonly Picture[],
    compute: (missing: readonly Picture[]) => Promise<Tensor<"float32">>,
  ): Promise<Tensor<"float32">>;
  close(): Promise<void>;
}

/** Caches of one network, opened when they are first needed. When the disk refuses, that is told once and everything is computed. */
function rowCaches(network: LoadedNetwork, { folder, onFailure }: FeatureStore): RowCaches {
  const open = new Map<string, Promise<FeatureCache | undefined>>();
  let failed = folder === undefined;
  const give = (error: unknown): undefined => {
    if (!failed) onFailure(`features cannot be kept (${error instanceof Error ? error.message : String(error)})`);
    failed = true;
  };
  const cacheOf = async (kind: readonly unknown[], width: number) => {
    if (failed) return undefined;
    const key = cacheKey([...kind, await network.contentKey()]);
    const cache = open.get(key) ?? FeatureCache.open(join(folder!, "features", key), width).catch(give);
    open.set(key, cache);
    return cache;
  };
  const caches: RowCaches = {
    find: async (kind, width, pictures) => {
      const cache = await cacheOf(kind, width);
      return Promise.all(
        pictures.map(async (picture) => {
          const digest = recordDigest(picture);
          return digest === undefined ? undefined : cache?.get(digest).catch(give);
        }),
      );
    },
    keep: async (kind, width, pictures, indices, { data }) => {
      const cache = await cacheOf(kind, width);
      const rows = new Map<string, Float32Array>();
      for (const [row, index] of indices.entries()) {
        const digest = recordDigest(pictures[index]!);
        const values = data.slice(row * width, (row + 1) * width);
        // What is not a number is never kept: it is the metric's task to refuse it.
        if (digest !== undefined && values.every(Number.isFinite)) rows.set(digest, values);
      }
      await cache?.put(rows).catch(give);
    },
    through: async (kind, width, pictures, compute) => {
      const found = await caches.find(kind, width, pictures);
      const missing = pictures.flatMap((_, index) => (found[index] ? [] : [index]));
      const computed = missing.length === 0 ? undefined : await compute(missing.map((index) => pictures[index]!));
      if (computed) await caches.keep(kind, width, pictures, missing, computed);
      return joinRows(found, missing, computed);
    },
    close: async () => {
      const opened = await Promise.all(open.values());
      open.clear();
      await Promise.all(opened.map((cache) => cache?.close()));
    },
  };
  return caches;
}

/** Digests of pictures are texts of any form; records take 32 bytes. */
function recordDigest(picture: Picture): string | undefined {
  const digest = digestOf(picture);
  return digest === undefined || /^[0-9a-f]{64}$/.test(digest) ? digest : createHash("sha256").update(digest).digest("hex");
}

function joinRows(found: readonly Row[], missing: readonly number[], computed: Tensor<"float32"> | undefined): Tensor<"float32"> {
  const width = computed ? computed.data.length / missing.length : found[0]!.length;
  const data = new Float32Array(found.length * width);
  const fresh = new Map(missing.map((index, row) => [index, row]));
  for (const [index, row] of found.entries()) {
    const from = fresh.get(index);
    data.set(from === undefined ? row! : computed!.data.subarray(from * width, (from + 1) * width), index * width);
  }
  return { dtype: "float32", dims: [found.length, width], data };
}
