/** What weights can be written as. */
export type StorageDType = "float32" | "float16" | "bfloat16";

/** Values as little-endian bytes of a type, rounded to the nearest, ties to even; float16 beyond 65504 is infinite. */
export function narrowFloat32(dtype: StorageDType, values: Float32Array): Uint8Array {
  if (dtype === "float32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  const narrow = dtype === "float16" ? half : brain;
  for (let index = 0; index < out.length; index++) out[index] = narrow(bits[index]!);
  return new Uint8Array(out.buffer);
}

function brain(bits: number): number {
  // A NaN's payload may lie in the half that is cut off.
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function half(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rebiased = magnitude - 0x38000000;
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x33000000) return sign;
  // Subnormal: the mantissa with its hidden bit, shifted by what the exponent lacks.
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const middle = 1 << (shift - 1);
  return sign | (kept + (rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0));
}
