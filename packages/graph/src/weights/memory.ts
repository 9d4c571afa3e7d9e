import { createHash } from "node:crypto";
import { ArgumentError } from "@refadgen/errors";
import { bytesPerElement, type DType, elementCount } from "../tensor.js";
import type { StoredTensor, WeightSource } from "./source.js";

/** A tensor in memory: `data` holds its elements row-major and little-endian, in a typed array or as bytes. */
export interface MemoryTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype: DType;
  readonly data: ArrayBufferView;
}

/** Tensors that are in memory already, as a checkpoint. Throws an `ArgumentError` when data and sizes differ or a name comes twice. */
export function memoryWeights(
  tensors: Iterable<MemoryTensor>,
  { description = "weights in memory" }: { readonly description?: string } = {},
): WeightSource {
  const stored = new Map<string, StoredTensor>();
  for (const { name, dims, dtype, data } of tensors) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const size = bytesPerElement[dtype];
    if (elementCount(dims) * size !== bytes.length) {
      throw new ArgumentError(
        `memoryWeights: expected ${elementCount(dims) * size} bytes for ${name} (${dtype} [${dims.join(", ")}]), got ${bytes.length}`,
      );
    }
    if (stored.has(name)) throw new ArgumentError(`memoryWeights: expected names that differ, got ${name} twice`);
    let key: string | undefined;
    stored.set(name, {
      name,
      dims: [...dims],
      dtype,
      read: async () => Uint8Array.from(bytes),
      readRange: async (start, end) => bytes.slice(start * size, end * size),
      contentKey: async () => {
        key ??= `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
        return key;
      },
    });
  }
  return { description, tensors: stored };
}
