import { readFile } from "node:fs/promises";
import { openWeights, type StoredTensor } from "@refadgen/graph";

/** One recorded file: its settings and its tensors by name. */
export interface Recording<Settings> {
  readonly settings: Settings;
  readonly names: readonly string[];
  readonly has: (name: string) => boolean;
  readonly dims: (name: string) => readonly number[];
  /** Values as float64, whatever they are stored as; int64 below 2^53. */
  readonly values: (name: string) => Promise<Float64Array>;
}

/** Reads a `.safetensors` recording; `settings` is the JSON in its metadata. */
export async function openRecording<Settings>(path: string): Promise<Recording<Settings>> {
  const { tensors } = await openWeights(path);
  const bytes = await readFile(path);
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0)))) as { readonly __metadata__?: { readonly settings?: string } };
  const settings = JSON.parse(header.__metadata__?.settings ?? "{}") as Settings;
  const tensor = (name: string): StoredTensor => {
    const found = tensors.get(name);
    if (!found) throw new Error(`${name} is not recorded`);
    return found;
  };
  return {
    settings,
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    dims: (name) => tensor(name).dims,
    values: async (name) => toFloat64(tensor(name).dtype, await tensor(name).read()),
  };
}

function toFloat64(dtype: string, bytes: Uint8Array): Float64Array {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  switch (dtype) {
    case "float32":
      return Float64Array.from(new Float32Array(buffer));
    case "float64":
      return new Float64Array(buffer);
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case "int32":
      return Float64Array.from(new Int32Array(buffer));
    case "uint8":
    case "bool":
      return Float64Array.from(new Uint8Array(buffer));
    default:
      throw new Error(`recordings of ${dtype} are not read here`);
  }
}
