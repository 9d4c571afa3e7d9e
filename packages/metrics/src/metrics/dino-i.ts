import type { Dino } from "../networks/contract.js";
import { expectRecipe, pairCount } from "./batch.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { rowCosines } from "./cosine.js";
import { type ScoreState, scoreAccumulator } from "./score-accumulator.js";

/** `dreambooth`: cosine of the class tokens of ViT-S/16; short side to 256, bicubic, crop of 224. */
export type DinoIRecipe = "dreambooth";

export interface DinoISettings {
  readonly network: Dino;
  /** Default `dreambooth`. */
  readonly recipe?: DinoIRecipe;
}

/** DINO-I: how alike DINO finds two pictures. */
export function dinoIAccumulator({ network, recipe = "dreambooth" }: DinoISettings): Accumulator<PairBatch, ScoreState> {
  expectRecipe("dino-i", recipe, ["dreambooth"]);
  return scoreAccumulator<PairBatch>({
    metric: "dino-i",
    recipe,
    settings: { network: network.name },
    unit: "pairs",
    networks: [network],
    count: (batch) => pairCount("dino-i", batch),
    names: ({ names }) => names,
    score: async ({ generated, reference }, signal) => {
      const options = signal ? { signal } : {};
      return { values: rowCosines(await network.embeddings(generated, options), await network.embeddings(reference, options)) };
    },
  });
}
