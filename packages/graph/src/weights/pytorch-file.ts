import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";
import type { ReadContext } from "./limits.js";
import type { PickleOptions } from "./pickle.js";
import { isList, PickleObject, type PickleValue } from "./pickle-value.js";
import type { StoredTensor, WeightSource } from "./source.js";
import { type Children, dictChildren, nameTensors } from "./tensor-names.js";
import { callTorch, readStorageId, TorchStorage, type TorchTensor } from "./torch-object.js";
import { type StorageBytes, torchTensor } from "./torch-tensor.js";

/** An opened PyTorch file: its tensors under dotted paths, and everything that was saved. */
export interface PytorchFile extends WeightSource {
  readonly container: "zip" | "legacy" | "torchscript";
  /** The saved object as data; see `PickleValue`. `pickleAt(file.object, "ds_config.fp16")` follows a path. */
  readonly object: PickleValue;
  /** A tensor of `object`, readable. */
  stored(tensor: TorchTensor): StoredTensor;
}

/** How pickles of PyTorch files are read; every storage that one refers to is put into `storages`, and must be the same each time. */
export function torchPickle(what: string, fileSize: number, { limits, signal }: ReadContext, storages: Map<string, TorchStorage>): PickleOptions {
  return {
    what,
    signal,
    objectBytes: limits.objectBytes + 4 * fileSize,
    call: (type, args) => callTorch(type, args, what, limits),
    persistent: (id) => {
      // Legacy files wrap classes: ("module", class, file, source).
      if (isList(id) && id[0] === "module" && id.length === 4) return id[1]!;
      const storage = readStorageId(id, what);
      const known = storages.get(storage.key);
      if (known && (known.byteLength !== storage.byteLength || known.dtype !== storage.dtype)) {
        throw new WeightsError("malformed", `${what}: storage ${JSON.stringify(storage.key)} has two sizes or types`);
      }
      if (!known) storages.set(storage.key, storage);
      return storage;
    },
  };
}

/** Names the tensors of a saved object and makes them readable. Throws a `WeightsError` when what was saved is no checkpoint. */
export function pytorchFile(
  file: WeightFile,
  object: PickleValue,
  {
    container,
    storages,
    bigEndian,
    children = dictChildren,
    context,
  }: {
    readonly container: PytorchFile["container"];
    readonly storages: ReadonlyMap<string, StorageBytes>;
    readonly bigEndian: boolean;
    readonly children?: Children;
    readonly context: ReadContext;
  },
): PytorchFile {
  const { path } = file;
  const names = nameTensors(object, children, path, context.limits);
  if (names.size === 0) refuseWithoutTensors(object, path);
  const tensors = new Map<string, StoredTensor>();
  const stored = (tensor: TorchTensor, name: string): StoredTensor => {
    const storage = storages.get(tensor.storage.key);
    if (!storage) throw new WeightsError("malformed", `${path}: storage ${JSON.stringify(tensor.storage.key)} is not there`);
    return torchTensor(tensor, { file, name, storage, bigEndian });
  };
  for (const [name, tensor] of names) tensors.set(name, stored(tensor, name));
  return {
    description: path,
    container,
    object,
    tensors,
    stored: (tensor) => stored(tensor, `storage ${tensor.storage.key}, ${tensor.dtype} [${tensor.dims}] by [${tensor.strides}] at ${tensor.offset}`),
  };
}

/** Empty dicts and lists are checkpoints, however poor; a pickled module or a number is none. */
function refuseWithoutTensors(object: PickleValue, path: string): void {
  const foreign = firstForeign(object);
  if (foreign) {
    throw new WeightsError(
      "unsupported",
      `${path}: there are no tensors in it but a pickled ${foreign.type}; save module.state_dict() instead of the object`,
    );
  }
  if (!(object instanceof Map) && !isList(object)) {
    const found =
      object === null
        ? "None"
        : object instanceof TorchStorage
          ? "a storage"
          : typeof object === "object"
            ? object.constructor.name
            : `${typeof object} ${String(object).slice(0, 50)}`;
    throw new WeightsError("malformed", `${path}: expected a dict of tensors, got ${found}`);
  }
}

/** A foreign object at the top, or a value of the dict at the top. */
function firstForeign(object: PickleValue): PickleObject | undefined {
  if (object instanceof PickleObject) return object;
  const values = object instanceof Map ? object.values() : [];
  for (const value of values) if (value instanceof PickleObject && value.state !== undefined) return value;
  return undefined;
}
