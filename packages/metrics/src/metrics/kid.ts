import { ArgumentError } from "@refadgen/errors";
import { torchGenerator } from "@refadgen/graph";
import type { Inception, InceptionInput, InceptionLevel } from "../networks/contract.js";
import { type KernelDistanceOptions, kernelDistances, type Subset } from "../statistics/kid.js";
import { numpyRandom } from "../statistics/numpy-random.js";
import { expectRecipe } from "./batch.js";
import type { Accumulator, SetBatch } from "./contract.js";
import { MetricError } from "./error.js";
import { RowSink, type RowsState } from "./feature-rows.js";
import { type SetState, setAccumulator } from "./set-accumulator.js";

/**
 * Whose KID; all draw 100 subsets of 1000 pictures.
 * - `torch-fidelity`: NumPy's generator with seed 2020, generated pictures drawn before real ones; refuses fewer than 1000;
 * - `torchmetrics`: PyTorch's generator, real pictures first; refuses fewer than 1000;
 * - `clean-fid`: NumPy's generator, real pictures first; with fewer than 1000 subsets are as large as the smaller set.
 */
export type KidRecipe = "torch-fidelity" | "torchmetrics" | "clean-fid";
export const kidRecipes: readonly KidRecipe[] = ["torch-fidelity", "torchmetrics", "clean-fid"];

export interface KidSettings extends Pick<KernelDistanceOptions, "degree" | "coefficient" | "gamma"> {
  readonly features: Inception;
  /** Default `torch-fidelity`. */
  readonly recipe?: KidRecipe;
  /** How pictures reach the network. Default: the recipe's; another lets FID and KID share their features. */
  readonly input?: InceptionInput;
  /** Default 2048. */
  readonly level?: InceptionLevel;
  /** Default 100. */
  readonly subsets?: number;
  /** Default 1000. */
  readonly subsetSize?: number;
  /** Of the subsets. Default 2020 for `torch-fidelity`; 0 for the others, which their packages leave to chance. */
  readonly seed?: number;
}

/** Kernel Inception distance of two sets: the mean over subsets, their deviation (ddof 0) as `details.std`. Keeps all features. */
export function kidAccumulator(settings: KidSettings): Accumulator<SetBatch, SetState<RowsState>> {
  const { features, recipe = "torch-fidelity", level = 2048, subsets = 100, subsetSize = 1000, degree, coefficient, gamma } = settings;
  expectRecipe("kid", recipe, kidRecipes);
  const { input = recipe, seed = recipe === "torch-fidelity" ? 2020 : 0 } = settings;
  for (const [name, value, least] of [
    ["subsets", subsets, 1],
    ["subsetSize", subsetSize, 2],
  ] as const) {
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentError(`kid: expected ${name} to be an integer of at least ${least}, got ${value}`);
  }
  const kernel = {
    ...(degree !== undefined && { degree }),
    ...(coefficient !== undefined && { coefficient }),
    ...(gamma !== undefined && { gamma }),
  };
  const sinks = { real: new RowSink(), generated: new RowSink() };
  return setAccumulator<RowsState, RowSink>({
    metric: "kid",
    recipe,
    settings: { network: features.name, input, level, subsets, subsetSize, seed, ...kernel },
    features,
    input,
    level,
    sinks,
    result: async (signal) => {
      const counts = { real: sinks.real.count, generated: sinks.generated.count };
      const size = sizeOf(recipe, subsetSize, counts);
      const drawn = drawSubsets(recipe, { subsets, size, seed, ...counts });
      const values = await kernelDistances(sinks.generated.all(), sinks.real.all(), drawn, { ...kernel, ...(signal && { signal }) });
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return { value: mean, details: { std: Math.sqrt(variance), subsetSize: size } };
    },
  });
}

interface Counts {
  readonly real: number;
  readonly generated: number;
}

function sizeOf(recipe: KidRecipe, subsetSize: number, { real, generated }: Counts): number {
  const fewest = Math.min(real, generated);
  if (recipe === "clean-fid") {
    if (fewest < 2) throw new MetricError("too-few", `kid: expected at least 2 pictures in each set, got ${real} real and ${generated} generated`);
    return Math.min(fewest, subsetSize);
  }
  if (fewest < subsetSize) {
    throw new MetricError(
      "too-few",
      `kid: expected at least as many pictures in each set as subsets have (${subsetSize}), got ${real} real and ${generated} generated. ` +
        `Choose a smaller subsetSize, or recipe "clean-fid", which does so itself`,
    );
  }
  return subsetSize;
}

/** The rows of each subset; `first` are generated ones. */
export function drawSubsets(
  recipe: KidRecipe,
  { subsets, size, seed, real, generated }: Counts & { readonly subsets: number; readonly size: number; readonly seed: number },
): readonly Subset[] {
  if (recipe === "torchmetrics") {
    const generator = torchGenerator(seed);
    const pick = (count: number) => Int32Array.from(generator.randperm(count).data.subarray(0, size), Number);
    return Array.from({ length: subsets }, () => {
      const second = pick(real);
      return { first: pick(generated), second };
    });
  }
  const random = numpyRandom(seed);
  return Array.from({ length: subsets }, () => {
    if (recipe === "torch-fidelity") {
      const first = random.choice(generated, size);
      return { first, second: random.choice(real, size) };
    }
    const second = random.choice(real, size);
    return { first: random.choice(generated, size), second };
  });
}
