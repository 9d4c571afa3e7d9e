import type { Schedule, ScheduledRun } from "../schedule/schedule.js";

/** What one step starts from. */
export interface StepInput {
  /** The call's place in `schedule.timesteps`. */
  readonly place: number;
  readonly latents: Float32Array;
  /** The network's answer, as `prediction_type` has it. */
  readonly modelOutput: Float32Array;
  /** Fresh unit noise of the latents' dims; call it only where diffusers draws. */
  readonly drawNoise: () => Float32Array;
}

export interface StepOutput {
  readonly latents: Float32Array;
  /** The clean latents as seen from this step. */
  readonly denoised: Float32Array;
}

/** One run of a sampler; what it remembers between steps is its own. */
export type SamplerRun = (input: StepInput) => StepOutput;

export interface SamplerOptions {
  /** DDIM's share of fresh noise: 0 none, 1 as much as DDPM. */
  readonly eta: number;
}

/**
 * A sampler: starts a run over a schedule.
 *
 * Throws ArgumentError when the schedule leads to a division by zero on the way.
 */
export type Sampler<C = Schedule["config"]> = (schedule: Schedule & { readonly config: C }, run: ScheduledRun, options: SamplerOptions) => SamplerRun;
