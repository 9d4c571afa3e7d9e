// The parts of a data set
export type * from "./contract.js";
export { DatasetError, type DatasetErrorCode } from "./error.js";

// A run: from pictures to shards and a report, resumable
export { type RunOptions, type RunSummary, runDataset, summaryOf } from "./run/run-dataset.js";
export { type CreateRunOptions, createRun, type OwnStages, type Run, type ShardOf } from "./run/create-run.js";
export type { RunProgress } from "./run/progress.js";
export type { IncomingItem, IncomingSource } from "./run/incoming.js";
export { type Step, steps } from "./run/steps.js";
export { whatIf } from "./run/queries.js";
export { reviewStore } from "./run/review.js";

// Its config
export { type ParseConfigOptions, parseConfig, readConfig } from "./config/read-config.js";
export { type NewConfigOptions, newConfig } from "./config/new-config.js";
export type {
  DedupSettings,
  FilterSettings,
  IngestSettings,
  ReportSettings,
  RunConfig,
  ShardSettings,
  SourceSettings,
  SplitSettings,
} from "./config/run-config.js";

// Its record and its files
export { Ledger, type OpenLedgerOptions, openLedger, type StepCounts } from "./ledger/ledger.js";
export type { Failure, LedgerEntry, LedgerItem, ResultRecord, StageResult, Stop } from "./ledger/records.js";
export type { SqliteDriver } from "./ledger/database.js";
export { folderStore } from "./store/folder-store.js";

// Stages by themselves, for queues and programs of one's own
export { createStage, type ItemStageName, itemStages, type StageSettings } from "./stages/create-stage.js";
export { type Job, type RunJobOptions, runJob } from "./stages/run-job.js";
export { type ExtractStageSettings, extractStage } from "./stages/extract-stage.js";
export { defaultDrivers, type ExtractDriver, type ExtractDriverName } from "./stages/extract-drivers.js";
export { type AugmentStageSettings, augmentStage } from "./stages/augment-stage.js";
export type { WrittenShards } from "./shard/write-shards.js";
export { type SplitItem, type SplitOptions, splitItems } from "./split/split-items.js";

// Categories
export { type Category, defaultTaxonomy, findCategory, parseTaxonomy, readTaxonomy, type Taxonomy } from "./taxonomy/taxonomy.js";

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
export type { MiniFilesOptions } from "./mini/files.js";
export { type MiniTripletsOptions, miniTriplets } from "./mini/mini-triplets.js";
export { type WriteMiniOptions, writeMini } from "./mini/write-mini.js";
export { type FaultOptions, type FaultSubject, injectFault } from "./mini/faults/inject.js";
export { type FaultKind, type FaultStyle, type FaultTruth, type FaultyAd, faultKinds, faultStyles } from "./mini/faults/truth.js";

// To look at a run: accept and reject by keyboard
export { type BrowseOptions, type BrowseServer, browse } from "./browse/server.js";
export { type DecisionStoreOptions, decisionStore } from "./browse/memory-store.js";
export type { BrowseCounts, BrowseFacets, BrowseItem, BrowsePage, BrowseQuery, Decision, DecisionStore, PictureRole } from "./browse/store.js";

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

// Several machines: the jobs of a run over Redis or Valkey
export type { JobPool } from "./run/job-pool.js";
export type { QueueOptions } from "./queue/queue-options.js";
export { createQueuePool, type DeadLetter, deadLetters, type QueuePoolOptions, retryDeadLetters } from "./queue/queue-pool.js";
export { type QueueWorker, type QueueWorkerOptions, startQueueWorker } from "./queue/queue-worker.js";
