import { openSafetensors, type StoredTensor } from "@refadgen/graph";

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
  const { tensors, metadata } = await openSafetensors(path);
  const settings = JSON.parse(metadata.get("settings") ?? "{}") as Settings;
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
    case "float16":
      return Float64Array.from(new Uint16Array(buffer), fromFloat16);
    case "bfloat16":
      return Float64Array.from(new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer));
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

function fromFloat16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
