import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Generator, randnTensor, type Tensor } from "@refadgen/graph";
import { levelBefore } from "../schedule/forward.js";
import { type Schedule, type ScheduledRun, timestepsOf } from "../schedule/schedule.js";
import { ddim } from "./ddim.js";
import { dpmSolver } from "./dpm-solver.js";
import { SamplerError, type SamplerErrorCode } from "./error.js";
import { euler, eulerAncestral, inputScale } from "./euler.js";
import { lcm } from "./lcm.js";
import { pndm } from "./pndm.js";
import type { SamplerOptions, SamplerRun } from "./sampler.js";
import { unipc } from "./unipc.js";
import { weightedSum } from "./weighted-sum.js";

/**
 * The network as samplers see it: latents `[B, C, H, W]`, already scaled as the sampler wants them, and the timestep in; what the
 * config's `prediction_type` says out, of the same dims. Guidance and the like are wrappers.
 */
export type Denoiser = (latents: Tensor<"float32">, timestep: number, options: { readonly signal?: AbortSignal }) => Promise<Tensor<"float32">>;

export interface StartOptions {
  readonly schedule: Schedule;
  /** Standard normals `[B, C, H, W]`; with `strength` clean latents, which are noised first. */
  readonly latents: Tensor<"float32">;
  /** Start from clean latents and go through this share of the steps: above 0, up to 1. Default: start from noise. */
  readonly strength?: number;
  /** With `strength`: what to noise the clean latents with. Default: drawn from the generator, before anything else. */
  readonly startNoise?: Tensor<"float32">;
  /** Draws what steps need, in diffusers' order: one generator for the batch, or one per image. */
  readonly generator?: Generator | readonly Generator[];
}

export interface DenoiseOptions extends StartOptions {
  readonly denoiser: Denoiser;
  /** The unit noise of a step (0-based within the run), instead of the generator's. */
  readonly noise?: (step: number) => Tensor<"float32">;
  /** DDIM's share of fresh noise, 0 to 1. Default 0. */
  readonly eta?: number;
  readonly signal?: AbortSignal;
}

/** What one call of the network led to. */
export interface SamplerStep {
  /** 0-based within the run. */
  readonly step: number;
  /** How many the run has. */
  readonly steps: number;
  readonly timestep: number;
  /** After the step; the last step's are the result. */
  readonly latents: Tensor<"float32">;
  readonly modelOutput: Tensor<"float32">;
  /** The clean latents as seen from this step: what a preview shows. */
  readonly denoised: Tensor<"float32">;
}

/**
 * Runs a sampler, one yield per call of the network. Everything is checked when this is called, before the first call.
 *
 * @returns a generator to be read with `for await`; leaving the loop ends the run. It throws the signal's reason when aborted (before,
 * and right after, each call of the denoiser) and a `SamplerError` that names the step when the network answers NaN or infinity.
 * @throws ArgumentError for dims that differ, noise that is needed but not given, or a config that cannot be sampled.
 */
export function denoise(options: DenoiseOptions): AsyncGenerator<SamplerStep, void, undefined> {
  const { schedule, generator, noise, eta = 0 } = options;
  const run = timestepsOf(options);
  if (!(eta >= 0 && eta <= 1)) throw new ArgumentError(`denoise: expected eta from 0 to 1, got ${eta}`);
  if (eta > 0 && schedule.config._class_name !== "DDIMScheduler") throw new ArgumentError("denoise: expected eta for DDIM only");
  if (noise && generator && (options.strength === undefined || options.startNoise)) {
    throw new ArgumentError("denoise: expected either noise or a generator, got both");
  }
  if (!noise && !generator && drawsNoise(schedule, run, eta))
    throw new ArgumentError("denoise: expected a generator (or noise) for a stochastic sampler");
  const sampler = startSampler(schedule, run, { eta });
  return steps(options, run, sampler, startLatents(options));
}

/**
 * What a run starts from: noise times `initNoiseSigma`, or with `strength` the clean latents, noised to the first timestep of the run.
 *
 * @throws ArgumentError for dims that are not `[B, …]`, start noise of other dims, or none.
 */
