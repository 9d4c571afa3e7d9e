import type { Lpips, LpipsRecipe } from "../networks/contract.js";
import { expectRecipe, pairCount } from "./batch.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { type ScoreState, scoreAccumulator } from "./score-accumulator.js";

export const lpipsRecipes: readonly LpipsRecipe[] = ["lpips", "torchmetrics"];

export interface LpipsSettings {
  readonly network: Lpips;
  /** Whose epsilon. Default `lpips`, the authors' package. */
  readonly recipe?: LpipsRecipe;
}

/** LPIPS of pairs of pictures of equal size; the mean over pairs. */
export function lpipsAccumulator({ network, recipe = "lpips" }: LpipsSettings): Accumulator<PairBatch, ScoreState> {
  expectRecipe("lpips", recipe, lpipsRecipes);
  return scoreAccumulator<PairBatch>({
    metric: "lpips",
    recipe,
    settings: { network: network.name, learned: network.learned },
    unit: "pairs",
    networks: [network],
    count: (batch) => pairCount("lpips", batch),
    names: ({ names }) => names,
    score: async ({ generated, reference }, signal) => {
      const { total } = await network.distances(generated, reference, { recipe, ...(signal && { signal }) });
      return { values: Float64Array.from(total) };
    },
  });
}
