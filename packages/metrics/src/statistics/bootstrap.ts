import { ArgumentError } from "@refadgen/errors";
import type { Interval, IntervalOptions } from "../metrics/contract.js";
import { drawFrom } from "./random.js";

export interface BootstrapOptions extends IntervalOptions {
  readonly signal?: AbortSignal;
}

/** Draws between two looks at the event loop. */
const drawsPerTurn = 500_000;

/**
 * Confidence interval of a mean: percentiles of the means of resamples (Efron's percentile bootstrap), interpolated as NumPy does.
 * Undefined for fewer than two scores.
 *
 * @throws ArgumentError for a level outside (0, 1), fewer than 100 resamples, or a score that is NaN
 */
export async function bootstrapInterval(scores: ArrayLike<number>, options: BootstrapOptions = {}): Promise<Interval | undefined> {
  return bootstrapOf(scores.length, options, (indices) => {
    let sum = 0;
    for (const index of indices) sum += scores[index]!;
    return sum / indices.length;
  });
}

/** The same for any statistic of the drawn indices. */
export async function bootstrapOf(
  count: number,
  { level = 0.95, resamples = 2000, seed = 0, signal }: BootstrapOptions,
  statistic: (indices: Uint32Array) => number,
): Promise<Interval | undefined> {
  if (!(level > 0 && level < 1)) throw new ArgumentError(`bootstrapInterval: expected a level between 0 and 1, got ${level}`);
  if (!Number.isInteger(resamples) || resamples < 100)
    throw new ArgumentError(`bootstrapInterval: expected at least 100 resamples, got ${resamples}`);
  const draw = drawFrom(seed);
  if (count < 2) return undefined;
  const indices = new Uint32Array(count);
  const values = new Float64Array(resamples);
  let drawn = 0;
  for (let resample = 0; resample < resamples; resample++) {
    for (let index = 0; index < count; index++) indices[index] = draw(count);
    values[resample] = statistic(indices);
    drawn += count;
    if (drawn >= drawsPerTurn) {
      drawn = 0;
      signal?.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  if (values.some(Number.isNaN)) throw new ArgumentError("bootstrapInterval: expected scores that are numbers, got NaN");
  values.sort();
  const tail = (1 - level) / 2;
  return { low: percentile(values, tail), high: percentile(values, 1 - tail), level, method: "bootstrap", resamples, seed };
}

/** @param sorted in ascending order */
function percentile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  // Equal infinities have no difference.
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
