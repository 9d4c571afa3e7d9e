import {
  type ClipTextConfig,
  type ClipVisionConfig,
  parseClipTextConfig,
  parseClipVisionConfig,
  type ResamplerConfig,
  resamplerSd15,
} from "@refadgen/clip";
import { type AutoencoderConfig, parseAutoencoderConfig, parseUNetConfig, type UNetConfig } from "@refadgen/core-unet";

/** What is measured: sizes of the networks, of the image, and how often. */
export interface BenchSettings {
  readonly name: "full" | "quick";
  /** The reference U-Net; the generation U-Net has one more input channel. */
  readonly unet: UNetConfig;
  readonly vae: AutoencoderConfig;
  readonly text: ClipTextConfig;
  readonly vision: ClipVisionConfig;
  readonly resampler: ResamplerConfig;
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Of the image that is made end to end. */
  readonly steps: number;
  /** Timed rounds of the step; the targets are about medians. */
  readonly rounds: number;
  /** Products of 2048 × 2048 matrices whose median counts as one reading of the machine's rate. */
  readonly matrixProducts: number;
}

/** The published networks at the published size. */
export const fullSettings: BenchSettings = {
  name: "full",
  unet: parseUNetConfig({ cross_attention_dim: 768 }),
  vae: parseAutoencoderConfig({
    block_out_channels: [128, 256, 512, 512],
    layers_per_block: 2,
    down_block_types: Array(4).fill("DownEncoderBlock2D"),
    up_block_types: Array(4).fill("UpDecoderBlock2D"),
  }),
  text: parseClipTextConfig({
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    projection_dim: 768,
    eos_token_id: 2,
  }),
  vision: parseClipVisionConfig({
    hidden_size: 1280,
    intermediate_size: 5120,
    num_hidden_layers: 32,
    num_attention_heads: 16,
    hidden_act: "gelu",
    projection_dim: 1024,
    patch_size: 14,
  }),
  resampler: resamplerSd15,
  width: 512,
  height: 640,
  steps: 20,
  rounds: 3,
  matrixProducts: 9,
};

/** The same networks in miniature: shows that every part runs; its figures say nothing about the targets. */
export const quickSettings: BenchSettings = {
  name: "quick",
  unet: parseUNetConfig({ cross_attention_dim: 64, block_out_channels: [32, 64, 64, 64], attention_head_dim: 4 }),
  vae: parseAutoencoderConfig({
    block_out_channels: [32, 32, 64, 64],
    layers_per_block: 2,
    down_block_types: Array(4).fill("DownEncoderBlock2D"),
    up_block_types: Array(4).fill("UpDecoderBlock2D"),
  }),
  text: parseClipTextConfig({
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    projection_dim: 64,
    eos_token_id: 2,
  }),
  vision: parseClipVisionConfig({ hidden_size: 128, intermediate_size: 256, num_hidden_layers: 3, num_attention_heads: 4, projection_dim: 64 }),
  resampler: { ...resamplerSd15, dim: 64, embedding_dim: 128, output_dim: 64 },
  width: 128,
  height: 192,
  steps: 3,
  rounds: 2,
  matrixProducts: 3,
};
