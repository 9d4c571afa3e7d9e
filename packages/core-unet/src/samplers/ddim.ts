import type { DdimConfig } from "../schedule/config.js";
import { clipped, expectSignal, predictedClean, predictedNoise } from "./prediction.js";
import type { Sampler } from "./sampler.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * Denoising diffusion implicit models. The step's goal is `t - T // steps`, which is not always the next timestep.
 *
 * Source: Song et al. (2021), arXiv 2010.02502, equations 12 and 16; behaviour of huggingface/diffusers `scheduling_ddim.py`.
 */
export const ddim: Sampler<DdimConfig> = (schedule, run, { eta }) => {
  expectSignal(schedule, run);
  const { config, alphasCumprod, timesteps, steps } = schedule;
  const stride = Math.floor(config.num_train_timesteps / steps);
  const finalAlpha = config.set_alpha_to_one ? 1 : alphasCumprod[0]!;

  return ({ place, latents, modelOutput, drawNoise }) => {
    const timestep = timesteps[place]!;
    const alpha = alphasCumprod[timestep]!;
    const nextAlpha = timestep >= stride ? alphasCumprod[timestep - stride]! : finalAlpha;
    const prediction = { type: config.prediction_type, latents, modelOutput, signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) };
    const denoised = clipped(predictedClean(prediction), config);
    const variance = Math.max(((1 - nextAlpha) / (1 - alpha)) * (1 - alpha / nextAlpha), 0);
    const deviation = eta * Math.sqrt(variance);
    const direction = Math.sqrt(Math.max(1 - nextAlpha - deviation ** 2, 0));
    const next = weightedSum(
      [Math.sqrt(nextAlpha), denoised],
      [direction, predictedNoise(prediction)],
      ...(eta > 0 ? [[deviation, drawNoise()] as const] : []),
    );
    return { latents: next, denoised };
  };
};