export function startLatents({ schedule, latents, strength, startNoise, generator }: StartOptions): Tensor<"float32"> {
  const { dims } = latents;
  if (dims.length === 0 || elementCount(dims) !== latents.data.length || latents.data.length === 0) {
    throw new ArgumentError(`denoise: expected latents [B, C, H, W], got [${dims.join(", ")}] with ${latents.data.length} values`);
  }
  if (strength === undefined) return { dtype: "float32", dims, data: weightedSum([schedule.initNoiseSigma, latents.data]) };
  const { start } = timestepsOf({ schedule, strength });
  const unit = startNoise ?? (generator ? randnTensor(dims, generator) : undefined);
  if (!unit) throw new ArgumentError("denoise: expected a generator or startNoise to noise clean latents with");
  if (String(unit.dims) !== String(dims)) throw new ArgumentError(`denoise: expected startNoise [${dims.join(", ")}], got [${unit.dims.join(", ")}]`);
  const level = levelBefore(schedule, start);
  return { dtype: "float32", dims, data: weightedSum([level.signal, latents.data], [level.noise, unit.data]) };
}

async function* steps(
  { denoiser, schedule, noise, generator, signal }: DenoiseOptions,
  { start, timesteps }: ScheduledRun,
  sampler: SamplerRun,
  initial: Tensor<"float32">,
): AsyncGenerator<SamplerStep, void, undefined> {
  const { dims } = initial;
  const scaled = schedule.config._class_name === "EulerDiscreteScheduler" || schedule.config._class_name === "EulerAncestralDiscreteScheduler";
  const tensor = (data: Float32Array): Tensor<"float32"> => ({ dtype: "float32", dims, data });
  let latents = initial.data;
  for (const [step, timestep] of timesteps.entries()) {
    signal?.throwIfAborted();
    const place = start + step;
    const input = scaled ? weightedSum([inputScale(schedule.sigmas![place]!), latents]) : latents;
    const modelOutput = await denoiser(tensor(input), timestep, signal ? { signal } : {});
    signal?.throwIfAborted();
    expectDims("a model output", modelOutput, dims);
    expectFinite("model-output", modelOutput.data, { step, timestep });
    const drawNoise = (): Float32Array => {
      const drawn = noise ? noise(step) : randnTensor(dims, generator!);
      expectDims("noise", drawn, dims);
      return drawn.data;
    };
    const next = sampler({ place, latents, modelOutput: modelOutput.data, drawNoise });
    expectFinite("latents", next.latents, { step, timestep });
    latents = next.latents;
    yield { step, steps: timesteps.length, timestep, latents: tensor(latents), modelOutput, denoised: tensor(next.denoised) };
  }
}

function startSampler(schedule: Schedule, run: ScheduledRun, options: SamplerOptions): SamplerRun {
  const { config } = schedule;
  switch (config._class_name) {
    case "DDIMScheduler":
      return ddim({ ...schedule, config }, run, options);
    case "PNDMScheduler":
      return pndm({ ...schedule, config }, run, options);
    case "EulerDiscreteScheduler":
      return euler({ ...schedule, config }, run, options);
    case "EulerAncestralDiscreteScheduler":
      return eulerAncestral({ ...schedule, config }, run, options);
    case "DPMSolverMultistepScheduler":
      return dpmSolver({ ...schedule, config }, run, options);
    case "UniPCMultistepScheduler":
      return unipc({ ...schedule, config }, run, options);
    case "LCMScheduler":
      return lcm({ ...schedule, config }, run, options);
  }
}

function drawsNoise({ config }: Schedule, { timesteps }: ScheduledRun, eta: number): boolean {
  switch (config._class_name) {
    case "EulerAncestralDiscreteScheduler":
      return true;
    case "DPMSolverMultistepScheduler":
      return config.algorithm_type === "sde-dpmsolver++";
    case "LCMScheduler":
      return timesteps.length > 1;
    default:
      return eta > 0;
  }
}

function expectDims(what: string, { dims, data }: Tensor<"float32">, expected: readonly number[]): void {
  if (String(dims) === String(expected) && data.length === elementCount(expected)) return;
  throw new ArgumentError(`denoise: expected ${what} [${expected.join(", ")}], got [${dims.join(", ")}]`);
}

function expectFinite(code: SamplerErrorCode, values: Float32Array, { step, timestep }: { readonly step: number; readonly timestep: number }): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  const what = code === "model-output" ? "the network's answer" : "the latents after the step";
  throw new SamplerError(code, `denoise: expected finite numbers in step ${step} (timestep ${timestep}), got ${values[wrong]} in ${what}`, {
    step,
    timestep,
  });
}
