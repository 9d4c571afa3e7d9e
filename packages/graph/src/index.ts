// Tensors and graphs
export { bytesPerElement, type DType, elementCount, type RunDType, type Tensor, type TensorData } from "./tensor.js";
export { type Attribute, type Constant, type Domain, Graph, type Node, type Operand, shape, type Value } from "./graph.js";
export { GraphError } from "./error.js";
export { live, liveParameters, type Placement, serialize } from "./serialize.js";
// Ops
export { activation, gelu, quickGelu, silu, softmax } from "./ops/activation.js";
export { attention, type AttentionOptions } from "./ops/attention.js";
export { conv2d, type Conv2dOptions } from "./ops/convolution.js";
export { add, cast, clamp, cos, divide, exp, multiply, relu, scalar, sigmoid, sin, sqrt, subtract, tanh } from "./ops/elementwise.js";
export { argMax, embedding, pickRows } from "./ops/gather.js";
export { concat, expand, integers, reshape, slice, transpose } from "./ops/layout.js";
export { linear, matMul } from "./ops/linear.js";
export { batchNorm, type BatchNormStatistics, groupNorm, layerNorm } from "./ops/normalization.js";
export { averagePool2d, type AveragePool2dOptions, maxPool2d, type MaxPool2dOptions, mean, sumOfSquares } from "./ops/pooling.js";
export { resizeNearest } from "./ops/resize.js";
// Weights: files, views, formula
export { cacheFloat32, type CacheFloat32Options } from "./weights/cache.js";
export { type CacheEntry, cacheFolder, cacheUsage, clearCache } from "./weights/cache-folder.js";
export { WeightsError, type WeightsErrorCode } from "./weights/error.js";
export { formulaGaussian, formulaTensor, formulaValues, formulaWeights } from "./weights/formula.js";
export { defaultLimits, type OpenOptions, type WeightLimits } from "./weights/limits.js";
export { type MemoryTensor, memoryWeights } from "./weights/memory.js";
export { type NumpyArray, openNpz, readNpy } from "./weights/numpy.js";
export { isPytorchFile, openPytorchFile, openSafetensors, openWeights, usualNames as usualWeightNames } from "./weights/open.js";
export { isList, pickleAt, PickleGlobal, PickleObject, type PickleValue } from "./weights/pickle-value.js";
export type { SafetensorsFile } from "./weights/safetensors.js";
export { TorchStorage, TorchTensor } from "./weights/torch-object.js";
export type { PytorchFile } from "./weights/pytorch-file.js";
export type { FileRange, StoredTensor, WeightSource } from "./weights/source.js";
export { type FloatDType, isFloat, widenToFloat32, widenToFloat64 } from "./weights/widen.js";
export type { StorageDType } from "./weights/narrow.js";
export { writeSafetensors, type WriteSafetensorsOptions } from "./weights/write-safetensors.js";
export { type Parameter, reshaped, rows, type WeightLookup, Weights } from "./weights/weights.js";
// Precision
export { float16Graph } from "./precision/float16.js";
export { int8Graph, type Int8Options } from "./precision/int8.js";
export { type ActivationRanges, gatherRanges, watchRanges } from "./precision/ranges.js";
// Random numbers
export { type Generator, type NormalOptions, type RandomDType, type RandomOptions, type RandomTensor, torchGenerator } from "./random/generator.js";
export { randnTensor } from "./random/randn-tensor.js";
// Sessions
export { processorFlags } from "./session/processor.js";
export { SessionError, type SessionErrorCode } from "./session/error.js";
export { bindInputs } from "./rewrite.js";
export {
  type ExecutionProvider,
  executionProviders,
  type Feeds,
  type HeldTensor,
  openSession,
  type Precision,
  precisions,
  type RuntimeName,
  runtimeNames,
  type Session,
  type SessionFigures,
  type SessionOptions,
} from "./session/session.js";
