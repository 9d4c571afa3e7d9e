import type { DType } from "../tensor.js";

/** A run of bytes in a file. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** One named tensor of a checkpoint; its values stay where they are until `read` is called. */
export interface StoredTensor {
  /** Its key in the file. */
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Where its values lie contiguous, row-major, little-endian and uncompressed; absent where they do not. */
  readonly location?: FileRange;
  /** The values in `dtype`: contiguous, row-major, little-endian, in memory of their own. Rejects with a `WeightsError` when the file no longer holds them. */
  read(): Promise<Uint8Array>;
  /** The elements `start` to `end` (exclusive) of the flattened tensor, as `read` gives them; absent where a part costs as much as the whole. */
  readRange?(start: number, end: number): Promise<Uint8Array>;
  /** A text that is equal only for equal values: for file contents a digest (computed once per file and remembered), for formula weights the formula. */
  contentKey(): Promise<string>;
}

/** An opened checkpoint: its table of tensors, whatever the container. */
export interface WeightSource {
  /** What to call it in messages: the path, or `formula weights "salt"`. */
  readonly description: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}
