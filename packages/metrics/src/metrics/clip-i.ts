import type { Clip } from "../networks/contract.js";
import { expectRecipe, pairCount } from "./batch.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { rowCosines } from "./cosine.js";
import { type ScoreState, type Scores, scoreAccumulator } from "./score-accumulator.js";

/**
 * Whose CLIP-I:
 * - `dreambooth`: cosine, OpenAI's image processing;
 * - `torchmetrics`: 100 · cosine, transformers' image processing; the mean is not let below 0.
 */
export type ClipIRecipe = "dreambooth" | "torchmetrics";
export const clipIRecipes: readonly ClipIRecipe[] = ["dreambooth", "torchmetrics"];

export interface ClipISettings {
  readonly network: Clip;
  /** Default `dreambooth`. */
  readonly recipe?: ClipIRecipe;
}

/** CLIP-I: how alike CLIP finds two pictures. */
export function clipIAccumulator({ network, recipe = "dreambooth" }: ClipISettings): Accumulator<PairBatch, ScoreState> {
  expectRecipe("clip-i", recipe, clipIRecipes);
  const [scale, preprocessing] = recipe === "dreambooth" ? ([1, "openai"] as const) : ([100, "transformers"] as const);
  return scoreAccumulator<PairBatch>({
    metric: "clip-i",
    recipe,
    settings: { network: network.name },
    unit: "pairs",
    networks: [network],
    count: (batch) => pairCount("clip-i", batch),
    names: ({ names }) => names,
    score: async ({ generated, reference }, signal) => {
      const options = { preprocessing, ...(signal && { signal }) };
      const cosines = rowCosines(await network.images(generated, options), await network.images(reference, options));
      return { values: cosines.map((cosine) => scale * cosine) };
    },
    ...(recipe === "torchmetrics" && {
      value: ({ values }: Scores) => Math.max(0, values.reduce((sum, value) => sum + value, 0) / values.length),
    }),
  });
}
