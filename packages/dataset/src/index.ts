// The parts of a data set
export type * from "./contract.js";
export { DatasetError, type DatasetErrorCode } from "./error.js";

// Captions: written, and checked
export { type CaptionStage, type CaptionTools, captionStage } from "./caption/stage.js";
export { type CaptionSettings, type CaptionWriter, captionCategories } from "./caption/settings.js";
export { type CaptionCheck, type CaptionContext, type CheckedCaption, checkCaptions } from "./caption/check/check.js";
export { type CaptionProblem, type CaptionProblemCode, captionProblemCodes } from "./caption/check/problem.js";
export { estimateClipTokens } from "./caption/check/tokens.js";
export { type CategoryWords, categoryWords } from "./caption/category-words.js";
export type { BudgetSettings, CaptionUsage } from "./caption/chat/budget.js";
export type { RetrySettings } from "./caption/chat/chat.js";
export type { AnswerFormat, EndpointSettings } from "./caption/chat/endpoint.js";
export { defaultCaptionStyle } from "./caption/prompt.js";

// Report of a run
export { type DatasetReport, type DatasetReportOptions, datasetReport } from "./report/report.js";
export type {
  CategoryCounts,
  DatasetReportData,
  DuplicateCluster,
  FailureCounts,
  PictureSource,
  RejectionCounts,
  ReportPicture,
  ReportTriplet,
  ScoreColumn,
  StageCounts,
} from "./report/data.js";
export { tableOneCounts } from "./report/table-one.js";
