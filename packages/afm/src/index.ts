export { attentionFusion, type AttentionFusionInput, fuseReference, type LayerInput, type ReferenceKeyValue } from "./fusion.js";
export { projectReference, recordReference, type ReferenceRecorder } from "./reference.js";
export { attentionLayers, initialRefAdGen, refAdGenCheckpoint, type RefAdGenWeights } from "./checkpoint.js";
