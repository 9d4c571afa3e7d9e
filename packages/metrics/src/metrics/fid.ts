import { ArgumentError } from "@refadgen/errors";
import type { Inception, InceptionInput, InceptionLevel } from "../networks/contract.js";
import { frechetDistance } from "../statistics/frechet.js";
import { FeatureMoments, type MomentsState } from "../statistics/moments.js";
import type { FeatureStatistics } from "../statistics/statistics.js";
import { expectRecipe } from "./batch.js";
import type { Accumulator, SetBatch } from "./contract.js";
import { MetricError } from "./error.js";
import { type FeatureSink, type SetAccumulator, type SetState, setAccumulator } from "./set-accumulator.js";

/**
 * Whose FID. Recipes differ in how pictures reach the network and which files of a folder count; the distance itself is the exact one for
 * all of them, to which the packages come within 1e-7 of the covariances' traces.
 */
export type FidRecipe = InceptionInput;
export const fidRecipes: readonly FidRecipe[] = ["pytorch-fid", "clean-fid", "torch-fidelity", "torchmetrics"];

export interface FidSettings {
  /** The network. */
  readonly features: Inception;
  /** Default `pytorch-fid`, the most cited. */
  readonly recipe?: FidRecipe;
  /** Feature level; values of different levels are on different scales. Default 2048. */
  readonly level?: InceptionLevel;
  /** Statistics of the real set instead of its pictures, of the same recipe and level. */
  readonly real?: FeatureStatistics;
}

/** A side's state: the moments' or null before its first picture. */
export type FidState = SetState<MomentsState | null>;

/** Fréchet Inception distance of two sets of pictures, in constant memory: 34 MB a side, however many pictures there are. */
export function fidAccumulator({ features, recipe = "pytorch-fid", level = 2048, real }: FidSettings): FidAccumulator {
  expectRecipe("fid", recipe, fidRecipes);
  const dimensions = typeof level === "number" ? level : 1008;
  if (real && real.dimensions !== dimensions)
    throw new ArgumentError(`fid: expected statistics of ${dimensions} dimensions for level ${level}, got ${real.dimensions}`);
  const sinks = { real: new MomentsSink(), generated: new MomentsSink() };
  const statistics = async (side: "real" | "generated", signal: AbortSignal | undefined): Promise<FeatureStatistics> => {
    if (side === "real" && real) return real;
    if (sinks[side].count < 2) throw new MetricError("too-few", `fid: expected at least 2 ${side} pictures, got ${sinks[side].count}`);
    return sinks[side].statistics(signal);
  };
  const accumulator: SetAccumulator<MomentsState | null> = setAccumulator<MomentsState | null, MomentsSink>({
    metric: "fid",
    recipe,
    settings: { network: features.name, level },
    features,
    input: recipe,
    level,
    sinks,
    ...(real && { given: { side: "real", count: real.count } }),
    result: async (signal) => {
      const [first, second] = [await statistics("real", signal), await statistics("generated", signal)];
      const value = await frechetDistance(first, second, signal ? { signal } : {});
      return {
        value,
        warnings: real && real.count === undefined ? ["the file of statistics does not say how many real pictures it stands for"] : [],
      };
    },
  });
  return {
    ...accumulator,
    statistics: async (side, { signal } = {}) => {
      await accumulator.settled();
      return statistics(side, signal);
    },
  };
}

/** The accumulator of FID can also hand out a side's statistics, to be saved. */
export interface FidAccumulator extends Accumulator<SetBatch, FidState> {
  /** @throws MetricError `too-few` */
  statistics(side: "real" | "generated", options?: { readonly signal?: AbortSignal }): Promise<FeatureStatistics>;
}

/** Mean and covariance; their width is known with the first rows. */
class MomentsSink implements FeatureSink<MomentsState | null> {
  #moments: FeatureMoments | undefined;

  get count(): number {
    return this.#moments?.count ?? 0;
  }

  add(rows: Float32Array, width: number, signal?: AbortSignal): Promise<void> {
    this.#moments ??= new FeatureMoments(width);
    return this.#moments.add(rows, signal);
  }

  state(): MomentsState | null {
    return this.#moments?.state() ?? null;
  }

  async merge(state: MomentsState | null): Promise<void> {
    if (!state) return;
    this.#moments ??= new FeatureMoments(state.dimensions);
    await this.#moments.merge(state);
  }

  statistics(signal: AbortSignal | undefined): Promise<FeatureStatistics> {
    return this.#moments!.statistics(signal);
  }
}
