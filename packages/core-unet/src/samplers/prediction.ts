import { ArgumentError } from "@refadgen/errors";
import type { PredictionType } from "../schedule/config.js";
import type { Schedule, ScheduledRun } from "../schedule/schedule.js";
import { weightedSum } from "./weighted-sum.js";

/** A network's answer with the latents it was asked about, `signal · clean + noise · unit noise` where signal² + noise² = 1. */
export interface Prediction {
  readonly type: PredictionType;
  readonly latents: Float32Array;
  readonly modelOutput: Float32Array;
  /** √ᾱ */
  readonly signal: number;
  /** √(1 - ᾱ) */
  readonly noise: number;
}

/** The clean latents that a prediction means. */
export function predictedClean({ type, latents, modelOutput, signal, noise }: Prediction): Float32Array {
  switch (type) {
    case "epsilon":
      return weightedSum([1 / signal, latents], [-noise / signal, modelOutput]);
    case "sample":
      return modelOutput;
    case "v_prediction":
      return weightedSum([signal, latents], [-noise, modelOutput]);
  }
}

/** The unit noise that a prediction means. */
export function predictedNoise({ type, latents, modelOutput, signal, noise }: Prediction): Float32Array {
  switch (type) {
    case "epsilon":
      return modelOutput;
    case "sample":
      return weightedSum([1 / noise, latents], [-signal / noise, modelOutput]);
    case "v_prediction":
      return weightedSum([signal, modelOutput], [noise, latents]);
  }
}

/** Noise says nothing about the image where there is only noise: epsilon prediction cannot start at a signal of zero. */
export function expectSignal({ config, alphasCumprod }: Schedule, { timesteps }: ScheduledRun): void {
  if (config.prediction_type !== "epsilon") return;
  const blind = timesteps.find((timestep) => alphasCumprod[timestep] === 0);
  if (blind === undefined) return;
  throw new ArgumentError(`denoise: expected prediction_type v_prediction or sample for a zero-SNR schedule, got epsilon at timestep ${blind}`);
}

/** The values, cut to ± `clip_sample_range` if the config says so. */
export function clipped(
  values: Float32Array,
  { clip_sample, clip_sample_range: range }: { clip_sample: boolean; clip_sample_range: number },
): Float32Array {
  return clip_sample ? values.map((value) => Math.min(Math.max(value, -range), range)) : values;
}
