import { bytesPerElement, elementCount } from "../tensor.js";
import type { WeightFile } from "./file.js";
import { fileTensor, tensorKey } from "./file-tensor.js";
import type { StoredTensor } from "./source.js";
import { gather, swapBytes } from "./strided.js";
import { isContiguous, type TorchTensor } from "./torch-object.js";

/** The bytes of one storage. */
export interface StorageBytes {
  /** Where they begin in the file; undefined when they are compressed. */
  readonly offset: number | undefined;
  /** Reads a part of them, in bytes from the storage's begin. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A tensor of a PyTorch file as others read it: in place where it lies right, else gathered when it is read. */
export function torchTensor(
  tensor: TorchTensor,
  {
    file,
    name,
    storage,
    bigEndian,
  }: { readonly file: WeightFile; readonly name: string; readonly storage: StorageBytes; readonly bigEndian: boolean },
): StoredTensor {
  const { dtype, dims, strides } = tensor;
  const elementBytes = bytesPerElement[dtype];
  const start = tensor.storage.byteOffset + tensor.offset * elementBytes;
  const contiguous = isContiguous(tensor);
  const count = elementCount(dims);
  // An empty tensor may stand anywhere; it must not be looked for beyond the file's end.
  if (count === 0) return fileTensor(file, { name, dtype, dims, offset: storage.offset ?? 0, length: 0 });
  if (contiguous && storage.offset !== undefined && (!bigEndian || elementBytes === 1)) {
    return fileTensor(file, { name, dtype, dims, offset: storage.offset + start, length: count * elementBytes });
  }
  const span = 1 + dims.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 0);
  return {
    name,
    dtype,
    dims,
    read: async () => {
      const bytes = await storage.read(start, span * elementBytes);
      if (bigEndian) swapBytes(bytes, elementBytes);
      return contiguous ? bytes : gather(bytes, { dims, strides, elementBytes });
    },
    contentKey: () => tensorKey(file, name),
  };
}
