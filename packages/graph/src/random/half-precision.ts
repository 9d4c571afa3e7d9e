/** Rounds every value to the nearest float16 (ties to even), in place. */
export function roundToFloat16(values: Float32Array): Float32Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const size = Math.abs(value);
    if (size >= 65520) values[i] = value * Number.POSITIVE_INFINITY;
    else if (size < 2 ** -14)
      values[i] = value + 1.5 * 2 ** 28 - 1.5 * 2 ** 28; // float64's own rounding, to multiples of 2^-24
    else bits[i] = (bits[i]! + 0xfff + ((bits[i]! >> 13) & 1)) & ~0x1fff; // 10 of 23 mantissa bits stay; NaN has no size and stays NaN
  }
  return values;
}

/** Rounds every value to the nearest bfloat16 (ties to even), in place. */
export function roundToBfloat16(values: Float32Array): Float32Array {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]!)) bits[i] = (bits[i]! + 0x7fff + ((bits[i]! >> 16) & 1)) & ~0xffff;
  }
  return values;
}
