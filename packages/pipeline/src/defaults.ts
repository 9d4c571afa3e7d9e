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
  /** Size that the published chain generates at, in pixels. */
  width: 512,
  height: 640,
  /** The product's short side, then its long side, then the multiple that both are floored to. */
  productShortSide: 512,
  productLongSide: 640,
  productMultiple: 64,
} as const;
