import { ArgumentError } from "@refadgen/errors";
import type { Schedule } from "../schedule/schedule.js";

/** Multistep solvers divide by the steps' lengths in ln sigma: no two sigmas of a run may be the same. */
export function expectFallingSigmas({ sigmas, timesteps, steps }: Schedule, start: number): void {
  for (let place = start + 1; place < timesteps.length; place++) {
    if (sigmas![place]! < sigmas![place - 1]!) continue;
    throw new ArgumentError(`denoise: expected fewer steps, got ${steps}, which ask for timestep ${timesteps[place]} more than once`);
  }
}
