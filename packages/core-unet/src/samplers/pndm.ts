import type { PndmConfig } from "../schedule/config.js";
import { predictedClean } from "./prediction.js";
import type { Sampler } from "./sampler.js";
import { type Term, weightedSum } from "./weighted-sum.js";

/** Adams-Bashforth weights of the latest answers, newest first, by how many there are. */
const adamsBashforth: readonly (readonly number[])[] = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]];

/**
 * Pseudo numerical methods, in the linear multistep form without Runge-Kutta start (PLMS). The first step is taken twice: to see
 * the answer at its end, then again from its start with the mean of both.
 *
 * Source: Liu et al. (2022), arXiv 2202.09778, equation 9; behaviour of huggingface/diffusers `scheduling_pndm.py`.
 */
export const pndm: Sampler<PndmConfig> = ({ config, alphasCumprod, timesteps, steps }, { start }) => {
  const stride = Math.floor(config.num_train_timesteps / steps);
  const finalAlpha = config.set_alpha_to_one ? 1 : alphasCumprod[0]!;
  const alphaAt = (timestep: number): number => (timestep >= 0 ? alphasCumprod[timestep]! : finalAlpha);
  let answers: Float32Array[] = [];
  let beginning: Float32Array = new Float32Array();

  return ({ place, latents, modelOutput }) => {
    const timestep = timesteps[place]!;
    const alpha = alphaAt(timestep);
    const denoised = predictedClean({ type: config.prediction_type, latents, modelOutput, signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) });
    if (place === start + 1) {
      const mean = weightedSum([0.5, answers[0]!], [0.5, modelOutput]);
      return { latents: transfer(beginning, mean, alphaAt(timestep + stride), alpha), denoised };
    }
    if (place === start) beginning = latents;
    answers = [modelOutput, ...answers.slice(0, 3)];
    const weights = adamsBashforth[answers.length - 1]!;
    const combined = weightedSum(...answers.map((answer, i): Term => [weights[i]!, answer]));
    return { latents: transfer(latents, combined, alpha, alphaAt(timestep - stride)), denoised };
  };

  function transfer(latents: Float32Array, answer: Float32Array, alpha: number, nextAlpha: number): Float32Array {
    const slope = (alpha - nextAlpha) / (alpha * Math.sqrt(1 - nextAlpha) + Math.sqrt(alpha * (1 - alpha) * nextAlpha));
    const scale = Math.sqrt(nextAlpha / alpha);
    if (config.prediction_type === "epsilon") return weightedSum([scale, latents], [slope, answer]);
    return weightedSum([scale + slope * Math.sqrt(1 - alpha), latents], [slope * Math.sqrt(alpha), answer]);
  }
};
