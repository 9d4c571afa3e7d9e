// The pipeline
export { RefAdGenPipeline } from "./pipeline.js";
export type { PipelineSources } from "./sources.js";
export type {
  Component,
  GenerateEvent,
  GenerateOptions,
  GenerateResult,
  ImageEvent,
  LoadProgress,
  PipelineOptions,
  Stage,
  StageEvent,
  StepEvent,
  WarningEvent,
} from "./options.js";
export type { ActivationRanges } from "@refadgen/graph";
export { published } from "./defaults.js";
export { fetchSources } from "./fetch-sources.js";
// Its parts, for those who build another
export type { Mask } from "@refadgen/extract";
export { autoencoderInput, latentMask, loadProduct, type LoadProductOptions, type Product, publishedResize } from "./product.js";
export { previewLatents } from "./preview.js";
export { generationConfig, type Models, openModels } from "./models.js";
export {
  contextGraph,
  decodeGraph,
  encodeGraph,
  generationGraph,
  type LatentSize,
  productTokensGraph,
  referenceGraph,
  textGraph,
} from "./networks.js";
// Errors
export { PipelineError, type PipelineErrorCode } from "./error.js";
export { ArgumentError, RefAdGenError } from "@refadgen/errors";
export { SessionError, WeightsError } from "@refadgen/graph";
export { HubError } from "@refadgen/hub";
export { ImageError } from "@refadgen/image";
