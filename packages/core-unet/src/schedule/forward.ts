import { ArgumentError } from "@refadgen/errors";
import { elementCount, type Tensor } from "@refadgen/graph";
import type { NoiseSchedule } from "./noise-schedule.js";
import type { Schedule } from "./schedule.js";

export interface ForwardOptions {
  /** Without steps (`noiseSchedule`): timesteps are those of training. With steps (`createSchedule`): a sampler that thinks in sigmas adds what it will take away. */
  readonly schedule: NoiseSchedule | Schedule;
  /** `[B, …]` */
  readonly clean: Tensor<"float32">;
  /** Standard normals of the same dims. */
  readonly noise: Tensor<"float32">;
  /** One per batch item. */
  readonly timesteps: readonly number[];
}

/** What clean latents and unit noise are multiplied with at some point of the way. */
export interface NoiseLevel {
  readonly signal: number;
  readonly noise: number;
}

/**
 * Noises clean latents as far as the timesteps say: `signal · clean + noise level · noise`.
 *
 * @throws ArgumentError for dims that differ, or a timestep that the schedule does not have.
 */
export function addNoise(options: ForwardOptions): Tensor<"float32"> {
  const { schedule, clean, noise } = options;
  const levels = checkedLevels("addNoise", options, (timestep) => levelOf(schedule, timestep));
  return mix(clean.dims, levels, (level, i) => level.signal * clean.data[i]! + level.noise * noise.data[i]!);
}

/**
 * What a v-prediction network is trained to answer: `√ᾱ · noise - √(1 - ᾱ) · clean`.
 *
 * @throws ArgumentError for dims that differ, or a timestep outside of training.
 * Source: Salimans and Ho (2022), arXiv 2202.00512.
 */
export function velocity(options: ForwardOptions): Tensor<"float32"> {
  const { schedule, clean, noise } = options;
  const levels = checkedLevels("velocity", options, (timestep) => trainingLevel(schedule, timestep));
  return mix(clean.dims, levels, (level, i) => level.signal * noise.data[i]! - level.noise * clean.data[i]!);
}

/** The level before the call at this place of `schedule.timesteps`. */
export function levelBefore(schedule: Schedule, place: number): NoiseLevel {
  const { sigmas, timesteps, config } = schedule;
  const sigma = sigmas?.[place];
  if (sigma === undefined) return trainingLevel(schedule, timesteps[place]!)!;
  // Euler's latents are not scaled back to unit variance.
  if (config._class_name === "EulerDiscreteScheduler" || config._class_name === "EulerAncestralDiscreteScheduler") return { signal: 1, noise: sigma };
  const signal = 1 / Math.sqrt(sigma ** 2 + 1);
  return { signal, noise: sigma * signal };
}

function levelOf(schedule: NoiseSchedule | Schedule, timestep: number): NoiseLevel | undefined {
  if (!("sigmas" in schedule)) return trainingLevel(schedule, timestep);
  const first = schedule.timesteps.indexOf(timestep);
  if (first === -1) return undefined;
  // Where a timestep comes twice diffusers takes the second.
  const second = schedule.timesteps.indexOf(timestep, first + 1);
  return levelBefore(schedule, second === -1 ? first : second);
}

function trainingLevel({ alphasCumprod }: NoiseSchedule, timestep: number): NoiseLevel | undefined {
  const alpha = alphasCumprod[timestep];
  return alpha === undefined ? undefined : { signal: Math.sqrt(alpha), noise: Math.sqrt(1 - alpha) };
}

function checkedLevels(
  where: string,
  { clean, noise, timesteps }: ForwardOptions,
  level: (timestep: number) => NoiseLevel | undefined,
): NoiseLevel[] {
  if (clean.dims.length === 0 || String(clean.dims) !== String(noise.dims)) {
    throw new ArgumentError(
      `${where}: expected clean and noise of the same dims [B, …], got [${clean.dims.join(", ")}] and [${noise.dims.join(", ")}]`,
    );
  }
  if (timesteps.length !== clean.dims[0]) throw new ArgumentError(`${where}: expected ${clean.dims[0]} timesteps, got ${timesteps.length}`);
  return timesteps.map((timestep) => {
    const found = level(timestep);
    if (!found) throw new ArgumentError(`${where}: expected timesteps of the schedule, got ${timestep}`);
    return found;
  });
}

function mix(dims: readonly number[], levels: readonly NoiseLevel[], at: (level: NoiseLevel, i: number) => number): Tensor<"float32"> {
  const data = new Float32Array(elementCount(dims));
  const size = data.length / levels.length;
  for (const [item, level] of levels.entries()) {
    for (let i = item * size; i < (item + 1) * size; i++) data[i] = at(level, i);
  }
  return { dtype: "float32", dims, data };
}
