import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { bytesPerElement, type DType, elementCount } from "../tensor.js";
import { writeAtomically } from "./cache-folder.js";
import { WeightsError } from "./error.js";
import { narrowFloat32, type StorageDType } from "./narrow.js";
import type { StoredTensor } from "./source.js";
import { isFloat, widenToFloat32 } from "./widen.js";

export interface WriteSafetensorsOptions {
  /** What floating-point tensors become; integers stay as they are. Default: every tensor keeps its type. */
  readonly dtype?: StorageDType;
  /** Texts for the header's `__metadata__`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Bytes of tensors written so far, and in all. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

const names: Readonly<Record<DType, string | undefined>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

/** Elements read at a time, where a tensor can be read in parts. */
const pieceElements = 2 ** 20;

/**
 * Writes tensors into one safetensors file, in the order of their names, piece by piece: memory does not grow with the file. It is there
 * whole or not at all.
 *
 * @returns the file's size in bytes
 * @throws ArgumentError for no tensors or two of one name; WeightsError `disk-full`; what reading a tensor throws; the signal's reason
 */
export async function writeSafetensors(path: string, tensors: Iterable<StoredTensor>, options: WriteSafetensorsOptions = {}): Promise<number> {
  const { dtype, metadata, signal, onProgress } = options;
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const twice = sorted.find((tensor, index) => tensor.name === sorted[index + 1]?.name);
  if (twice) throw new ArgumentError(`writeSafetensors: expected one tensor "${twice.name}", got two`);
  if (sorted.length === 0) throw new ArgumentError("writeSafetensors: expected tensors, got none");
  const target = (tensor: StoredTensor) => (dtype !== undefined && isFloat(tensor.dtype) ? dtype : tensor.dtype);
  let total = 0;
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  for (const tensor of sorted) {
    const length = elementCount(tensor.dims) * bytesPerElement[target(tensor)];
    header[tensor.name] = { dtype: names[target(tensor)], shape: tensor.dims, data_offsets: [total, total + length] };
    total += length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  await refuseFullDisk(path, start + total);
  signal?.throwIfAborted();
  await writeAtomically(path, async (handle) => {
    const head = Buffer.alloc(start, " ");
    head.writeBigUInt64LE(BigInt(start - 8));
    text.copy(head, 8);
    await handle.writeFile(head);
    let done = 0;
    for (const tensor of sorted) {
      for await (const bytes of piecesOf(tensor)) {
        signal?.throwIfAborted();
        const written =
          dtype !== undefined && isFloat(tensor.dtype) && tensor.dtype !== dtype ? narrowFloat32(dtype, widenToFloat32(tensor.dtype, bytes)) : bytes;
        await handle.writeFile(written);
        done += written.length;
        onProgress?.({ done, total });
      }
    }
  });
  return start + total;
}

async function* piecesOf(tensor: StoredTensor): AsyncGenerator<Uint8Array> {
  const count = elementCount(tensor.dims);
  if (!tensor.readRange || count <= pieceElements) {
    yield await tensor.read();
    return;
  }
  for (let from = 0; from < count; from += pieceElements) yield await tensor.readRange(from, Math.min(count, from + pieceElements));
}

async function refuseFullDisk(path: string, needed: number): Promise<void> {
  const folder = dirname(resolve(path));
  const free = await statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
  if (free !== undefined && free < needed) {
    throw new WeightsError("disk-full", `${path}: expected ${needed} bytes of free space in ${folder}, got ${free}`);
  }
}
