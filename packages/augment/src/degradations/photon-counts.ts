import type { SteppedOutcome } from "./noise-field.js";
import { toByte } from "./picture.js";

/** The Poisson distribution of a mean, where it is not 0 in float64's eyes. */
export interface PhotonCounts {
  readonly first: number;
  /** Probability of at most `first`, `first` + 1, … */
  readonly cumulative: Float64Array;
}

/** Sums the distribution from below; where the mean is large, from ten standard deviations below it. */
export function photonCounts(mean: number): PhotonCounts {
  if (mean === 0) return { first: 0, cumulative: Float64Array.of(1) };
  const spread = 10 * Math.sqrt(mean) + 20;
  const first = Math.max(0, Math.floor(mean - spread));
  let log = -mean;
  for (let k = 1; k <= first; k++) log += Math.log(mean / k);
  const cumulative = new Float64Array(Math.ceil(mean + spread) - first + 1);
  let probability = Math.exp(log);
  let sum = 0;
  for (let i = 0; i < cumulative.length; i++) {
    sum += probability;
    cumulative[i] = sum;
    probability *= mean / (first + i + 1);
  }
  return { first, cumulative };
}

/** The smallest count whose cumulative probability reaches a uniform number. */
export function photonCount({ first, cumulative }: PhotonCounts, uniform: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! < uniform) low = middle + 1;
    else high = middle;
  }
  return first + low;
}

/** What each level becomes when white is `peak` photons: `photonCount` for all random numbers of 24 bits at once, as levels. */
export function photonLevels(peak: number): SteppedOutcome[] {
  return Array.from({ length: 256 }, (_, level) => {
    const { first, cumulative } = photonCounts((level / 255) * peak);
    const steps: number[] = [];
    const outcomes: number[] = [];
    for (let i = 0, from = 0; i < cumulative.length; i++) {
      // Above this number the count is larger; the last count takes the rest.
      const next = i + 1 < cumulative.length ? Math.floor(cumulative[i]! * 2 ** 24) + 1 : 2 ** 24;
      if (next <= from) continue;
      const outcome = toByte((first + i) / peak);
      if (outcomes.length === 0) outcomes.push(outcome);
      else if (outcomes.at(-1) !== outcome) {
        steps.push(from);
        outcomes.push(outcome);
      }
      from = next;
      if (from >= 2 ** 24) break;
    }
    return { steps, outcomes };
  });
}
