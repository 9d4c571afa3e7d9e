/** Element types of weights and tensors, by PyTorch's and ONNX's common names. */
export type DType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8_e4m3fn"
  | "float8_e5m2"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/** Bytes per element. */
export const bytesPerElement: Readonly<Record<DType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8_e4m3fn: 1,
  float8_e5m2: 1,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

/** The array that holds a run-time tensor's values; float16 never crosses a graph's edge (cast inside the graph instead). */
export interface TensorData {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Element types that graph inputs and outputs may have. */
export type RunDType = keyof TensorData;

/** A dense tensor in row-major order: `data.length` is the product of `dims`. */
export interface Tensor<T extends RunDType = RunDType> {
  readonly dtype: T;
  readonly dims: readonly number[];
  readonly data: TensorData[T];
}

/** The number of elements of a tensor of these dimensions; 1 for a scalar `[]`. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}
