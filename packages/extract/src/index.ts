// Extraction
export type {
  Detection,
  Detector,
  Extraction,
  ExtractOptions,
  Extractor,
  Reason,
  ReasonCode,
  Segment,
  Segmenter,
} from "./contract.js";
export { ExtractError, type ExtractErrorCode } from "./error.js";
export { type AutoOptions, autoExtractor } from "./auto.js";

// Without models
export { alphaExtractor } from "./drivers/alpha.js";
export { type GrabCutOptions, grabCutExtractor, grabCutSegmenter } from "./drivers/grabcut.js";
export { type PlainBackgroundOptions, plainBackgroundExtractor } from "./drivers/plain-background.js";

// With models
export { backgroundRemovalExtractor } from "./drivers/background-removal.js";
export { extractEach, type GroundedOptions, groundedExtractor } from "./drivers/grounded.js";
export { type GroundingDinoOptions, groundingDino } from "./drivers/grounding-dino.js";
export { sam2 } from "./drivers/sam2.js";
export type { ModelDevice, ModelDType, ModelOptions } from "./drivers/model-options.js";
export { type RemoteOptions, remoteExtractor } from "./drivers/remote.js";

// Masks
export { type CleanOptions, cleanMask, dilateMask, erodeMask, splitMask } from "./mask/clean.js";
export { boxIoU, type Mask, maskArea, maskBox, maskIoU, thresholdMask } from "./mask/mask.js";
export { cutOut, type CutOutOptions, featherMask } from "./cut-out.js";
