// Networks
export type {
  Clip,
  ClipPreprocessing,
  ClipTruncation,
  DenseFeatures,
  Dino,
  DinoOptions,
  ImageReward,
  Inception,
  InceptionInput,
  InceptionLevel,
  InceptionOptions,
  LoadedNetwork,
  LoadOptions,
  LoadProgress,
  Lpips,
  LpipsBackbone,
  LpipsDistances,
  LpipsOptions,
  LpipsRecipe,
  Picture,
  PictureWithMode,
  RunOptions,
  WeightInput,
} from "./networks/contract.js";
export { loadClip, type LoadClipOptions } from "./networks/clip/load.js";
export type { ClipActivation } from "./networks/clip/network.js";
export { clipPixels } from "./networks/clip/preprocessing.js";
export { dinoFeatures } from "./networks/dift/dino-features.js";
export { type Dift, type DiftDraws, type DiftSteps, type LoadDiftOptions, loadDift } from "./networks/dift/load.js";
export type { DiftParts } from "./networks/dift/parts.js";
export { loadDino } from "./networks/dino/load.js";
export { loadImageReward, type LoadImageRewardOptions } from "./networks/image-reward/load.js";
export {
  loadWordPiece,
  wordPiece,
  type WordPieceOptions,
  type WordPieceText,
  type WordPieceTokenizer,
} from "./networks/image-reward/word-piece.js";
export { inceptionTensor } from "./networks/inception/input.js";
export { loadInception } from "./networks/inception/load.js";
export { loadLpips, type LoadLpipsOptions } from "./networks/lpips/load.js";
// Weight files
export {
  type WeightFile,
  type WeightId,
  weightCatalogue,
  type WeightedMetric,
  weightFile,
  weightsOf,
  type WeightsOfOptions,
} from "./weights/catalogue.js";
export { MetricWeightsError, type MetricWeightsErrorCode } from "./weights/error.js";
// Metrics in one call
export {
  clipI,
  clipScore,
  type ClipScoreOptions,
  dinoI,
  fid,
  imageReward,
  kid,
  lpips,
  mpLpips,
  type PairingOptions,
  precisionRecall,
  psnr,
  ssim,
  msSsim,
} from "./metrics/one-call.js";
export type { CacheOptions, MaskedSources, PairedOptions, Prompts, RunOptions as MetricRunOptions, ScoredOptions } from "./metrics/run.js";
// Pictures
export { digestOf, rememberDigest } from "./images/digest.js";
export { type FileListing, listFolder, type ListOptions } from "./images/listing.js";
export { type PairOptions, readRows, type ReadRow, type RowStream } from "./images/pairs.js";
export { type ImageStream, type ReadImage, readImages, type ReadOptions } from "./images/read.js";
export type { ImageItem, ImageSource, NamedItem } from "./images/source.js";
// Metrics one by one: accumulators
export type {
  Accumulator,
  ComputeOptions,
  Direction,
  ImageScore,
  Interval,
  IntervalOptions,
  MaskedBatch,
  MetricName,
  MetricProgress,
  MetricResult,
  PairBatch,
  PromptBatch,
  SetBatch,
  SkippedImage,
  UpdateOptions,
} from "./metrics/contract.js";
export { metricDirections, metricNames } from "./metrics/contract.js";
export { MetricError, type MetricErrorCode } from "./metrics/error.js";
export { clipIAccumulator, type ClipIRecipe, clipIRecipes, type ClipISettings } from "./metrics/clip-i.js";
export { clipScoreAccumulator, type ClipScoreRecipe, clipScoreRecipes, type ClipScoreSettings } from "./metrics/clip-score.js";
export { dinoIAccumulator, type DinoIRecipe, type DinoISettings } from "./metrics/dino-i.js";
export { type FidAccumulator, fidAccumulator, type FidRecipe, fidRecipes, type FidSettings, type FidState } from "./metrics/fid.js";
export { imageRewardAccumulator, type ImageRewardSettings } from "./metrics/image-reward.js";
export { drawSubsets, kidAccumulator, type KidRecipe, kidRecipes, type KidSettings } from "./metrics/kid.js";
export { lpipsAccumulator, lpipsRecipes, type LpipsSettings } from "./metrics/lpips.js";
export { mpLpipsAccumulator, type MpLpipsSettings } from "./metrics/mp-lpips.js";
export {
  precisionRecallAccumulator,
  type PrecisionRecallRecipe,
  precisionRecallRecipes,
  type PrecisionRecallSettings,
} from "./metrics/precision-recall.js";
export { psnrAccumulator, type PsnrRecipe, psnrRecipes, type PsnrSettings } from "./metrics/psnr.js";
export { type MsSsimAccumulatorSettings, msSsimAccumulator, type SsimAccumulatorSettings, ssimAccumulator } from "./metrics/ssim.js";
export type { ScoreState } from "./metrics/score-accumulator.js";
export type { SetState } from "./metrics/set-accumulator.js";
export type { RowsState } from "./metrics/feature-rows.js";
// Statistics of features, without pictures
export { frechetDistance, type FrechetOptions } from "./statistics/frechet.js";
export { type FeatureRows, type KernelDistanceOptions, kernelDistances, type Subset } from "./statistics/kid.js";
export { FeatureMoments, type MomentsState } from "./statistics/moments.js";
export { type NeighbourOptions, type NeighbourScores, neighbourScores } from "./statistics/neighbours.js";
export { loadFeatures, loadStatistics, saveFeatures, type SaveOptions, saveStatistics } from "./statistics/npz.js";
export { type NumpyRandom, numpyRandom } from "./statistics/numpy-random.js";
export { covarianceOf, type FeatureStatistics, featureStatistics } from "./statistics/statistics.js";
// Uncertainty
export { type BootstrapOptions, bootstrapInterval } from "./statistics/bootstrap.js";
export { type PairedMethod, type PairedTest, type PairedTestOptions, pairedTest } from "./statistics/paired-test.js";
// Pixels
export { type Planes, planesOf } from "./pixel/planes.js";
export { meanSquaredError, peakSignalToNoise, piqSignalToNoise } from "./pixel/psnr.js";
export { type MsSsimRecipe, msSsimOf, msSsimRecipes, type SsimRecipe, ssimOf, ssimRecipes, type SsimSettings } from "./pixel/ssim-recipes.js";
// MP-LPIPS in its two steps
export { type Masked, maskedPicture } from "./mp-lpips/mask.js";
export { gridPoints, type Match, type MatchOptions, matchPoints, type Point } from "./mp-lpips/match.js";
export { matchedPatchDistance, type MatchedPatchInput, type MatchedPatchOptions, type MatchedPatchResult } from "./mp-lpips/measure.js";
export { type MatchScores, scoreMatches, type ScoreMatchesOptions } from "./mp-lpips/score.js";
// Many metrics at once: what `refadgen-metrics eval` does
export { evaluate, type EvaluateOptions, type EvaluationInput, type EvaluationProgress } from "./evaluate/evaluate.js";
export { EvaluationError, type EvaluationErrorCode } from "./evaluate/error.js";
export {
  type EvaluatedItem,
  type EvaluatedMetric,
  type Evaluation,
  type FileRole,
  type Gate,
  type HistoryEntry,
  metricTitles,
  type SkippedFile,
  tableMetrics,
  type UnmatchedFile,
} from "./evaluate/evaluation.js";
export type { ManifestEntry, ManifestInput } from "./evaluate/manifest.js";
export type { MetricSettings } from "./evaluate/metric-driver.js";
export type { DenseNetwork, GivenNetworks, NetworkOptions } from "./evaluate/networks.js";
export type { FolderInput } from "./evaluate/pairing.js";
export type { ClipId, DinoId, NetworkChoice } from "./evaluate/plan.js";
// Gates
export { parseRegression, type RegressionLimit } from "./evaluate/regression.js";
export { parseThreshold, type Threshold, type ThresholdOperator } from "./evaluate/threshold.js";
// Two models
export { compare, type ComparedMetric, type CompareOptions, type Comparison } from "./evaluate/compare.js";
// Reports
export { evaluationFromJson, evaluationToJson, readEvaluation } from "./evaluate/evaluation-json.js";
export { evaluationToCsv } from "./report/csv.js";
export { evaluationToHtml, type HtmlOptions } from "./report/html/page.js";
export { evaluationToJunit } from "./report/junit.js";
export { evaluationToMarkdown } from "./report/markdown.js";
export { evaluationToText, type TextOptions } from "./report/text.js";
