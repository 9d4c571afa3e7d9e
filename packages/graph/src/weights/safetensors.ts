import { bytesPerElement, type DType } from "../tensor.js";
import { checkedElementCount } from "./dims.js";
import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";
import { fileTensor } from "./file-tensor.js";
import type { ReadContext } from "./limits.js";
import type { StoredTensor, WeightSource } from "./source.js";
import { isJsonObject, type Json, parseJsonObject } from "./strict-json.js";

/** An opened .safetensors file. */
export interface SafetensorsFile extends WeightSource {
  /** The texts under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

const dtypes: ReadonlyMap<string, DType> = new Map([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F8_E4M3", "float8_e4m3fn"],
  ["F8_E5M2", "float8_e5m2"],
  ["I64", "int64"],
  ["I32", "int32"],
  ["I16", "int16"],
  ["I8", "int8"],
  ["U64", "uint64"],
  ["U32", "uint32"],
  ["U16", "uint16"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads the header of a safetensors file (huggingface/safetensors README: length, JSON, data without holes or overlaps).
 * Throws a `WeightsError` for anything the format does not allow.
 */
export async function readSafetensors(file: WeightFile, { limits }: ReadContext): Promise<SafetensorsFile> {
  if (file.size < 8) throw new WeightsError("truncated", `${file.path}: expected a header length of 8 bytes, the file has ${file.size}`);
  const length = (await file.read(0, 8)).readBigUInt64LE(0);
  if (length > BigInt(limits.headerBytes)) {
    throw new WeightsError("limit", `${file.path}: expected a header of at most ${limits.headerBytes} bytes, it says ${length}`);
  }
  const start = 8 + Number(length);
  if (start > file.size) throw new WeightsError("truncated", `${file.path}: the header should end at ${start}, the file ends at ${file.size}`);
  const text = await file.read(8, Number(length));
  if (text[0] !== 0x7b) throw new WeightsError("malformed", `${file.path}: expected the header to begin with {`);
  const header = parseJsonObject(text, `${file.path}: header`);

  const entries: Entry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = readMetadata(value, file.path);
    else entries.push(readEntry(name, value, `${file.path}: ${JSON.stringify(name)}`));
  }
  function readEntry(name: string, value: Json, what: string): Entry {
    if (!isJsonObject(value)) throw new WeightsError("malformed", `${what}: expected an object with dtype, shape and data_offsets`);
    const fields = new Map(Object.entries(value));
    const dtypeName = fields.get("dtype");
    const dims = fields.get("shape");
    const offsets = fields.get("data_offsets");
    if (typeof dtypeName !== "string" || !Array.isArray(dims) || !Array.isArray(offsets) || fields.size !== 3) {
      throw new WeightsError(
        "malformed",
        `${what}: expected exactly dtype, shape and data_offsets, got ${[...fields.keys()].join(", ") || "nothing"}`,
      );
    }
    const dtype = dtypes.get(dtypeName);
    if (!dtype) throw new WeightsError("unsupported", `${what}: expected dtype ${[...dtypes.keys()].join(" | ")}, got ${dtypeName.slice(0, 100)}`);
    const count = checkedElementCount(dims, what, limits);
    const [begin, end] = offsets as readonly unknown[];
    if (!isOffset(begin) || !isOffset(end) || offsets.length !== 2 || begin > end) {
      throw new WeightsError("malformed", `${what}: expected data_offsets [begin, end], got ${JSON.stringify(offsets).slice(0, 100)}`);
    }
    if (end - begin !== count * bytesPerElement[dtype]) {
      throw new WeightsError(
        "malformed",
        `${what}: ${dtypeName} [${dims.join(", ")}] takes ${count * bytesPerElement[dtype]} bytes, data_offsets give ${end - begin}`,
      );
    }
    return { name, dtype, dims: dims as readonly number[], begin, end };
  }

  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  if (entries.length > limits.tensors)
    throw new WeightsError("limit", `${file.path}: expected at most ${limits.tensors} tensors, got ${entries.length}`);
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      throw new WeightsError(
        "malformed",
        `${file.path}: ${JSON.stringify(name)} begins at ${begin} of the data, the one before it ends at ${covered}`,
      );
    }
    covered = end;
  }
  const size = file.size - start;
  if (covered !== size) {
    throw new WeightsError(covered > size ? "truncated" : "malformed", `${file.path}: the tensors take ${covered} bytes, the file holds ${size}`);
  }
  const tensors = new Map<string, StoredTensor>(
    entries.map(({ name, dtype, dims, begin, end }) => [name, fileTensor(file, { name, dtype, dims, offset: start + begin, length: end - begin })]),
  );
  return { description: file.path, tensors, metadata };
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function readMetadata(value: Json, path: string): ReadonlyMap<string, string> {
  const entries = isJsonObject(value) ? Object.entries(value) : [["", value] as const];
  return new Map(
    entries.map(([key, text]) => {
      if (typeof text !== "string") throw new WeightsError("malformed", `${path}: expected __metadata__ to hold texts only`);
      return [key, text];
    }),
  );
}
