// The parts of a data set
export type * from "./contract.js";
export { DatasetError, type DatasetErrorCode } from "./error.js";

// Formats: triplets in and out
export { decodeNpy, encodeNpy, type NpyArray, type NpyData, type NpyOptions } from "./formats/npy.js";
export { decodeMask, encodeMask, type MaskEncoding, type MaskLimits } from "./formats/mask-file.js";
export { type ReadTarOptions, type RefusedEntry, readTar, type TarEntry, type TarLimits } from "./formats/tar-read.js";
export { writeTar } from "./formats/tar-write.js";
export { type ShardLimits, type WriteWebDatasetOptions, writeWebDataset } from "./formats/webdataset-write.js";
export { type ReadWebDatasetOptions, readWebDataset } from "./formats/webdataset-read.js";
export { type WriteParquetOptions, writeParquet } from "./formats/parquet-write.js";
export { readParquet } from "./formats/parquet-read.js";
export { type WriteImageFolderOptions, writeImageFolder } from "./formats/image-folder-write.js";
export { readImageFolder } from "./formats/image-folder-read.js";
export { type WriteAuthorsOptions, writeAuthors } from "./formats/authors-write.js";
export { type ReadAuthorsOptions, readAuthors } from "./formats/authors-read.js";
export { type DatasetFormat, type DatasetIndex, type IndexedFile, readIndex, verifyDataset } from "./formats/index-file.js";
export type { WriteOptions, WriteProgress } from "./formats/output.js";
export type { BrokenTriplet, ReadOptions } from "./formats/stored.js";

// AdProd: at random, as a stream, in batches for training
export {
  AdProd,
  type AdProdItem,
  type AdProdOptions,
  type AdProdVariant,
  type StreamedRow,
  type StreamOptions,
} from "./adprod/adprod.js";
export type { BatchOptions, TrainingBatch } from "./adprod/batches.js";
export type { Dropout } from "./adprod/draws.js";
export type { Rank, Shuffle } from "./adprod/order.js";
export type { Position } from "./adprod/position.js";
export { type PreparedRow, type PrepareJob, prepareRow } from "./adprod/prepare.js";
export type { Products } from "./adprod/rows.js";
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
// AdProd-Mini: a procedural set, and pictures with known faults
export { type MiniCategory, miniCategories } from "./mini/products/catalogue.js";
export { type MiniMask, type MiniOptions, type MiniPicture, type MiniTriplet, miniTriplet } from "./mini/triplet.js";
export { type FaultOptions, type FaultSubject, injectFault } from "./mini/faults/inject.js";
export { type FaultKind, type FaultStyle, type FaultTruth, type FaultyAd, faultKinds, faultStyles } from "./mini/faults/truth.js";

// Scores: what is measured of a picture and of its product
export { type ScoreName, scoreNames } from "./score/names.js";
export { type InspectStageSettings, inspectStage, type ScoreStageSettings, scoreStage } from "./score/stages.js";
export { inspectProduct, type ScorePictureOptions, scorePicture } from "./score/score-picture.js";
export type { InspectModels, NumberModel, ScoreModels, TextModel } from "./score/models.js";
export type { ProductMask } from "./score/product-mask.js";

// Filters: thresholds on scores, what they would do, and how well they do
export {
  applyThresholds,
  type CategoryCount,
  checkThresholds,
  countThresholds,
  defaultThresholds,
  type ScoredItem,
  type Threshold,
  type ThresholdCount,
  type ThresholdCounts,
} from "./filter/thresholds.js";
export {
  type FilterMeasure,
  type MeasuredAd,
  type MeasuredKind,
  type MeasureFiltersOptions,
  measuredKinds,
  measureFilters,
  measuresMarkdown,
  type SpoiltAd,
} from "./filter/measure-filters.js";

// Duplicates
export {
  type DuplicateGroup,
  type DuplicateMember,
  type DuplicateOptions,
  type DuplicateReason,
  type FingerprintedItem,
  findDuplicates,
} from "./dedup/find-duplicates.js";
export { type FingerprintStageSettings, fingerprintPicture, fingerprintStage } from "./dedup/fingerprint.js";
export { hashDistance } from "./dedup/perceptual-hash.js";
export { buildHashIndex, type Hashes, type HashIndex } from "./dedup/hash-index.js";
