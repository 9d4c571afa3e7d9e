/** How much of a weight file is believed; what goes beyond is refused with the code `limit`. */
export interface WeightLimits {
  /** Longest pickle in a PyTorch file, in bytes. Default 64 MiB. */
  readonly pickleBytes: number;
  /** Longest safetensors header or shard index, in bytes. Default 100 MB, the format's own limit. */
  readonly headerBytes: number;
  /** Memory that the objects of a pickle may take beyond four times the file's size, in bytes. Default 48 MiB. */
  readonly objectBytes: number;
  /** Largest tensor that is bigger in memory than what is stored of it (expanded views), in bytes. Default 32 MiB. */
  readonly expandedBytes: number;
  /** Most tensors in one checkpoint. Default 1 000 000. */
  readonly tensors: number;
  /** Most dimensions of a tensor. Default 64, as in PyTorch and NumPy. */
  readonly dimensions: number;
}

export const defaultLimits: WeightLimits = {
  pickleBytes: 64 * 2 ** 20,
  headerBytes: 100_000_000,
  objectBytes: 48 * 2 ** 20,
  expandedBytes: 32 * 2 ** 20,
  tensors: 1_000_000,
  dimensions: 64,
};

export interface OpenOptions {
  /** Aborts the opening; tensors that were opened stay readable. */
  readonly signal?: AbortSignal;
  /** Limits other than the default ones. */
  readonly limits?: Partial<WeightLimits>;
}

/** What every reader of a container is given. */
export interface ReadContext {
  readonly limits: WeightLimits;
  readonly signal?: AbortSignal | undefined;
}

export function contextOf({ signal, limits }: OpenOptions): ReadContext {
  return { limits: { ...defaultLimits, ...limits }, signal };
}
