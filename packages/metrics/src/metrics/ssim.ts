import { toRgb } from "@refadgen/image";
import { imageOf } from "../networks/pictures.js";
import { expectSameSize } from "../pixel/planes.js";
import { comparePixels } from "../pixel/pool.js";
import { type MsSsimRecipe, msSsimRecipes, type SsimRecipe, type SsimSettings, ssimRecipes } from "../pixel/ssim-recipes.js";
import { expectRecipe, pairCount } from "./batch.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { type ScoreState, scoreAccumulator } from "./score-accumulator.js";

export interface SsimAccumulatorSettings extends SsimSettings {
  /** Default `torchmetrics`. */
  readonly recipe?: SsimRecipe;
}

export interface MsSsimAccumulatorSettings extends SsimSettings {
  /** Default `torchmetrics`. */
  readonly recipe?: MsSsimRecipe;
}

/** SSIM of pairs, on RGB values from 0 to 1; the mean over pairs. */
export function ssimAccumulator({ recipe = "torchmetrics", ...settings }: SsimAccumulatorSettings = {}): Accumulator<PairBatch, ScoreState> {
  expectRecipe("ssim", recipe, ssimRecipes);
  return similarityAccumulator({ metric: "ssim", recipe }, settings);
}

/** SSIM over five scales of pairs, on RGB values from 0 to 1; the mean over pairs. */
export function msSsimAccumulator({ recipe = "torchmetrics", ...settings }: MsSsimAccumulatorSettings = {}): Accumulator<PairBatch, ScoreState> {
  expectRecipe("ms-ssim", recipe, msSsimRecipes);
  return similarityAccumulator({ metric: "ms-ssim", recipe }, settings);
}

function similarityAccumulator(
  which: { readonly metric: "ssim"; readonly recipe: SsimRecipe } | { readonly metric: "ms-ssim"; readonly recipe: MsSsimRecipe },
  settings: SsimSettings,
): Accumulator<PairBatch, ScoreState> {
  const { metric, recipe } = which;
  return scoreAccumulator<PairBatch>({
    metric,
    recipe,
    settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, Array.isArray(value) ? value.join(" ") : value])),
    unit: "pairs",
    networks: [],
    count: (batch) => {
      const count = pairCount(metric, batch);
      for (const index of batch.generated.keys())
        expectSameSize(metric, { ...imageOf(batch.generated[index]!), channels: 3 }, { ...imageOf(batch.reference[index]!), channels: 3 });
      return count;
    },
    names: ({ names }) => names,
    score: async ({ generated, reference }, signal) => {
      const values = await Promise.all(
        generated.map((picture, index) => {
          signal?.throwIfAborted();
          return comparePixels({ ...which, generated: toRgb(imageOf(picture)), reference: toRgb(imageOf(reference[index]!)), settings });
        }),
      );
      return { values: Float64Array.from(values) };
    },
  });
}
