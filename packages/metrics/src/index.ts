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
