import type { ImageReward } from "../networks/contract.js";
import { expectRecipe, promptCount } from "./batch.js";
import type { Accumulator, PromptBatch } from "./contract.js";
import { type ScoreState, scoreAccumulator } from "./score-accumulator.js";

export interface ImageRewardSettings {
  readonly network: ImageReward;
  /** There is one: the authors' package. */
  readonly recipe?: "image-reward";
}

/** ImageReward of pictures and their prompts; mostly between -2 and 2. */
export function imageRewardAccumulator({ network, recipe = "image-reward" }: ImageRewardSettings): Accumulator<PromptBatch, ScoreState> {
  expectRecipe("image-reward", recipe, ["image-reward"]);
  return scoreAccumulator<PromptBatch>({
    metric: "image-reward",
    recipe,
    settings: { network: network.name },
    unit: "pictures",
    networks: [network],
    count: (batch) => promptCount("image-reward", batch),
    names: ({ names }) => names,
    score: async ({ generated, prompts }, signal) => ({
      values: Float64Array.from(await network.rewards(generated, prompts, signal ? { signal } : {})),
    }),
  });
}
