import { type MatchedPatchOptions, matchedPatchDistance } from "../mp-lpips/measure.js";
import type { DenseFeatures, LoadedNetwork, Lpips } from "../networks/contract.js";
import { equalCounts, expectRecipe } from "./batch.js";
import type { Accumulator, MaskedBatch } from "./contract.js";
import { type ScoreState, scoreAccumulator } from "./score-accumulator.js";

export interface MpLpipsSettings extends Omit<MatchedPatchOptions, "signal" | "recipe"> {
  /** Compares patches; `alex`, as published. */
  readonly network: Lpips;
  /** Finds points again: DIFT as published, DINO, or your own. */
  readonly features: DenseFeatures & Partial<Pick<LoadedNetwork, "contentKey">>;
  /** There is one: the published code, with a product mask on the generated picture where it has human parsing. */
  readonly recipe?: "magic-clothing";
}

/** MP-LPIPS of pictures of a product; one score per picture, NaN where no point of the grid lies on the product. */
export function mpLpipsAccumulator({
  network,
  features,
  recipe = "magic-clothing",
  ...options
}: MpLpipsSettings): Accumulator<MaskedBatch, ScoreState> {
  expectRecipe("mp-lpips", recipe, ["magic-clothing"]);
  const { size = 512, grid = 40, patch = 33, dilation = 17, penalty } = options;
  return scoreAccumulator<MaskedBatch>({
    metric: "mp-lpips",
    recipe,
    settings: { network: network.name, features: features.name, size, grid, patch, dilation, penalty: penalty ?? "white against black" },
    unit: "pictures",
    networks: [network, { contentKey: async () => (await features.contentKey?.()) ?? features.name }],
    count: ({ generated, product, productMasks, generatedMasks }) =>
      equalCounts("mp-lpips", { generated, product, "product masks": productMasks, "generated masks": generatedMasks }),
    names: ({ names }) => names,
    score: async ({ generated, product, productMasks, generatedMasks }, signal) => {
      const values = new Float64Array(generated.length);
      const points = new Float64Array(generated.length);
      const outside = new Float64Array(generated.length);
      for (const index of generated.keys()) {
        signal?.throwIfAborted();
        const input = {
          generated: generated[index]!,
          product: product[index]!,
          productMask: productMasks[index]!,
          generatedMask: generatedMasks[index]!,
        };
        const result = await matchedPatchDistance(input, features, network, { ...options, ...(signal && { signal }) });
        values[index] = result.value;
        points[index] = result.points.length;
        outside[index] = result.outside.filter(Boolean).length;
      }
      return { values, extras: { points, outside } };
    },
    details: ({ extras }) => {
      const [points, outside] = [sum(extras.points!), sum(extras.outside!)];
      return { points, outsideShare: points === 0 ? 0 : outside / points };
    },
    allows: { undefined: true },
  });
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
