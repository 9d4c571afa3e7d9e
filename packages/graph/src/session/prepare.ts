import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import { join, parse, resolve } from "node:path";
import type { Graph } from "../graph.js";
import { liveParameters, type Placement, serialize } from "../serialize.js";
import { bytesPerElement, elementCount } from "../tensor.js";
import { cacheFloat32 } from "../weights/cache.js";
import { cacheFolder, removeLeftovers, temporaryName } from "../weights/cache-folder.js";
import type { FileRange, StoredTensor } from "../weights/source.js";
import type { Parameter } from "../weights/weights.js";
import { SessionError } from "./error.js";
import { keptModel, keptWeights } from "./protocol.js";

/** A graph ready for the runtime, and what its weights weigh. */
export interface PreparedModel {
  readonly model: Uint8Array;
  /** Every file that weights are read from. */
  readonly files: readonly string[];
  /** The model with other paths for those files. */
  readonly modelWith: (rename: (path: string) => string) => Uint8Array;
  /** Folder that the model's external data is relative to: the root of the disk, so that weights may lie anywhere on it. */
  readonly root: string;
  readonly weightBytes: number;
  readonly cachedBytes: number;
  /** A digest of the model and the content of its weights. */
  readonly digest: () => Promise<string>;
}

/** Finds or makes float32 values in a file for every weight, and serialises the graph with references to them. */
export async function prepareModel(
  graph: Graph,
  {
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void },
): Promise<PreparedModel> {
  const stored = [...new Set(liveParameters(graph).map((parameter) => parameter.stored))];
  const elsewhere = stored.filter((tensor) => !mappable(tensor));
  const ranges = await cacheFloat32(elsewhere, { ...(signal && { signal }), ...(onProgress && { onProgress }) });
  const widened = new Map(elsewhere.map((tensor, index) => [tensor, ranges[index]!]));
  const rangeOf = (tensor: StoredTensor): FileRange => {
    const range = widened.get(tensor) ?? tensor.location!;
    return { ...range, path: resolve(range.path) };
  };
  const root = stored.length > 0 ? parse(rangeOf(stored[0]!).path).root : "/";
  const place = (parameter: Parameter): Placement => {
    const { path, offset } = rangeOf(parameter.stored);
    const size = bytesPerElement[parameter.dtype];
    return { file: { path, offset: offset + parameter.start * size, length: elementCount(parameter.dims) * size } };
  };
  const model = serialize(graph, { place, root });
  const modelWith = (rename: (path: string) => string) => {
    const renamed = (parameter: Parameter): Placement => {
      const placement = place(parameter);
      return "file" in placement ? { file: { ...placement.file, path: rename(placement.file.path) } } : placement;
    };
    return serialize(graph, { place: renamed, root: "" });
  };
  const files = [...new Set(stored.map((tensor) => rangeOf(tensor).path))];
  const bytes = (tensors: readonly StoredTensor[]) =>
    tensors.reduce((sum, { dtype, dims }) => sum + elementCount(dims) * (dtype === "int8" ? 1 : 4), 0);
  const digest = async () => {
    const hash = createHash("sha256").update(model);
    for (const key of new Set(await Promise.all(stored.map((tensor) => tensor.contentKey())))) hash.update(`\n${key}`);
    return hash.digest("hex");
  };
  return { model, files, modelWith, root, weightBytes: bytes(stored), cachedBytes: bytes(elsewhere), digest };
}

/** Whether ONNX Runtime can use the values where they lie. Offsets within a float would not be aligned for it. */
function mappable({ dtype, location }: StoredTensor): boolean {
  return location !== undefined && (dtype === "int8" || (dtype === "float32" && location.offset % 4 === 0));
}

/**
 * Opens the optimised model from the cache, or opens the plain one and keeps its optimised form there.
 *
 * @returns false when it cannot be kept, for want of room on the disk, and nothing has been opened
 */
export async function keepOptimized(
  prepared: PreparedModel,
  { write, read }: { readonly write: (folder: string) => Promise<unknown>; readonly read: (path: string) => Promise<unknown> },
): Promise<boolean> {
  const processor = `${platform()} ${arch()} ${cpus()[0]?.model ?? ""}`;
  const key = createHash("sha256")
    .update(`onnxruntime 1.30.0\n${processor}\n${await prepared.digest()}`)
    .digest("hex")
    .slice(0, 32);
  const shelf = join(cacheFolder(), "optimized");
  const folder = join(shelf, key);
  if (await readKept(folder, read)) return true;
  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  const { bavail, bsize } = await statfs(shelf);
  if (bavail * bsize < prepared.weightBytes * 1.5 + 1e9) return false;
  const draft = temporaryName(folder);
  await mkdir(draft);
  try {
    await write(draft);
    await writeFile(join(draft, "sizes.json"), JSON.stringify(await sizes(draft)));
    await rename(draft, folder).catch(async (error: unknown) => {
      // Somebody else has finished first, and theirs is as good; or what stands there is damaged and gives way.
      if (await whole(folder)) return;
      await setAside(folder);
      await rename(draft, folder).catch(async () => {
        if (!(await whole(folder))) throw error;
      });
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  // Opened anew: the session that wrote it holds its weights in memory, one that reads it maps them.
  return readKept(folder, read);
}

/**
 * Opens what is kept, if it is whole.
 *
 * @returns false where there is nothing whole; what is whole by its sizes but not by its content is moved out of the way
 */
async function readKept(folder: string, read: (path: string) => Promise<unknown>): Promise<boolean> {
  if (!(await whole(folder))) return false;
  try {
    await read(join(folder, keptModel));
    return true;
  } catch (error) {
    if (!SessionError.isInstance(error)) throw error;
    await setAside(folder);
    return false;
  }
}

/** Moves a damaged folder out of the way before it is removed, so that nobody finds it half removed. */
async function setAside(folder: string): Promise<void> {
  const away = temporaryName(folder);
  await rename(folder, away).catch(() => undefined);
  await rm(away, { recursive: true, force: true });
}

async function sizes(folder: string): Promise<readonly number[]> {
  return Promise.all([keptModel, keptWeights].map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0));
}

async function whole(folder: string): Promise<boolean> {
  const noted = await readFile(join(folder, "sizes.json"), "utf8").catch(() => undefined);
  return noted !== undefined && noted === JSON.stringify(await sizes(folder));
}
