import type { LcmConfig } from "../schedule/config.js";
import { clipped, expectSignal, predictedClean } from "./prediction.js";
import type { Sampler } from "./sampler.js";
import { weightedSum } from "./weighted-sum.js";

/** Standard deviation of the data that the boundary condition assumes. */
const dataDeviation = 0.5;

/**
 * Latent consistency: each answer goes all the way to clean latents, which are noised again to the next timestep; not in the last step.
 *
 * Source: Luo et al. (2023), arXiv 2310.04378; behaviour of huggingface/diffusers `scheduling_lcm.py`.
 */
export const lcm: Sampler<LcmConfig> = (schedule, run) => {
  expectSignal(schedule, run);
  const { config, alphasCumprod, timesteps } = schedule;

  return ({ place, latents, modelOutput, drawNoise }) => {
    const timestep = timesteps[place]!;
    const alpha = alphasCumprod[timestep]!;
    const prediction = { type: config.prediction_type, latents, modelOutput, signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) };
    const clean = clipped(predictedClean(prediction), config);
    const time = timestep * config.timestep_scaling;
    const skip = dataDeviation ** 2 / (time ** 2 + dataDeviation ** 2);
    const denoised = weightedSum([time / Math.sqrt(time ** 2 + dataDeviation ** 2), clean], [skip, latents]);
    if (place === timesteps.length - 1) return { latents: denoised, denoised };
    const nextAlpha = alphasCumprod[timesteps[place + 1]!]!;
    return { latents: weightedSum([Math.sqrt(nextAlpha), denoised], [Math.sqrt(1 - nextAlpha), drawNoise()]), denoised };
  };
};
