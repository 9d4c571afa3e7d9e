import { bytesPerElement, type DType } from "../tensor.js";
import { fileDigest } from "./digest.js";
import type { WeightFile } from "./file.js";
import type { StoredTensor } from "./source.js";

/** A tensor whose values lie contiguous, row-major and little-endian at `offset` of a file. `length` is in bytes. */
export function fileTensor(
  file: WeightFile,
  {
    name,
    dtype,
    dims,
    offset,
    length,
  }: { readonly name: string; readonly dtype: DType; readonly dims: readonly number[]; readonly offset: number; readonly length: number },
): StoredTensor {
  const size = bytesPerElement[dtype];
  return {
    name,
    dtype,
    dims,
    location: { path: file.path, offset, length },
    read: () => file.read(offset, length),
    readRange: (start, end) => file.read(offset + start * size, (end - start) * size),
    contentKey: () => tensorKey(file, name),
  };
}

/** The content key of a tensor that is read out of a file: the file's digest and the name in it. */
export async function tensorKey(file: WeightFile, name: string): Promise<string> {
  return `${await fileDigest(file)}/${name}`;
}
