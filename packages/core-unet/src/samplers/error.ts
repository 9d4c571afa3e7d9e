import { RefAdGenError } from "@refadgen/errors";

/** `model-output` the network answered NaN or infinity · `latents` a step's result is NaN or infinite. */
export type SamplerErrorCode = "model-output" | "latents";

/** Denoising cannot go on. */
export class SamplerError extends RefAdGenError {
  declare readonly code: SamplerErrorCode;
  /** The step, 0-based within the run. */
  readonly step: number;
  readonly timestep: number;

  constructor(code: SamplerErrorCode, message: string, { step, timestep }: { readonly step: number; readonly timestep: number }) {
    super(code, message);
    this.step = step;
    this.timestep = timestep;
  }
}
