import { bytesPerElement, type DType, elementCount } from "../tensor.js";
import { checkedElementCount } from "./dims.js";
import { WeightsError } from "./error.js";
import type { WeightLimits } from "./limits.js";
import { isList, PickleGlobal, type PickleObject, type PickleValue } from "./pickle-value.js";

/** A storage that a pickle refers to. Its bytes lie elsewhere in the checkpoint. */
export class TorchStorage {
  readonly key: string;
  /** Undefined for an untyped storage. */
  readonly dtype: DType | undefined;
  /** In bytes. */
  readonly byteLength: number;
  /** Where it begins in the storage named `key`, in bytes: not 0 only for views of old legacy files. */
  readonly byteOffset: number;

  constructor(key: string, dtype: DType | undefined, byteLength: number, byteOffset = 0) {
    this.key = key;
    this.dtype = dtype;
    this.byteLength = byteLength;
    this.byteOffset = byteOffset;
  }
}

/** A view of a storage: element `[i, j, …]` is number `offset + i·strides[0] + j·strides[1] + …`. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;

  constructor(storage: TorchStorage, dtype: DType, dims: readonly number[], strides: readonly number[], offset: number) {
    this.storage = storage;
    this.dtype = dtype;
    this.dims = dims;
    this.strides = strides;
    this.offset = offset;
  }
}

const storageTypes: ReadonlyMap<string, DType> = new Map([
  ["DoubleStorage", "float64"],
  ["FloatStorage", "float32"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["LongStorage", "int64"],
  ["IntStorage", "int32"],
  ["ShortStorage", "int16"],
  ["CharStorage", "int8"],
  ["ByteStorage", "uint8"],
  ["BoolStorage", "bool"],
]);

const otherStorageTypes: ReadonlySet<string> = new Set([
  "ComplexFloatStorage",
  "ComplexDoubleStorage",
  "QUInt8Storage",
  "QInt8Storage",
  "QInt32Storage",
  "QUInt4x2Storage",
  "QUInt2x4Storage",
]);

const dtypes: ReadonlySet<string> = new Set(Object.keys(bytesPerElement));

/** The persistent id of a storage: `("storage", class, key, location, numel)`, in legacy files followed by a view or None. The location is ignored. */
export function readStorageId(id: PickleValue, what: string): TorchStorage {
  const malformed = (message: string): never => {
    throw new WeightsError("malformed", `${what}: a storage's persistent id ${message}`);
  };
  if (!isList(id) || id[0] !== "storage" || id.length < 5 || id.length > 6)
    return malformed('is not ("storage", class, key, location, number of elements)');
  const [, type, key, , count, view = null] = id;
  if (!(type instanceof PickleGlobal)) return malformed("names no class");
  if (typeof key !== "string") return malformed("has a key that is no text");
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) return malformed("has a number of elements that is no integer ≥ 0");
  const dtype = storageType(type, what);
  const size = dtype ? bytesPerElement[dtype] : 1;
  if (!Number.isSafeInteger(count * size)) return malformed(`claims ${count} elements`);
  if (view === null) return new TorchStorage(key, dtype, count * size);
  const [, start, length] = isList(view) && view.length === 3 ? view : malformed("has a view that is not (key, offset, size)");
  if (!isCount(start) || !isCount(length) || start + length > count) return malformed("has a view beyond its storage");
  return new TorchStorage(key, dtype, count * size, start * size);
}

function storageType(type: PickleGlobal, what: string): DType | undefined {
  const { module, name } = type;
  if (["torch", "torch.storage"].includes(module) && name === "UntypedStorage") return undefined;
  const dtype = module === "torch" || module === "torch.cuda" ? storageTypes.get(name) : undefined;
  if (dtype) return dtype;
  if (module === "torch" && otherStorageTypes.has(name)) {
    throw new WeightsError("unsupported", `${what}: expected real numbers, integers or booleans, got a ${name} (complex or quantized)`);
  }
  throw new WeightsError("malformed", `${what}: ${type} is no storage class`);
}

