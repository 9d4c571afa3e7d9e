import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { bytesPerElement, type DType, elementCount, openWeights, type WeightSource, WeightsError } from "@refadgen/graph";
import { bestMatch, type Match } from "./known-models.js";

/** One set of weights. */
export interface InspectedWeights {
  /** The file or folder, relative to what was asked for; "" for itself. */
  readonly path: string;
  readonly tensors: readonly { readonly name: string; readonly dtype: DType; readonly dims: readonly number[] }[];
  readonly parameters: number;
  readonly bytes: number;
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;
  /** Absent when it is no model that is known. */
  readonly match?: Match;
}

export interface Inspection {
  readonly path: string;
  readonly weights: readonly InspectedWeights[];
  /** Weight files that cannot be read, with the reason. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

const weightFile = /\.(safetensors|bin|pt|pth|ckpt|npz|index\.json)$/i;

/**
 * Looks into a weight file, or into all weights of a folder and of its folders. Only headers are read.
 *
 * @throws ArgumentError when nothing is there; WeightsError when a single file cannot be read
 */
export async function inspect(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Inspection> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new ArgumentError(`inspect: expected a file or folder, nothing is at ${path}`);
  if (info.isFile()) return { path, weights: [inspected("", await openWeights(path, signal ? { signal } : {}))], unreadable: [] };
  const weights: InspectedWeights[] = [];
  const unreadable: { path: string; reason: string }[] = [];
  for (const file of await weightFilesIn(path)) {
    signal?.throwIfAborted();
    try {
      weights.push(inspected(relative(path, file), await openWeights(file, signal ? { signal } : {})));
    } catch (error) {
      if (!WeightsError.isInstance(error)) throw error;
      unreadable.push({ path: relative(path, file), reason: error.message });
    }
  }
  if (weights.length === 0 && unreadable.length === 0) throw new ArgumentError(`inspect: expected weights, ${path} and its folders hold none`);
  return { path, weights, unreadable };
}

/** An index stands for its shards; an index of JSON that lists no shards is no weight file. */
async function weightFilesIn(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() || entry.isSymbolicLink());
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).filter((file) => weightFile.test(file));
  const indexed = files.filter((file) => file.endsWith(".index.json")).map((file) => file.slice(0, -".index.json".length).replace(/\.[^.]+$/, ""));
  return files.filter((file) => file.endsWith(".index.json") || !indexed.some((stem) => file.startsWith(`${stem}-`))).sort();
}

function inspected(path: string, source: WeightSource): InspectedWeights {
  const tensors = [...source.tensors.values()].map(({ name, dtype, dims }) => ({ name, dtype, dims }));
  const dtypes: Partial<Record<DType, number>> = {};
  for (const { dtype } of tensors) dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
  const match = bestMatch(new Map([...source.tensors].map(([key, { dims }]) => [key, dims.join("x")])));
  return {
    path,
    tensors,
    parameters: tensors.reduce((sum, { dims }) => sum + elementCount(dims), 0),
    bytes: tensors.reduce((sum, { dims, dtype }) => sum + elementCount(dims) * bytesPerElement[dtype], 0),
    dtypes,
    ...(match && { match }),
  };
}
