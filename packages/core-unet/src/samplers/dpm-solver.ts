import type { DpmSolverConfig } from "../schedule/config.js";
import { levelBefore } from "../schedule/forward.js";
import { predictedClean } from "./prediction.js";
import type { Sampler } from "./sampler.js";
import { expectFallingSigmas } from "./sigma-steps.js";
import { type Term, weightedSum } from "./weighted-sum.js";

/**
 * DPM-Solver++ of order 1 to 3, multistep, and its SDE form. λ = -ln sigma is half the log signal-to-noise ratio.
 *
 * Source: Lu et al. (2022), arXiv 2211.01095; behaviour of huggingface/diffusers `scheduling_dpmsolver_multistep.py`.
 */
export const dpmSolver: Sampler<DpmSolverConfig> = (schedule, { start }) => {
  if (schedule.config.solver_order > 1) expectFallingSigmas(schedule, start);
  const { config, timesteps } = schedule;
  const sigmas = schedule.sigmas!;
  const stochastic = config.algorithm_type === "sde-dpmsolver++";
  const lambda = (place: number): number => -Math.log(sigmas[place]!);
  let clean: Float32Array[] = []; // newest first

  return ({ place, latents, modelOutput, drawNoise }) => {
    const denoised = predictedClean({ type: config.prediction_type, latents, modelOutput, ...levelBefore(schedule, place) });
    clean = [denoised, ...clean.slice(0, 2)];
    const noise: readonly Term[] = stochastic ? [[sdeDeviation(place), drawNoise()]] : [];
    const h = lambda(place + 1) - lambda(place);
    const next = levelBefore(schedule, place + 1);
    const decay = Math.exp(stochastic ? -2 * h : -h);
    // The parts that the latest clean latents, their slope and their curvature have in the step.
    const value = next.signal * (1 - decay);
    const kept = (next.noise / levelBefore(schedule, place).noise) * (stochastic ? Math.exp(-h) : 1);
    const order = orderAt(place);
    if (order === 1) return { latents: weightedSum([kept, latents], [value, denoised], ...noise), denoised };

    const reach = stochastic ? 2 * h : h;
    const slope = next.signal * (1 - (1 - decay) / reach);
    const r0 = (lambda(place) - lambda(place - 1)) / h;
    if (order === 2) {
      const weight = (config.solver_type === "midpoint" ? value / 2 : slope) / r0;
      return { latents: weightedSum([kept, latents], [value + weight, denoised], [-weight, clean[1]!], ...noise), denoised };
    }
    const r1 = (lambda(place - 1) - lambda(place - 2)) / h;
    // The sign of 0.5 in the SDE form is diffusers' own.
    const curvature = next.signal * ((1 - decay - reach) / reach ** 2 + (stochastic ? -0.5 : 0.5));
    // First differences of the clean latents enter as weights on the three of them.
    const recent = (slope * (1 + r0 / (r0 + r1)) + curvature / (r0 + r1)) / r0;
    const older = (slope * (-r0 / (r0 + r1)) - curvature / (r0 + r1)) / r1;
    const terms: Term[] = [
      [value + recent, denoised],
      [older - recent, clean[1]!],
      [-older, clean[2]!],
    ];
    return { latents: weightedSum([kept, latents], ...terms, ...noise), denoised };
  };

  function orderAt(place: number): number {
    const short = config.lower_order_final && timesteps.length < 15;
    if (place === timesteps.length - 1 && (config.euler_at_final || short || config.final_sigmas_type === "zero")) return 1;
    const most = place === timesteps.length - 2 && short ? 2 : 3;
    return Math.min(config.solver_order, clean.length, most);
  }

  function sdeDeviation(place: number): number {
    return levelBefore(schedule, place + 1).noise * Math.sqrt(1 - (sigmas[place + 1]! / sigmas[place]!) ** 2);
  }
};