/** Calls that make tensors, parameters and sizes; undefined for every other name. Tensors are checked against their storage at once. */
export function callTorch(type: PickleGlobal, args: readonly PickleValue[], what: string, limits: WeightLimits): PickleValue | undefined {
  const { module, name } = type;
  const malformed = (): never => {
    throw new WeightsError("malformed", `${what}: ${type} is called with arguments that it does not take`);
  };
  const tensor = (value: PickleValue | undefined): TorchTensor => (value instanceof TorchTensor ? value : malformed());
  if (module === "torch" && name === "Size") return args.length === 1 && isList(args[0]) ? Object.freeze([...args[0]]) : malformed();
  if (module === "torch.jit._pickle") {
    if (/^build_\w+list$/.test(name)) return args.length === 1 && isList(args[0]) ? args[0] : malformed();
    if (name === "restore_type_tag") return args.length === 2 ? args[0]! : malformed();
    return undefined;
  }
  if (module !== "torch._utils") return undefined;
  switch (name) {
    case "_rebuild_tensor": {
      const [storage, offset, dims, strides] = args;
      return args.length === 4 ? rebuild(storage, offset, dims, strides, undefined) : malformed();
    }
    case "_rebuild_tensor_v2": {
      const [storage, offset, dims, strides] = args;
      return args.length === 6 || args.length === 7 ? rebuild(storage, offset, dims, strides, undefined) : malformed();
    }
    case "_rebuild_tensor_v3": {
      const [storage, offset, dims, strides, , , dtype] = args;
      return dtype instanceof PickleGlobal && args.length <= 8 ? rebuild(storage, offset, dims, strides, dtype) : malformed();
    }
    case "_rebuild_parameter":
      return args.length === 3 ? tensor(args[0]) : malformed();
    case "_rebuild_parameter_with_state":
      return args.length === 4 ? tensor(args[0]) : malformed();
    default:
      return undefined;
  }

  function rebuild(
    storage: PickleValue | undefined,
    offset: PickleValue | undefined,
    dims: PickleValue | undefined,
    strides: PickleValue | undefined,
    named: PickleGlobal | undefined,
  ): TorchTensor {
    if (!(storage instanceof TorchStorage) || !isList(dims) || !isList(strides) || !isCount(offset)) return malformed();
    const dtype = named ? namedDtype(named, what) : storage.dtype;
    if (!dtype) return malformed();
    const count = checkedElementCount(dims, `${what}: a tensor`, limits);
    const sizes = dims as readonly number[];
    if (strides.length !== sizes.length || !strides.every(isCount)) {
      throw new WeightsError("malformed", `${what}: a tensor of ${sizes.length} dimensions has strides that do not fit`);
    }
    const last = sizes.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, offset);
    const size = bytesPerElement[dtype];
    if (count > 0 && !((last + 1) * size <= storage.byteLength)) {
      throw new WeightsError("malformed", `${what}: a tensor [${sizes.join(", ")}] reaches beyond its storage of ${storage.byteLength} bytes`);
    }
    if (count * size > Math.max(storage.byteLength, limits.expandedBytes)) {
      throw new WeightsError("limit", `${what}: a tensor [${sizes.join(", ")}] would take ${count * size} bytes, ${storage.byteLength} are stored`);
    }
    return new TorchTensor(storage, dtype, sizes, strides, offset);
  }
}

/** Whether a foreign object is a tensor of a kind that is not read here (sparse, quantized, nested, on no device). */
export function isForeignTensor({ type }: PickleObject): boolean {
  return type.module === "torch._utils" && type.name.startsWith("_rebuild_");
}

/** Whether the tensor's elements lie one after another in row-major order. */
export function isContiguous({ dims, strides }: TorchTensor): boolean {
  if (elementCount(dims) === 0) return true;
  let expected = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    if (dims[i] !== 1 && strides[i] !== expected) return false;
    expected *= dims[i]!;
  }
  return true;
}

function namedDtype({ module, name }: PickleGlobal, what: string): DType {
  if (module === "torch" && dtypes.has(name)) return name as DType;
  throw new WeightsError("unsupported", `${what}: expected an element type ${[...dtypes].join(" | ")}, got ${module}.${name}`);
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
