/** Karras et al. (2022), equation 5. */
const rho = 7;

/** Noise over signal, √((1 - ᾱ) / ᾱ), of every training timestep: rising, in the reference's float32. */
export function trainingSigmas(alphasCumprod: Float32Array): Float32Array {
  return alphasCumprod.map((alpha) => Math.sqrt(Math.fround(Math.fround(1 - alpha) / alpha)));
}

/** The sigma of a timestep, linear between whole ones; beyond the ends that of the end. */
export function sigmaAt(sigmas: Float32Array, timestep: number): number {
  const place = Math.min(Math.max(timestep, 0), sigmas.length - 1);
  const below = Math.min(Math.floor(place), sigmas.length - 2);
  return sigmas[below]! + (place - below) * (sigmas[below + 1]! - sigmas[below]!);
}

/** The timestep of a sigma, linear in its logarithm between whole timesteps. */
export function timestepAt(sigmas: Float32Array, sigma: number): number {
  let below = 0;
  while (below < sigmas.length - 2 && sigmas[below + 1]! <= sigma) below++;
  const low = Math.fround(Math.log(sigmas[below]!));
  const high = Math.fround(Math.log(sigmas[below + 1]!));
  return below + Math.min(Math.max((Math.log(sigma) - low) / (high - low), 0), 1);
}

/** `steps` sigmas from `largest` to `smallest`, even in their seventh root. */
export function karrasSigmas(largest: number, smallest: number, steps: number): number[] {
  const start = largest ** (1 / rho);
  const end = smallest ** (1 / rho);
  return Array.from({ length: steps }, (_, i) => (start + (i / Math.max(steps - 1, 1)) * (end - start)) ** rho);
}
