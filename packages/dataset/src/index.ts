// The parts of a data set
export type * from "./contract.js";
export { DatasetError, type DatasetErrorCode } from "./error.js";

// AdProd-Mini: a procedural set, and pictures with known faults
export { type MiniCategory, miniCategories } from "./mini/products/catalogue.js";
export { type MiniMask, type MiniOptions, type MiniPicture, type MiniTriplet, miniTriplet } from "./mini/triplet.js";
export { type FaultOptions, type FaultSubject, injectFault } from "./mini/faults/inject.js";
export { type FaultKind, type FaultStyle, type FaultTruth, type FaultyAd, faultKinds, faultStyles } from "./mini/faults/truth.js";
