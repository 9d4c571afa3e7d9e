// Networks
export { decodeLatents, encodeLatents, renameEarlyAttention } from "./autoencoder.js";
export { attentionOutput, type ContextKeyValue, type SelfAttention, type SelfAttentionInput, selfAttention } from "./blocks/transformer.js";
export { type AutoencoderConfig, parseAutoencoderConfig, parseUNetConfig, type UNetConfig } from "./config.js";
export { type ContextLayer, projectContext, unet, type UNetInputs, type UNetOptions } from "./unet.js";
// Large images, tile by tile
export { decodeTiled, type DecodeTiledOptions, encodeTiled, type EncodeTiledOptions, type TileOptions } from "./tiles.js";
// Single-file checkpoints
export { isSingleFile, singleFileAutoencoder, singleFileTextEncoder, singleFileUNet } from "./single-file.js";
// Noise schedules
export { addNoise, type ForwardOptions, velocity } from "./schedule/forward.js";
export { parseSchedulerConfig, parseSchedulerJson, type SchedulerConfig } from "./schedule/config.js";
export { type NoiseSchedule, noiseSchedule } from "./schedule/noise-schedule.js";
export { createSchedule, type Schedule, type ScheduledRun, timestepsOf } from "./schedule/schedule.js";
// Samplers
export { denoise, type Denoiser, type DenoiseOptions, type SamplerStep, startLatents, type StartOptions } from "./samplers/denoise.js";
export { SamplerError, type SamplerErrorCode } from "./samplers/error.js";
export { samplerConfig, type SamplerName, samplerNames } from "./samplers/names.js";
