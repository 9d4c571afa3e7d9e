/** How elements lie in a run of bytes: element `[i, j, …]` is number `i·strides[0] + j·strides[1] + …`. Strides are ≥ 0. */
export interface StridedLayout {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  /** Bytes per element: 1, 2, 4 or 8. */
  readonly elementBytes: number;
}

/** The elements in row-major order, one after another. `source` must begin at a multiple of 8 in its buffer. */
export function gather(source: Uint8Array, { dims, strides, elementBytes }: StridedLayout): Uint8Array {
  const count = dims.reduce((product, size) => product * size, 1);
  const result = Buffer.allocUnsafeSlow(count * elementBytes);
  if (count === 0) return result;
  // Moved as 32-bit words: float arrays might change the bits of a NaN.
  const words = Math.max(1, elementBytes / 4);
  const from = asIntegers(source, Math.min(elementBytes, 4));
  const to = asIntegers(result, Math.min(elementBytes, 4));

  const rank = dims.length;
  const inner = rank > 0 ? dims[rank - 1]! : 1;
  const innerStride = rank > 0 ? strides[rank - 1]! * words : 0;
  const index = new Array<number>(Math.max(rank - 1, 0)).fill(0);
  let start = 0;
  for (let at = 0; at < to.length; ) {
    for (let i = 0, place = start; i < inner; i++, place += innerStride) {
      to[at++] = from[place]!;
      if (words === 2) to[at++] = from[place + 1]!;
    }
    for (let axis = rank - 2; axis >= 0; axis--) {
      start += strides[axis]! * words;
      if (++index[axis]! < dims[axis]!) break;
      start -= index[axis]! * strides[axis]! * words;
      index[axis] = 0;
    }
  }
  return result;
}

/** Turns the bytes of every element around, in place. */
export function swapBytes(bytes: Buffer, elementBytes: number): Buffer {
  if (elementBytes === 2) return bytes.swap16();
  if (elementBytes === 4) return bytes.swap32();
  return elementBytes === 8 ? bytes.swap64() : bytes;
}

function asIntegers({ buffer, byteOffset, byteLength }: Uint8Array, elementBytes: number): Uint8Array | Uint16Array | Uint32Array {
  if (elementBytes === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (elementBytes === 2) return new Uint16Array(buffer, byteOffset, Math.floor(byteLength / 2));
  return new Uint32Array(buffer, byteOffset, Math.floor(byteLength / 4));
}
