import { ArgumentError } from "@refadgen/errors";
import type { UniPcConfig } from "../schedule/config.js";
import { levelBefore } from "../schedule/forward.js";
import { solve } from "./linear-system.js";
import { predictedClean } from "./prediction.js";
import type { Sampler } from "./sampler.js";
import { expectFallingSigmas } from "./sigma-steps.js";
import { type Term, weightedSum } from "./weighted-sum.js";

/**
 * The unified predictor-corrector, predicting clean latents: each answer first corrects the step that led to it (from the second
 * on), then predicts the next.
 *
 * Source: Zhao et al. (2023), arXiv 2302.04867; behaviour of huggingface/diffusers `scheduling_unipc_multistep.py`.
 */
export const unipc: Sampler<UniPcConfig> = (schedule, { start }) => {
  expectFallingSigmas(schedule, start);
  const { config, timesteps } = schedule;
  const sigmas = schedule.sigmas!;
  expectReachableEnd(config, timesteps.length - start);
  const lambda = (place: number): number => -Math.log(sigmas[place]!);
  let clean: Float32Array[] = []; // newest first
  let before: Float32Array | undefined;
  let order = 0;

  return ({ place, latents, modelOutput }) => {
    const denoised = predictedClean({ type: config.prediction_type, latents, modelOutput, ...levelBefore(schedule, place) });
    const corrected =
      before && !config.disable_corrector.includes(place - 1)
        ? step({ from: place - 1, latents: before, history: clean, order, arrived: denoised })
        : latents;
    clean = [denoised, ...clean.slice(0, config.solver_order - 1)];
    const most = config.lower_order_final ? Math.min(config.solver_order, timesteps.length - place) : config.solver_order;
    order = Math.min(most, clean.length);
    before = corrected;
    return { latents: step({ from: place, latents: corrected, history: clean, order }), denoised };
  };

  /** From one place to the next; with the clean latents found there (`arrived`) the corrector, without them the predictor. */
  function step({ from, latents, history, order, arrived }: SolverStep): Float32Array {
    const next = levelBefore(schedule, from + 1);
    const h = lambda(from + 1) - lambda(from);
    const growth = Math.expm1(-h);
    const scale = config.solver_type === "bh1" ? -h : growth;
    const ratios = Array.from({ length: order - 1 }, (_, i) => (lambda(from - i - 1) - lambda(from)) / h);
    const rhos = weightsOf(arrived ? [...ratios, 1] : ratios, h, scale);
    const terms = rhos.map((rho, i): Term => [(-next.signal * scale * rho) / (ratios[i] ?? 1), i < ratios.length ? history[i + 1]! : arrived!]);
    const current = -next.signal * growth - terms.reduce((sum, [weight]) => sum + weight, 0);
    return weightedSum([next.noise / levelBefore(schedule, from).noise, latents], [current, history[0]!], ...terms);
  }
};

interface SolverStep {
  readonly from: number;
  readonly latents: Float32Array;
  readonly history: readonly Float32Array[];
  readonly order: number;
  readonly arrived?: Float32Array;
}

/** Solves the order conditions `Σ ratioᵏ⁻¹ · rho = bₖ`; a single unknown is set to 1/2 instead, as the paper allows. */
function weightsOf(ratios: readonly number[], h: number, scale: number): number[] {
  const unknowns = ratios.length;
  if (unknowns === 0) return [];
  if (unknowns === 1) return [0.5];
  const rows: number[][] = [];
  const right: number[] = [];
  let factorial = 1;
  let phi = Math.expm1(-h) / -h - 1;
  for (let k = 1; k <= unknowns; k++) {
    rows.push(ratios.map((ratio) => ratio ** (k - 1)));
    right.push((phi * factorial) / scale);
    factorial *= k + 1;
    phi = phi / -h - 1 / factorial;
  }
  return solve(rows, right);
}

/** A last sigma of 0 is an infinite step: only order 1 in B₂ form has a limit there. */
function expectReachableEnd({ final_sigmas_type, solver_type, lower_order_final, solver_order }: UniPcConfig, calls: number): void {
  if (final_sigmas_type !== "zero") return;
  if (solver_type === "bh2" && (lower_order_final || Math.min(solver_order, calls) === 1)) return;
  throw new ArgumentError(
    `denoise: expected final_sigmas_type sigma_min (or solver_type bh2 with lower_order_final) for UniPC, got zero with ${solver_type}, lower_order_final ${lower_order_final}`,
  );
}
