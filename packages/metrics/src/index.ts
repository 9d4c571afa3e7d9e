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
// Distances of features
export { frechetDistance, type FrechetOptions } from "./statistics/frechet.js";
export { type FeatureRows, kernelDistances, type KernelDistanceOptions, type Subset } from "./statistics/kid.js";
export { type NeighbourOptions, neighbourScores, type NeighbourScores } from "./statistics/neighbours.js";
export { numpyRandom, type NumpyRandom } from "./statistics/numpy-random.js";
export { covarianceOf, type FeatureStatistics, featureStatistics } from "./statistics/statistics.js";
// Pixels
export { type Planes, planesOf } from "./pixel/planes.js";
export { meanSquaredError, peakSignalToNoise, piqSignalToNoise } from "./pixel/psnr.js";
export { msSsimOf, type MsSsimRecipe, ssimOf, type SsimRecipe, type SsimSettings } from "./pixel/ssim-recipes.js";
