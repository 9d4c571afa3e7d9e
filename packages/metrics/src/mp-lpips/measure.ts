import { ArgumentError } from "@refadgen/errors";
import type { DenseFeatures, Lpips, Picture } from "../networks/contract.js";
import { maskedPicture } from "./mask.js";
import { gridPoints, type Match, matchPoints, type Point } from "./match.js";
import { type MatchScores, type ScoreMatchesOptions, scoreMatches } from "./score.js";

export interface MatchedPatchOptions extends ScoreMatchesOptions {
  /** Side of the square to which everything is resized. Default 512. */
  readonly size?: number;
  /** Distance of the grid of points. Default 40. */
  readonly grid?: number;
}

/** A generated picture of a product, with the product alone, and where it is in both. */
export interface MatchedPatchInput {
  readonly product: Picture;
  readonly productMask: Picture;
  readonly generated: Picture;
  readonly generatedMask: Picture;
}

export interface MatchedPatchResult extends MatchScores {
  readonly points: readonly Point[];
  readonly matches: readonly Match[];
}

/**
 * MP-LPIPS of one picture: points of the product are found again in the generated picture by their features, and the patches around both
 * are compared.
 *
 * @param features where matches are looked for: DIFT as published, DINO, or your own
 * @throws ArgumentError; MetricError `not-finite`; errors of the networks
 */
export async function matchedPatchDistance(
  { product, productMask, generated, generatedMask }: MatchedPatchInput,
  features: DenseFeatures,
  lpips: Lpips,
  options: MatchedPatchOptions = {},
): Promise<MatchedPatchResult> {
  const { size = 512, grid = 40, signal } = options;
  if (!Number.isInteger(size) || size < 1) throw new ArgumentError(`mpLpips: expected a size of at least 1, got ${size}`);
  const run = signal ? { signal } : {};
  const source = maskedPicture(product, productMask, size);
  const target = maskedPicture(generated, generatedMask, size);
  const points = gridPoints(source.mask, grid);
  const matches =
    points.length === 0
      ? []
      : await matchPoints(
          await features.features(source.image, "product", run),
          await features.features(target.image, "generated", run),
          points,
          { width: size, height: size },
          run,
        );
  return { ...(await scoreMatches(source, target, points, matches, lpips, options)), points, matches };
}
