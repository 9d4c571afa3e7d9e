import { bytesPerElement } from "../tensor.js";
import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";
import type { ReadContext } from "./limits.js";
import { type PickleOptions, unpickle } from "./pickle.js";
import { isList, type PickleValue } from "./pickle-value.js";
import { type PytorchFile, pytorchFile, torchPickle } from "./pytorch-file.js";
import type { TorchStorage } from "./torch-object.js";
import type { StorageBytes } from "./torch-tensor.js";

const magicNumber = 0x1950a86a20f9469cfc6cn;
const formatVersion = 1001;
const firstWindow = 256 * 1024;

/**
 * Reads a PyTorch file from before version 1.6 (pytorch/pytorch torch/serialization.py, `_legacy_load`): five pickles one after another
 * (magic number, version, system, the object, the storages' keys), then in the order of the keys an int64 count and the raw values.
 * Throws a `WeightsError`.
 */
export async function readPytorchLegacy(file: WeightFile, context: ReadContext): Promise<PytorchFile> {
  const { path } = file;
  let referred = new Map<string, TorchStorage>();
  let at = 0;
  const next = async (): Promise<PickleValue> => {
    const { value, end } = await unpickleAt(file, at, context, () => {
      referred = new Map();
      return torchPickle(path, file.size, context, referred);
    });
    at = end;
    return value;
  };

  const magic = await next();
  if (magic !== magicNumber)
    throw new WeightsError("unsupported", `${path}: a pickle, but no PyTorch checkpoint: expected torch.save's magic number first`);
  const version = await next();
  if (version !== formatVersion)
    throw new WeightsError("unsupported", `${path}: expected version ${formatVersion} of the legacy format, got ${String(version)}`);
  const system = await next();
  const littleEndian = system instanceof Map ? system.get("little_endian") : undefined;
  if (typeof littleEndian !== "boolean") throw new WeightsError("malformed", `${path}: the system information lacks little_endian`);
  const object = await next();
  const objectStorages = referred;
  const keys = await next();
  if (!isList(keys)) throw new WeightsError("malformed", `${path}: expected a list of storage keys`);

  const storages = new Map<string, StorageBytes>();
  for (const key of keys) {
    context.signal?.throwIfAborted();
    const storage = typeof key === "string" ? objectStorages.get(key) : undefined;
    if (!storage || storages.has(storage.key))
      throw new WeightsError("malformed", `${path}: the list of storages names one that is not used, or twice`);
    const header = await file.read(at, 8);
    const count = littleEndian ? header.readBigInt64LE(0) : header.readBigInt64BE(0);
    const size = storage.dtype ? bytesPerElement[storage.dtype] : 1;
    if (count * BigInt(size) !== BigInt(storage.byteLength)) {
      throw new WeightsError(
        "malformed",
        `${path}: storage ${JSON.stringify(key)} should have ${storage.byteLength / size} elements, the file says ${count}`,
      );
    }
    const offset = at + 8;
    at = offset + storage.byteLength;
    if (at > file.size)
      throw new WeightsError("truncated", `${path}: storage ${JSON.stringify(key)} should end at ${at}, the file ends at ${file.size}`);
    storages.set(storage.key, { offset, read: (from, length) => file.read(offset + from, length) });
  }
  for (const key of objectStorages.keys())
    if (!storages.has(key)) throw new WeightsError("malformed", `${path}: storage ${JSON.stringify(key)} is not in the file`);
  return pytorchFile(file, object, { container: "legacy", storages, bigEndian: !littleEndian, context });
}

/** Reads a pickle whose length is not known: a window that grows until the pickle ends in it. */
async function unpickleAt(
  file: WeightFile,
  start: number,
  { limits }: ReadContext,
  options: () => PickleOptions,
): Promise<{ value: PickleValue; end: number }> {
  for (let window = firstWindow; ; window *= 8) {
    const length = Math.min(window, limits.pickleBytes, file.size - start);
    try {
      const { value, end } = await unpickle(await file.read(start, length), options());
      return { value, end: start + end };
    } catch (error) {
      if (!WeightsError.isInstance(error) || error.code !== "truncated" || start + length >= file.size) throw error;
      if (length >= limits.pickleBytes)
        throw new WeightsError("limit", `${file.path}: expected a pickle of at most ${limits.pickleBytes} bytes`, { cause: error });
    }
  }
}
