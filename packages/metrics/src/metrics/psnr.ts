import { toRgb } from "@refadgen/image";
import type { Picture } from "../networks/contract.js";
import { imageOf } from "../networks/pictures.js";
import { expectSameSize } from "../pixel/planes.js";
import { peakSignalToNoise, piqSignalToNoise } from "../pixel/psnr.js";
import { bootstrapOf } from "../statistics/bootstrap.js";
import { expectRecipe, pairCount } from "./batch.js";
import type { Accumulator, PairBatch } from "./contract.js";
import { type ScoreState, type Scores, scoreAccumulator } from "./score-accumulator.js";

/**
 * Whose PSNR:
 * - `torchmetrics`: from one mean squared error over all pixels of all pairs;
 * - `piq`: mean of the pairs' own, with 1e-8 added to each error, so equal pictures have 80 dB;
 * - `skimage`: mean of the pairs' own; equal pictures are infinitely good.
 */
export type PsnrRecipe = "torchmetrics" | "piq" | "skimage";
export const psnrRecipes: readonly PsnrRecipe[] = ["torchmetrics", "piq", "skimage"];

export interface PsnrSettings {
  /** Default `torchmetrics`. */
  readonly recipe?: PsnrRecipe;
}

/** PSNR of pairs in decibels, on RGB values from 0 to 255. */
export function psnrAccumulator({ recipe = "torchmetrics" }: PsnrSettings = {}): Accumulator<PairBatch, ScoreState> {
  expectRecipe("psnr", recipe, psnrRecipes);
  const of = recipe === "piq" ? piqSignalToNoise : peakSignalToNoise;
  return scoreAccumulator<PairBatch>({
    metric: "psnr",
    recipe,
    settings: {},
    unit: "pairs",
    networks: [],
    count: (batch) => {
      const count = pairCount("psnr", batch);
      for (const index of batch.generated.keys())
        expectSameSize("psnr", { ...imageOf(batch.generated[index]!), channels: 3 }, { ...imageOf(batch.reference[index]!), channels: 3 });
      return count;
    },
    names: ({ names }) => names,
    score: async ({ generated, reference }, signal) => {
      const errors = new Float64Array(generated.length);
      const pixels = new Float64Array(generated.length);
      for (const index of generated.keys()) {
        signal?.throwIfAborted();
        [errors[index], pixels[index]] = squaredError(generated[index]!, reference[index]!);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { values: errors.map((error) => of(error, 255)), extras: { error: errors, pixels } };
    },
    ...(recipe === "torchmetrics" && {
      value: ({ extras }: Required<Scores>) => peakSignalToNoise(pooled(extras), 255),
      interval: ({ values, extras }, options) => bootstrapOf(values.length, options, (indices) => peakSignalToNoise(pooled(extras, indices), 255)),
    }),
    allows: { infinite: true },
  });
}

function pooled({ error, pixels }: Readonly<Record<string, Float64Array>>, indices: Iterable<number> = error!.keys()): number {
  let [sum, count] = [0, 0];
  for (const index of indices) {
    sum += error![index]! * pixels![index]!;
    count += pixels![index]!;
  }
  return sum / count;
}

/** Mean squared difference and number of pixels; sums of whole numbers are exact. */
function squaredError(a: Picture, b: Picture): [number, number] {
  const [first, second] = [toRgb(imageOf(a)), toRgb(imageOf(b))];
  let sum = 0;
  for (let index = 0; index < first.data.length; index++) {
    const difference = first.data[index]! - second.data[index]!;
    sum += difference * difference;
  }
  return [sum / first.data.length, first.width * first.height];
}
