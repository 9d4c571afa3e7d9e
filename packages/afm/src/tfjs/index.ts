export { AttentionFusion, type AttentionFusionOptions, type PublishedTensor } from "./attention-fusion.js";
