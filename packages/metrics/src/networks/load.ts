import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";
import { type Graph, liveParameters, openWeights, type SessionOptions, type WeightLookup, type Weights, WeightsError } from "@refadgen/graph";
import { weightCatalogue } from "../weights/catalogue.js";
import { MetricWeightsError } from "../weights/error.js";
import { identify, type KnownWeights } from "../weights/known.js";
import { type LocateOptions, locateWeights } from "../weights/locate.js";
import type { LoadOptions, WeightInput } from "./contract.js";

/** Weights that are open, and the files they came from. */
export interface OpenedInput {
  readonly lookup: WeightLookup;
  readonly files: readonly string[];
}

/**
 * Opens the weights that a caller gave: fetches what is not on the disk, checks the sha256 where one is given.
 *
 * @throws MetricWeightsError `missing`, `checksum`; WeightsError for a file that cannot be read
 */
export async function openInput(where: string, source: WeightInput, options: LoadOptions = {}): Promise<OpenedInput> {
  options.signal?.throwIfAborted();
  if (typeof source !== "string") {
    if (typeof source !== "object" || source === null) throw new ArgumentError(`${where}: expected weights or where they are, got ${String(source)}`);
    return { lookup: "tensors" in source ? lookupOf(source) : source, files: [source.description] };
  }
  if (source === "") throw new ArgumentError(`${where}: expected the path of a weight file, got ""`);
  const { sha256, signal } = options;
  const path = await locateWeights(source, locateOptions(source, options));
  const opened = await openWeights(path, signal ? { signal } : {});
  if (sha256 !== undefined) await checkDigest(path, sha256, opened.tensors.values().next().value?.contentKey());
  return { lookup: lookupOf(opened), files: [source] };
}

/** What `locateWeights` takes of a loader's options. */
export function locateOptions(source: string, { sha256, offline, cacheDirectory, token, signal, onProgress }: LoadOptions): LocateOptions {
  const known = weightCatalogue.find((file) => file.source === source && file.exactBytes);
  return {
    ...(known && { bytes: known.bytes }),
    // A hash that is only known by its beginning is compared once the file is there.
    ...(sha256?.length === 64 ? { sha256 } : {}),
    ...(offline === undefined ? {} : { offline }),
    ...(cacheDirectory === undefined ? {} : { cacheDirectory }),
    ...(token === undefined ? {} : { token }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress) => onProgress({ stage: "download", file: source, ...progress }) }),
  };
}

async function checkDigest(path: string, expected: string, contentKey: Promise<string> | undefined): Promise<void> {
  const found = /^sha256:([0-9a-f]{64})/.exec((await contentKey) ?? "")?.[1];
  if (found === undefined || !found.startsWith(expected.toLowerCase())) {
    throw new MetricWeightsError("checksum", `${path}: expected sha256 ${expected}${expected.length < 64 ? "…" : ""}, got ${found ?? "no digest"}`);
  }
}

function lookupOf({
  description,
  tensors,
}: {
  readonly description: string;
  readonly tensors: ReadonlyMap<string, ReturnType<WeightLookup["tensor"]> & {}>;
}): WeightLookup {
  return { description, tensor: (key) => tensors.get(key), keys: () => tensors.keys() };
}

export interface Wanted {
  /** What fits. */
  readonly known: readonly KnownWeights[];
  /** What to call it in messages. */
  readonly description: string;
  /** Keys that may stand in the file though the network does not read them. */
  readonly ignore?: (key: string) => boolean;
}

/** Refuses weights that look like another known network, by name. */
export function refuseOthers(lookup: WeightLookup, { known, description }: Wanted): void {
  const found = identify(lookup);
  if (found && !known.includes(found.id)) {
    throw new MetricWeightsError("wrong-file", `${lookup.description}: expected the weights of ${description}, got ${found.description}`);
  }
}

/** Refuses weights that do not fit a network that has asked for all it needs: by name where it is known what they are, else by their keys. */
export function expectFit(weights: Weights, lookup: WeightLookup, wanted: Wanted): void {
  refuseOthers(lookup, wanted);
  try {
    weights.verify(wanted.ignore ? { ignore: wanted.ignore } : {});
  } catch (cause) {
    if (!WeightsError.isInstance(cause)) throw cause;
    throw new MetricWeightsError("wrong-file", `${wanted.description}: ${cause.message}`, { cause });
  }
}

/** What sessions are opened with. Metrics keep the optimised graph: they run it thousands of times. */
export function sessionOptions({ provider, threads, optimization = "kept", onProgress }: LoadOptions, file: string): SessionOptions {
  return {
    optimization,
    ...(provider === undefined ? {} : { provider }),
    ...(threads === undefined ? {} : { threads }),
    ...(onProgress && { onProgress: (progress) => onProgress({ stage: "widen", file, ...progress }) }),
  };
}

/** A digest of all weights that graphs use, computed once. */
export function contentKeyOf(graphs: readonly Graph[]): () => Promise<string> {
  let key: Promise<string> | undefined;
  return () => {
    key ??= digest(graphs);
    return key;
  };
}

async function digest(graphs: readonly Graph[]): Promise<string> {
  const stored = new Set(graphs.flatMap((graph) => liveParameters(graph).map((parameter) => parameter.stored)));
  const hash = createHash("sha256");
  const keys = new Set<string>();
  for (const tensor of stored) keys.add(await tensor.contentKey());
  for (const key of [...keys].sort()) hash.update(`${key}\n`);
  return hash.digest("hex");
}
