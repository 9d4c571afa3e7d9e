export { published } from "./defaults.js";
export { PipelineError, type PipelineErrorCode } from "./error.js";
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
export { previewLatents } from "./preview.js";
export type { PipelineSources } from "./sources.js";
