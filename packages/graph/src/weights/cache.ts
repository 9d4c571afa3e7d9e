import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, statfs } from "node:fs/promises";
import { join } from "node:path";
import { bytesPerElement, elementCount } from "../tensor.js";
import { cacheFolder, removeLeftovers, writeAtomically } from "./cache-folder.js";
import { WeightsError } from "./error.js";
import type { FileRange, StoredTensor } from "./source.js";
import { type FloatDType, isFloat, widenToFloat32 } from "./widen.js";

/** Part of every key: another layout of the file must not be taken for this one. */
const layoutVersion = 1;
const alignment = 64;
/** Elements widened at a time, where a tensor can be read in parts: a few milliseconds, a few megabytes. */
const pieceElements = 2 ** 20;
const trailerLength = 128;

export interface CacheFloat32Options {
  /** Default `cacheFolder()`. */
  readonly folder?: string;
  readonly signal?: AbortSignal;
  /** Bytes written so far, and in all. Not called when the file is there already. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Writes the tensors' values as little-endian float32 into one file of the cache and says where each lies (at multiples of 64 bytes, in the
 * order given). The file's name is a digest of names, sizes and contents, so the next call finds it and touches nothing.
 *
 * Tensors are widened piece by piece, never all in memory. The file appears whole or not at all: processes that write it at once do not
 * disturb each other, and what a killed one leaves behind is removed by the next.
 *
 * Throws a `WeightsError`: `unsupported` for integers and booleans, `disk-full` with path, needed and free bytes; and the signal's reason.
 */
export async function cacheFloat32(
  tensors: readonly StoredTensor[],
  { folder = cacheFolder(), signal, onProgress }: CacheFloat32Options = {},
): Promise<FileRange[]> {
  signal?.throwIfAborted();
  if (tensors.length === 0) return [];
  const dtypes = tensors.map(({ name, dtype }) => {
    if (!isFloat(dtype)) throw new WeightsError("unsupported", `cacheFloat32: expected floating-point weights, got ${dtype} for ${name}`);
    return dtype;
  });
  const key = await contentDigest(tensors, signal);
  const shelf = join(folder, "float32");
  const path = join(shelf, `${key}.bin`);
  const { ranges, total } = layOut(tensors, path);
  const trailer = Buffer.alloc(trailerLength, " ");
  trailer.write(`refadgen float32 weights ${key} ${total}`);
  if (await isWhole(path, total, trailer)) return ranges;

  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  await refuseFullDisk(path, total + trailerLength);
  try {
    await writeAtomically(path, async (handle) => {
      for (const [index, tensor] of tensors.entries()) {
        await writeWidened(handle, tensor, dtypes[index]!, ranges[index]!.offset, (done) => {
          signal?.throwIfAborted();
          onProgress?.({ done, total });
        });
      }
      await writeAll(handle, trailer, total);
      // Files that changed while they were read would be kept under the digest of what they were.
      if ((await contentDigest(tensors, signal)) !== key)
        throw new WeightsError("mismatch", "cacheFloat32: the weights changed while they were read");
    });
  } catch (error) {
    // Where a mapped file cannot be replaced, another process has made the same one.
    if (!signal?.aborted && (await isWhole(path, total, trailer))) return ranges;
    const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new WeightsError("disk-full", diskFullMessage(path, total + trailerLength, await freeBytes(shelf)), { cause: error });
    }
    throw error;
  }
  return ranges;
}

async function contentDigest(tensors: readonly StoredTensor[], signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256").update(`${layoutVersion}\n`);
  for (const tensor of tensors) {
    hash.update(`${JSON.stringify([tensor.name, tensor.dtype, tensor.dims, await tensor.contentKey()])}\n`);
    signal?.throwIfAborted();
  }
  return hash.digest("hex").slice(0, 48);
}

function layOut(tensors: readonly StoredTensor[], path: string): { ranges: FileRange[]; total: number } {
  let total = 0;
  const ranges = tensors.map(({ dims }) => {
    const length = elementCount(dims) * bytesPerElement.float32;
    const offset = total;
    total = Math.ceil((offset + length) / alignment) * alignment;
    return { path, offset, length };
  });
  return { ranges, total };
}

async function isWhole(path: string, total: number, trailer: Buffer): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch {
    return false;
  }
  try {
    if ((await handle.stat()).size !== total + trailerLength) return false;
    const end = Buffer.alloc(trailerLength);
    await handle.read(end, 0, trailerLength, total);
    return end.equals(trailer);
  } finally {
    await handle.close();
  }
}

async function writeWidened(
  handle: FileHandle,
  tensor: StoredTensor,
  dtype: FloatDType,
  offset: number,
  onPiece: (done: number) => void,
): Promise<void> {
  const count = elementCount(tensor.dims);
  const size = bytesPerElement[dtype];
  const whole = tensor.readRange ? undefined : await tensor.read();
  for (let start = 0; start < count; start += pieceElements) {
    const end = Math.min(start + pieceElements, count);
    const bytes = whole ? whole.subarray(start * size, end * size) : await tensor.readRange!(start, end);
    const values = widenToFloat32(dtype, bytes);
    await writeAll(handle, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset + start * bytesPerElement.float32);
    onPiece(offset + end * bytesPerElement.float32);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
}

async function refuseFullDisk(path: string, needed: number): Promise<void> {
  const free = await freeBytes(join(path, ".."));
  if (needed > free) throw new WeightsError("disk-full", diskFullMessage(path, needed, free));
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function diskFullMessage(path: string, needed: number, free: number): string {
  return `cacheFloat32: ${path} needs ${needed} bytes, the disk has ${free} free; REFADGEN_CACHE may name a folder elsewhere`;
}
