// Networks
export { decodeLatents, encodeLatents, renameEarlyAttention } from "./autoencoder.js";
export { attentionOutput, type SelfAttention, type SelfAttentionInput, selfAttention } from "./blocks/transformer.js";
export { type AutoencoderConfig, parseAutoencoderConfig, parseUNetConfig, type UNetConfig } from "./config.js";
export { unet, type UNetInputs, type UNetOptions } from "./unet.js";
