import { ArgumentError } from "@refadgen/errors";
import type { DpmSolverConfig, EulerAncestralConfig, EulerConfig, SchedulerConfig, UniPcConfig } from "./config.js";
import { type NoiseSchedule, noiseSchedule } from "./noise-schedule.js";
import { karrasSigmas, sigmaAt, timestepAt, trainingSigmas } from "./sigmas.js";
import { consistencyTimesteps, integerTimesteps, multistepTimesteps, roundHalfToEven, spacedTimesteps, type Timesteps } from "./timesteps.js";

/** A noise schedule and the way through it in a number of steps. */
export interface Schedule extends NoiseSchedule {
  /** The number asked for; PNDM calls the network once more. */
  readonly steps: number;
  /** What the network is told, call by call, in falling order; Euler's can be fractional, PNDM's second comes twice. */
  readonly timesteps: Timesteps;
  /** Noise over signal before each step and after the last: one more than timesteps. Absent for DDIM, PNDM and LCM, which think in ᾱ. */
  readonly sigmas?: Float64Array;
  /** What unit noise is multiplied with at the start. */
  readonly initNoiseSigma: number;
}

/** The part of a schedule that is run. */
export interface ScheduledRun {
  /** The first call's place in `schedule.timesteps`. */
  readonly start: number;
  readonly timesteps: Timesteps;
}

/**
 * The timesteps and noise levels of a number of steps.
 *
 * @param options.steps from 1 to the training timesteps (LCM: to `original_inference_steps`); Euler, DPM-Solver++ and UniPC have no upper end
 * @throws ArgumentError for a number of steps that the sampler cannot do.
 * Source: behaviour of huggingface/diffusers 0.35 `set_timesteps`; DDIM with trailing spacing gives `steps` timesteps also where a
 * rounding error makes it steps + 1 there.
 */
export function createSchedule({ config, steps }: { readonly config: SchedulerConfig; readonly steps: number }): Schedule {
  if (!Number.isSafeInteger(steps) || steps < 1 || steps > 1_000_000) {
    throw new ArgumentError(`createSchedule: expected steps to be an integer from 1 to 1000000, got ${steps}`);
  }
  const noise = noiseSchedule(config);
  switch (config._class_name) {
    case "DDIMScheduler":
    case "LCMScheduler":
    case "PNDMScheduler": {
      if (steps > config.num_train_timesteps && config._class_name !== "PNDMScheduler") {
        throw new ArgumentError(`createSchedule: expected at most num_train_timesteps = ${config.num_train_timesteps} steps, got ${steps}`);
      }
      const spaced = config._class_name === "LCMScheduler" ? consistencyTimesteps(config, steps) : integerTimesteps(config, steps);
      const outside = spaced.find((timestep) => timestep >= config.num_train_timesteps || timestep < 0);
      if (outside !== undefined) {
        throw new ArgumentError(
          `createSchedule: expected timesteps below num_train_timesteps = ${config.num_train_timesteps}, got ${outside} for ${steps} steps with steps_offset ${config.steps_offset}`,
        );
      }
      const timesteps = config._class_name === "PNDMScheduler" ? [...spaced.slice(0, 2), ...spaced.slice(1)] : spaced;
      return { ...noise, steps, timesteps, initNoiseSigma: 1 };
    }
    case "EulerDiscreteScheduler":
    case "EulerAncestralDiscreteScheduler": {
      const { timesteps, sigmas } = eulerLevels(config, steps, noise);
      const largest = sigmas.reduce((a, b) => Math.max(a, b));
      const initNoiseSigma = config.timestep_spacing === "leading" ? Math.sqrt(largest ** 2 + 1) : largest;
      return { ...noise, steps, timesteps, sigmas, initNoiseSigma };
    }
    case "DPMSolverMultistepScheduler":
    case "UniPCMultistepScheduler": {
      const { timesteps, sigmas } = multistepLevels(config, steps, noise);
      return { ...noise, steps, timesteps, sigmas, initNoiseSigma: 1 };
    }
  }
}

/**
 * The timesteps that a run goes through. `strength` (above 0, up to 1) starts from a clean image with that share of the steps;
 * without it the run starts from pure noise.
 *
 * @throws ArgumentError when the strength leaves no step.
 * Source: behaviour of huggingface/diffusers `StableDiffusionImg2ImgPipeline.get_timesteps`.
 */
export function timestepsOf({ schedule, strength }: { readonly schedule: Schedule; readonly strength?: number | undefined }): ScheduledRun {
  const { steps, timesteps } = schedule;
  if (strength === undefined) return { start: 0, timesteps };
  if (!(strength > 0 && strength <= 1)) throw new ArgumentError(`timestepsOf: expected strength above 0 and up to 1, got ${strength}`);
  const run = Math.floor(steps * strength);
  if (run === 0) throw new ArgumentError(`timestepsOf: expected strength of at least 1 / ${steps} for ${steps} steps, got ${strength}`);
  return { start: steps - run, timesteps: timesteps.slice(steps - run) };
}

function eulerLevels(config: EulerConfig | EulerAncestralConfig, steps: number, { alphasCumprod }: NoiseSchedule): Levels {
  const training = trainingSigmas(alphasCumprod);
  const timesteps = spacedTimesteps(config, steps);
  const sigmas = timesteps.map((timestep) => sigmaAt(training, timestep));
  if (config._class_name === "EulerAncestralDiscreteScheduler") return { timesteps, sigmas: Float64Array.of(...sigmas, 0) };
  const final = config.final_sigmas_type === "zero" ? 0 : training[0]!;
  if (!config.use_karras_sigmas) return { timesteps, sigmas: Float64Array.of(...sigmas, final) };
  const karras = karrasSigmas(sigmas[0]!, sigmas.at(-1)!, steps);
  return { timesteps: karras.map((sigma) => timestepAt(training, sigma)), sigmas: Float64Array.of(...karras, final) };
}

function multistepLevels(config: DpmSolverConfig | UniPcConfig, steps: number, { alphasCumprod }: NoiseSchedule): Levels {
  const training = trainingSigmas(alphasCumprod);
  const final = config.final_sigmas_type === "zero" ? 0 : training[0]!;
  if (!config.use_karras_sigmas) {
    const timesteps = multistepTimesteps(config, steps);
    return { timesteps, sigmas: Float64Array.of(...timesteps.map((timestep) => sigmaAt(training, timestep)), final) };
  }
  const karras = karrasSigmas(training.at(-1)!, training[0]!, steps);
  // diffusers cuts off what it does not round.
  const cut = config._class_name === "DPMSolverMultistepScheduler" && config.beta_schedule === "squaredcos_cap_v2";
  const timesteps = karras.map((sigma) => (cut ? Math.trunc : roundHalfToEven)(timestepAt(training, sigma)));
  return { timesteps, sigmas: Float64Array.of(...karras, final) };
}

interface Levels {
  readonly timesteps: Timesteps;
  readonly sigmas: Float64Array;
}
