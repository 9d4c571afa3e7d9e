import type { EulerAncestralConfig, EulerConfig } from "../schedule/config.js";
import type { Schedule } from "../schedule/schedule.js";
import { predictedClean } from "./prediction.js";
import type { Sampler, StepInput } from "./sampler.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * Euler's method on the probability flow: latents are `clean + sigma · noise`.
 *
 * Source: Karras et al. (2022), arXiv 2206.00364, algorithm 2 without churn; behaviour of huggingface/diffusers `scheduling_euler_discrete.py`.
 */
export const euler: Sampler<EulerConfig> = (schedule) => (input) => {
  const denoised = cleanOf(schedule, input);
  const ratio = schedule.sigmas![input.place + 1]! / schedule.sigmas![input.place]!;
  return { latents: weightedSum([ratio, input.latents], [1 - ratio, denoised]), denoised };
};

/**
 * Euler's method with ancestral noise: each step goes further down and comes up again with fresh noise. Noise is drawn in the last
 * step too, where its share is 0.
 *
 * Source: crowsonkb/k-diffusion `sampling.py`; behaviour of huggingface/diffusers `scheduling_euler_ancestral_discrete.py`.
 */
export const eulerAncestral: Sampler<EulerAncestralConfig> = (schedule) => (input) => {
  const denoised = cleanOf(schedule, input);
  const sigma = schedule.sigmas![input.place]!;
  const next = schedule.sigmas![input.place + 1]!;
  const up = Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2);
  const ratio = Math.sqrt(next ** 2 - up ** 2) / sigma;
  return { latents: weightedSum([ratio, input.latents], [1 - ratio, denoised], [up, input.drawNoise()]), denoised };
};

/** What the network is shown instead of latents with this sigma: unit variance. */
export function inputScale(sigma: number): number {
  return 1 / Math.sqrt(sigma ** 2 + 1);
}

function cleanOf({ config, sigmas }: Schedule, { place, latents, modelOutput }: StepInput): Float32Array {
  const sigma = sigmas![place]!;
  if (config.prediction_type === "epsilon") return weightedSum([1, latents], [-sigma, modelOutput]);
  const signal = inputScale(sigma);
  return predictedClean({ type: config.prediction_type, latents: weightedSum([signal, latents]), modelOutput, signal, noise: sigma * signal });
}
