export { bytesPerElement, type DType, elementCount, type RunDType, type Tensor, type TensorData } from "./tensor.js";
export { WeightsError, type WeightsErrorCode } from "./weights/error.js";
export type { FileRange, StoredTensor, WeightSource } from "./weights/source.js";
