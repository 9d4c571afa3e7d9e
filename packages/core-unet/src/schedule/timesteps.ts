import { ArgumentError } from "@refadgen/errors";
import type { LcmConfig, SharedSchedulerConfig } from "./config.js";

/** Timesteps that run from noise to image, in falling order: `steps` of them. */
export type Timesteps = readonly number[];

/** DDIM's and PNDM's timesteps: integers. */
export function integerTimesteps(config: SharedSchedulerConfig, steps: number): Timesteps {
  return spacedTimesteps(config, steps).map(roundHalfToEven);
}

/** Euler's timesteps: those of linspace are not rounded. */
export function spacedTimesteps({ num_train_timesteps: count, timestep_spacing, steps_offset }: SharedSchedulerConfig, steps: number): Timesteps {
  switch (timestep_spacing) {
    case "leading":
      return descending(steps, (i) => i * Math.floor(count / steps) + steps_offset);
    case "trailing":
      return trailing(count, steps);
    case "linspace":
      return descending(steps, (i) => linspace(count - 1, steps, i));
  }
}

/** DPM-Solver++'s and UniPC's timesteps: as of one step more, without the last. */
export function multistepTimesteps({ num_train_timesteps: count, timestep_spacing, steps_offset }: SharedSchedulerConfig, steps: number): Timesteps {
  switch (timestep_spacing) {
    case "leading":
      return descending(steps, (i) => (i + 1) * Math.floor(count / (steps + 1)) + steps_offset);
    case "trailing":
      return trailing(count, steps);
    case "linspace":
      return descending(steps, (i) => roundHalfToEven(linspace(count - 1, steps + 1, i + 1)));
  }
}

/**
 * Latent consistency's timesteps: evenly many of those that the network was distilled on.
 *
 * @throws ArgumentError for more steps than those.
 */
export function consistencyTimesteps({ num_train_timesteps: count, original_inference_steps: original }: LcmConfig, steps: number): Timesteps {
  if (steps > original) throw new ArgumentError(`createSchedule: expected at most original_inference_steps = ${original} steps, got ${steps}`);
  const stride = Math.floor(count / original);
  return Array.from({ length: steps }, (_, i) => (original - Math.floor(i * (original / steps))) * stride - 1);
}

/** Rounds to the nearest integer, halves to the even one. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** T, T - T/steps, …, each rounded, less one. */
function trailing(count: number, steps: number): Timesteps {
  // The stride as the difference of the first two, which is how NumPy's arange steps: it decides ties (48 steps).
  const stride = count - count / steps - count;
  return Array.from({ length: steps }, (_, i) => roundHalfToEven(count + i * stride) - 1);
}

function linspace(end: number, points: number, i: number): number {
  if (points === 1) return 0;
  return i === points - 1 ? end : i * (end / (points - 1));
}

function descending(steps: number, at: (i: number) => number): Timesteps {
  return Array.from({ length: steps }, (_, i) => at(steps - 1 - i));
}
