/** The bits of the nearest float16 (ties to even) of every value; what is too large becomes infinite. */
export function float16Bits(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const half = new Uint16Array(values.length);
  for (let i = 0; i < half.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const rest = bits[i]! & 0x7fffffff;
    if (rest > 0x7f800000) half[i] = sign | 0x7e00 | ((rest >>> 13) & 0x1ff);
    else if (rest >= 0x477ff000) half[i] = sign | 0x7c00;
    // Below 2^-14: a multiple of 2^-24, rounded by float64's addition.
    else if (rest < 0x38800000) half[i] = sign | ((Math.abs(values[i]!) + 1.5 * 2 ** 28 - 1.5 * 2 ** 28) * 2 ** 24);
    else half[i] = sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
  }
  return half;
}
