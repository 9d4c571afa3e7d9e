/** The settings of the authors' published script; every default of the pipeline is one of these. */
export const published = {
  /** Added to every prompt. */
  promptSuffix: ", best quality, high quality",
  negativePrompt: "bare, naked, nude, undressed, monochrome, bad anatomy, worst quality, low quality",
  steps: 30,
  guidanceScale: 7.5,
  /** λ of the attention fusion. */
  referenceScale: 1,
  seed: 42,
  sampler: "ddim",
  /** The schedule where the base's `scheduler_config.json` says nothing. */
  scheduler: {
    num_train_timesteps: 1000,
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: "scaled_linear",
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: 1,
    timestep_spacing: "leading",
    prediction_type: "epsilon",
  },
  /** Configurations of the published parts, for weight files that stand without a `config.json`. */
  textEncoder: {
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    hidden_act: "quick_gelu",
    projection_dim: 768,
    eos_token_id: 2,
  },
  imageEncoder: {
    hidden_size: 1280,
    intermediate_size: 5120,
    num_hidden_layers: 32,
    num_attention_heads: 16,
    hidden_act: "gelu",
    projection_dim: 1024,
    image_size: 224,
    patch_size: 14,
  },
  vae: {
    block_out_channels: [128, 256, 512, 512],
    layers_per_block: 2,
    down_block_types: ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
    up_block_types: ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
  },
  unet: { cross_attention_dim: 768 },
  /** Size that the published chain generates at, in pixels. */
  width: 512,
  height: 640,
  /** The product's short side, then its long side, then the multiple that both are floored to. */
  productShortSide: 512,
  productLongSide: 640,
  productMultiple: 64,
} as const;
