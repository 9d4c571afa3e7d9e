import type { SchedulerConfig, SharedSchedulerConfig } from "./config.js";

/** How much noise each training timestep has, for t = 0 … T - 1. */
export interface NoiseSchedule {
  readonly config: SchedulerConfig;
  /** The share of the variance that is added at t. */
  readonly betas: Float64Array;
  /** The share of the clean signal's variance that is left at t (ᾱ). */
  readonly alphasCumprod: Float64Array;
}

/** Smallest signal of the samplers that divide by it, after a rescale to zero: the smallest float16 above 0. */
const almostNoSignal = 2 ** -24;

/**
 * The noise schedule of a scheduler config, in float64.
 *
 * Source: huggingface/diffusers `schedulers/scheduling_*.py`; zero terminal SNR: arXiv 2305.08891, algorithm 1.
 */
export function noiseSchedule(config: SchedulerConfig): NoiseSchedule {
  const betas = betasOf(config);
  const alphasCumprod = cumulativeProduct(betas);
  if (!config.rescale_betas_zero_snr || config._class_name === "PNDMScheduler") return { config, betas, alphasCumprod };

  rescaleToZeroSignal(alphasCumprod);
  for (let t = 0; t < betas.length; t++) betas[t] = 1 - alphasCumprod[t]! / (t === 0 ? 1 : alphasCumprod[t - 1]!);
  const dividesBySignal = config._class_name !== "DDIMScheduler" && config._class_name !== "LCMScheduler";
  if (dividesBySignal) alphasCumprod[alphasCumprod.length - 1] = almostNoSignal;
  return { config, betas, alphasCumprod };
}

function betasOf({ num_train_timesteps: count, beta_start, beta_end, beta_schedule, trained_betas }: SharedSchedulerConfig): Float64Array {
  if (trained_betas !== null) return Float64Array.from(trained_betas);
  const along = (start: number, end: number, t: number): number => start + ((end - start) * t) / (count - 1);
  switch (beta_schedule) {
    case "linear":
      return Float64Array.from({ length: count }, (_, t) => along(beta_start, beta_end, t));
    case "scaled_linear":
      return Float64Array.from({ length: count }, (_, t) => along(Math.sqrt(beta_start), Math.sqrt(beta_end), t) ** 2);
    case "squaredcos_cap_v2": {
      const signal = (time: number): number => Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
      return Float64Array.from({ length: count }, (_, t) => Math.min(1 - signal((t + 1) / count) / signal(t / count), 0.999));
    }
  }
}

function cumulativeProduct(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => {
    product *= 1 - beta;
    return product;
  });
}

/** Shifts and scales the signal's amplitude √ᾱ, not its variance, so that it ends at 0 and begins as before. */
function rescaleToZeroSignal(alphasCumprod: Float64Array): void {
  const first = Math.sqrt(alphasCumprod[0]!);
  const last = Math.sqrt(alphasCumprod.at(-1)!);
  for (let t = 0; t < alphasCumprod.length; t++) alphasCumprod[t] = (((Math.sqrt(alphasCumprod[t]!) - last) * first) / (first - last)) ** 2;
}
