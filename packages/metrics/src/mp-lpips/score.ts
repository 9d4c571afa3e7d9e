import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import { type Image, maxFilter } from "@refadgen/image";
import { MetricError } from "../metrics/error.js";
import type { Lpips, LpipsRecipe } from "../networks/contract.js";
import type { Masked } from "./mask.js";
import type { Match, Point } from "./match.js";

export interface ScoreMatchesOptions {
  /** Side of the patches that are compared, odd. Default 33. */
  readonly patch?: number;
  /** By how much the generated mask is grown before a match counts as outside of it: side of a maximum filter, odd. Default 17. */
  readonly dilation?: number;
  /** What a match outside costs. Default: the distance between a white and a black patch. */
  readonly penalty?: number;
  /** Default `torchmetrics`, as published. */
  readonly recipe?: LpipsRecipe;
  readonly signal?: AbortSignal;
}

/** What matches are worth. */
export interface MatchScores {
  /** Mean of `scores`; NaN when there is no point. */
  readonly value: number;
  /** One per point. */
  readonly scores: Float64Array;
  /** Whether a match lies outside of the generated product; its score is the penalty. */
  readonly outside: readonly boolean[];
  readonly penalty: number;
}

/**
 * LPIPS of the patches around each point and its match; a constant where the match is not on the product.
 *
 * Source: ShineChen1024/MagicClothing metric/MP_LPIPS/metric_MP_LPIPS.py.
 *
 * @param product the masked product, in which the points are
 * @param generated the masked generated picture, in which the matches are
 * @throws ArgumentError for settings or counts that do not fit; MetricError `not-finite`
 */
export async function scoreMatches(
  product: Masked,
  generated: Masked,
  points: readonly Point[],
  matches: readonly Match[],
  lpips: Lpips,
  options: ScoreMatchesOptions = {},
): Promise<MatchScores> {
  const { patch = 33, dilation = 17, recipe = "torchmetrics", signal } = options;
  if (points.length !== matches.length)
    throw new ArgumentError(`scoreMatches: expected one match per point, got ${points.length} points and ${matches.length} matches`);
  if (!Number.isInteger(patch) || patch % 2 === 0 || patch < lpips.minimumSide)
    throw new ArgumentError(`scoreMatches: expected an odd patch of at least ${lpips.minimumSide} pixels for ${lpips.name}, got ${patch}`);
  const penalty = options.penalty ?? (await whiteAgainstBlack(lpips, patch, recipe, signal));
  const grown = maxFilter(generated.mask, dilation);
  const outside = matches.map(({ row, column }) => grown.data[row * grown.width + column] === 0);
  const compared = [...points.keys()].filter((index) => !outside[index]);
  const scores = new Float64Array(points.length).fill(penalty);
  if (compared.length > 0) {
    const { total } = await lpips.tensorDistances(
      patches(
        product.image,
        compared.map((index) => points[index]!),
        patch,
      ),
      patches(
        generated.image,
        compared.map((index) => matches[index]!),
        patch,
      ),
      { recipe, ...(signal && { signal }) },
    );
    for (const [place, index] of compared.entries()) scores[index] = total[place]!;
  }
  if (!scores.every(Number.isFinite)) throw new MetricError("not-finite", "scoreMatches: expected finite distances; the weights of LPIPS are not");
  return { value: scores.reduce((sum, score) => sum + score, 0) / scores.length, scores, outside, penalty };
}

const penalties = new WeakMap<Lpips, Map<string, Promise<number>>>();

/** The distance of a white and a black patch: a constant of the network. */
async function whiteAgainstBlack(lpips: Lpips, patch: number, recipe: LpipsRecipe, signal: AbortSignal | undefined): Promise<number> {
  const known = penalties.get(lpips) ?? new Map<string, Promise<number>>();
  penalties.set(lpips, known);
  const key = `${patch} ${recipe}`;
  const plain = (value: number): Tensor<"float32"> => ({
    dtype: "float32",
    dims: [1, 3, patch, patch],
    data: new Float32Array(3 * patch * patch).fill(value),
  });
  const distance = known.get(key) ?? lpips.tensorDistances(plain(1), plain(-1), { recipe, ...(signal && { signal }) }).then(({ total }) => total[0]!);
  known.set(key, distance);
  distance.catch(() => known.delete(key));
  return distance;
}

/** Squares around points, black beyond the picture's borders, `[N, 3, patch, patch]` in [-1, 1]. */
function patches({ data, width, height }: Image, centres: readonly Point[], patch: number): Tensor<"float32"> {
  const half = (patch - 1) / 2;
  const area = patch * patch;
  const values = new Float32Array(centres.length * 3 * area).fill(-1);
  for (const [index, { row, column }] of centres.entries()) {
    for (let y = 0; y < patch; y++) {
      const fromRow = row - half + y;
      if (fromRow < 0 || fromRow >= height) continue;
      for (let x = 0; x < patch; x++) {
        const fromColumn = column - half + x;
        if (fromColumn < 0 || fromColumn >= width) continue;
        const pixel = (fromRow * width + fromColumn) * 3;
        for (let channel = 0; channel < 3; channel++)
          values[(index * 3 + channel) * area + y * patch + x] = 2 * Math.fround(data[pixel + channel]! / 255) - 1;
      }
    }
  }
  return { dtype: "float32", dims: [centres.length, 3, patch, patch], data: values };
}
