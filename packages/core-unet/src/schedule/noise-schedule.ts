import type { SchedulerConfig, SharedSchedulerConfig } from "./config.js";

/** How much noise each training timestep has, for t = 0 … T - 1. */
export interface NoiseSchedule {
  readonly config: SchedulerConfig;
  /** The share of the variance that is added at t. */
  readonly betas: Float32Array;
  /** The share of the clean signal's variance that is left at t (ᾱ). */
  readonly alphasCumprod: Float32Array;
}

/** Smallest signal of the samplers that divide by it, after a rescale to zero: the smallest float16 above 0. */
const almostNoSignal = 2 ** -24;

/**
 * The noise schedule of a scheduler config. It is rounded to float32 where the reference rounds, because what follows from it is
 * sensitive: the timesteps of Karras' noise levels would differ by 2e-4, and so now and then in the integer they are rounded to.
 *
 * Source: behaviour of huggingface/diffusers `schedulers/scheduling_*.py`; zero terminal SNR: arXiv 2305.08891, algorithm 1.
 */
export function noiseSchedule(config: SchedulerConfig): NoiseSchedule {
  const betas = betasOf(config);
  if (!config.rescale_betas_zero_snr || config._class_name === "PNDMScheduler") return { config, betas, alphasCumprod: signalLeft(betas) };

  const rescaled = betasWithoutFinalSignal(signalLeft(betas));
  const alphasCumprod = signalLeft(rescaled);
  const dividesBySignal = config._class_name !== "DDIMScheduler" && config._class_name !== "LCMScheduler";
  if (dividesBySignal) alphasCumprod[alphasCumprod.length - 1] = almostNoSignal;
  return { config, betas: rescaled, alphasCumprod };
}

function betasOf({ num_train_timesteps: count, beta_start, beta_end, beta_schedule, trained_betas }: SharedSchedulerConfig): Float32Array {
  if (trained_betas !== null) return Float32Array.from(trained_betas);
  switch (beta_schedule) {
    case "linear":
      return linspace(beta_start, beta_end, count);
    case "scaled_linear":
      return linspace(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) => root ** 2);
    case "squaredcos_cap_v2": {
      const signal = (time: number): number => Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
      return Float32Array.from({ length: count }, (_, t) => Math.min(1 - signal((t + 1) / count) / signal(t / count), 0.999));
    }
  }
}

/** PyTorch's linspace: the step in float32, each half counted from its own end. */
function linspace(start: number, end: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  const half = Math.floor(count / 2);
  return Float32Array.from({ length: count }, (_, i) => (i < half ? first + step * i : last - step * (count - 1 - i)));
}

/** The running product of 1 - β, kept in float64. */
function signalLeft(betas: Float32Array): Float32Array {
  let product = 1;
  return betas.map((beta) => {
    product *= Math.fround(1 - beta);
    return product;
  });
}

/** Shifts and scales the signal's amplitude √ᾱ, not its variance, so that it ends at 0 and begins as before. */
function betasWithoutFinalSignal(alphasCumprod: Float32Array): Float32Array {
  const amplitudes = alphasCumprod.map(Math.sqrt);
  const [first, last] = [amplitudes[0]!, amplitudes.at(-1)!];
  const scale = Math.fround(first / Math.fround(first - last));
  const rescaled = amplitudes.map((amplitude) => Math.fround(amplitude - last) * scale).map((amplitude) => amplitude ** 2);
  return rescaled.map((alpha, t) => 1 - Math.fround(t === 0 ? alpha : alpha / rescaled[t - 1]!));
}
