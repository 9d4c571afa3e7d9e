import type { DType } from "../tensor.js";

/** Element types that `widenToFloat32` takes. */
export type FloatDType = "float64" | "float32" | "float16" | "bfloat16" | "float8_e4m3fn" | "float8_e5m2";

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype.includes("float");
}

/**
 * Little-endian values as float32: exact, infinities, NaNs and subnormals included, but for float64, which is rounded to the nearest.
 * The result may share the memory of `bytes` when they are float32 already.
 */
export function widenToFloat32(dtype: FloatDType, bytes: Uint8Array): Float32Array {
  switch (dtype) {
    case "float32":
      return new Float32Array(...aligned(bytes, 4));
    case "float64":
      return Float32Array.from(new Float64Array(...aligned(bytes, 8)));
    case "bfloat16": {
      const source = new Uint16Array(...aligned(bytes, 2));
      const bits = new Uint32Array(source.length);
      for (let i = 0; i < bits.length; i++) bits[i] = source[i]! << 16;
      return new Float32Array(bits.buffer);
    }
    case "float16":
      return lookUp(new Uint16Array(...aligned(bytes, 2)), tableOf(dtype));
    default:
      return lookUp(bytes, tableOf(dtype));
  }
}

/** Little-endian values of any type as float64: exact but for 64-bit integers beyond 2⁵³, which are rounded. Booleans give 0 and 1. */
export function widenToFloat64(dtype: DType, bytes: Uint8Array): Float64Array {
  if (dtype === "float64") return new Float64Array(...aligned(bytes, 8));
  if (isFloat(dtype)) return Float64Array.from(widenToFloat32(dtype, bytes));
  switch (dtype) {
    case "int64":
      return Float64Array.from(new BigInt64Array(...aligned(bytes, 8)), Number);
    case "uint64":
      return Float64Array.from(new BigUint64Array(...aligned(bytes, 8)), Number);
    case "int32":
      return Float64Array.from(new Int32Array(...aligned(bytes, 4)));
    case "uint32":
      return Float64Array.from(new Uint32Array(...aligned(bytes, 4)));
    case "int16":
      return Float64Array.from(new Int16Array(...aligned(bytes, 2)));
    case "uint16":
      return Float64Array.from(new Uint16Array(...aligned(bytes, 2)));
    case "int8":
      return Float64Array.from(new Int8Array(...aligned(bytes, 1)));
    case "uint8":
      return Float64Array.from(bytes);
    case "bool":
      return Float64Array.from(bytes, (byte) => (byte === 0 ? 0 : 1));
  }
}

/** Buffer, offset and length for a typed array of this element size; copied where the bytes do not begin at a multiple of it. */
function aligned(bytes: Uint8Array, elementBytes: number): [ArrayBufferLike, number, number] {
  const { buffer, byteOffset, byteLength } = byteOffsetFits(bytes, elementBytes) ? bytes : Uint8Array.from(bytes);
  return [buffer, byteOffset, byteLength / elementBytes];
}

function byteOffsetFits({ byteOffset }: Uint8Array, elementBytes: number): boolean {
  return byteOffset % elementBytes === 0;
}

function lookUp(source: Uint8Array | Uint16Array, table: Uint32Array): Float32Array {
  // The bits are moved, not the values, so that a NaN keeps its payload.
  const bits = new Uint32Array(source.length);
  for (let i = 0; i < bits.length; i++) bits[i] = table[source[i]!]!;
  return new Float32Array(bits.buffer);
}

interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  /** Without infinities (float8_e4m3fn): only the code of all ones is a NaN. */
  readonly finite: boolean;
}

const smallFloats: Readonly<Record<"float16" | "float8_e4m3fn" | "float8_e5m2", SmallFloat>> = {
  float16: { exponentBits: 5, mantissaBits: 10, finite: false },
  float8_e4m3fn: { exponentBits: 4, mantissaBits: 3, finite: true },
  float8_e5m2: { exponentBits: 5, mantissaBits: 2, finite: false },
};

const tables = new Map<string, Uint32Array>();

/** The float32 bits of every code of a small float type (IEEE 754 binary16; OCP 8-bit floating point specification). */
function tableOf(dtype: keyof typeof smallFloats): Uint32Array {
  const known = tables.get(dtype);
  if (known) return known;
  const { exponentBits, mantissaBits, finite } = smallFloats[dtype];
  const table = new Uint32Array(2 ** (1 + exponentBits + mantissaBits));
  const bias = 2 ** (exponentBits - 1) - 1;
  const largestExponent = 2 ** exponentBits - 1;
  const number = new Float32Array(1);
  const bits = new Uint32Array(number.buffer);
  for (let code = 0; code < table.length; code++) {
    const mantissa = code & (2 ** mantissaBits - 1);
    const exponent = (code >> mantissaBits) & largestExponent;
    const special = exponent === largestExponent && (!finite || mantissa === 2 ** mantissaBits - 1);
    if (special) bits[0] = 0x7f800000 | ((finite ? 2 ** mantissaBits / 2 : mantissa) << (23 - mantissaBits));
    else if (exponent === 0) number[0] = mantissa * 2 ** (1 - bias - mantissaBits);
    else number[0] = (2 ** mantissaBits + mantissa) * 2 ** (exponent - bias - mantissaBits);
    const sign = code >> (exponentBits + mantissaBits);
    table[code] = bits[0]! | (sign << 31);
  }
  tables.set(dtype, table);
  return table;
}
