import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import type { Clip, RunOptions } from "../networks/contract.js";
import { equalCounts, expectRecipe, promptCount } from "./batch.js";
import type { Accumulator, PromptBatch } from "./contract.js";
import { cosineOfRows, rowCosines } from "./cosine.js";
import { type ScoreState, type Scores, scoreAccumulator } from "./score-accumulator.js";

/**
 * Whose CLIP-Score:
 * - `torchmetrics`: 100 · cosine of picture and prompt, transformers' image processing; the mean is not let below 0;
 * - `hessel`: 2.5 · max(cosine, 0) per picture, OpenAI's image processing, prompts after "A photo depicts ".
 */
export type ClipScoreRecipe = "torchmetrics" | "hessel";
export const clipScoreRecipes: readonly ClipScoreRecipe[] = ["torchmetrics", "hessel"];

export interface ClipScoreSettings {
  readonly network: Clip;
  /** Default `torchmetrics`: the scale of the paper's tables. */
  readonly recipe?: ClipScoreRecipe;
}

const hesselPrefix = "A photo depicts ";

/** CLIP-Score of pictures and their prompts. With references, recipe `hessel` also gives RefCLIPScore, as `details.refScore`. */
export function clipScoreAccumulator({ network, recipe = "torchmetrics" }: ClipScoreSettings): Accumulator<PromptBatch, ScoreState> {
  expectRecipe("clip-score", recipe, clipScoreRecipes);
  return scoreAccumulator<PromptBatch>({
    metric: "clip-score",
    recipe,
    settings: { network: network.name },
    unit: "pictures",
    networks: [network],
    count: (batch) => {
      if (batch.references && recipe !== "hessel")
        throw new ArgumentError(`clip-score: references are for recipe "hessel", which gives RefCLIPScore; got them with "${recipe}"`);
      if (batch.references) {
        equalCounts("clip-score", { generated: batch.generated, references: batch.references });
        if (batch.references.some(({ length }) => length === 0))
          throw new ArgumentError("clip-score: expected at least one reference caption per picture");
      }
      return promptCount("clip-score", batch);
    },
    names: ({ names }) => names,
    score: (batch, signal) => (recipe === "hessel" ? hessel : torchmetrics)(batch, network, signal ? { signal } : {}),
    ...(recipe === "torchmetrics" && { value: ({ values }: Scores) => Math.max(0, mean(values)) }),
    details: ({ extras }) => (extras.refScore && !extras.refScore.some(Number.isNaN) ? { refScore: mean(extras.refScore) } : {}),
  });
}

async function torchmetrics({ generated, prompts }: PromptBatch, network: Clip, run: RunOptions): Promise<Scores> {
  const images = await network.images(generated, { preprocessing: "transformers", ...run });
  const texts = await network.texts(prompts, { truncation: "torchmetrics", ...run });
  return { values: rowCosines(images, texts).map((cosine) => 100 * cosine) };
}

async function hessel({ generated, prompts, references }: PromptBatch, network: Clip, run: RunOptions): Promise<Scores> {
  const images = await network.images(generated, { preprocessing: "openai", ...run });
  const textsOf = (texts: readonly string[]) =>
    network.texts(
      texts.map((text) => hesselPrefix + text),
      { truncation: "openai", ...run },
    );
  const candidates = await textsOf(prompts);
  const values = rowCosines(images, candidates).map((cosine) => 2.5 * Math.max(0, cosine));
  if (!references) return { values, extras: { refScore: new Float64Array(values.length).fill(Number.NaN) } };
  const captions = await textsOf(references.flat());
  let first = 0;
  const refScore = values.map((score, index) => {
    const count = references[index]!.length;
    const best = bestCosine(candidates, index, captions, first, count);
    first += count;
    return (2 * score * best) / (score + best);
  });
  return { values, extras: { refScore } };
}

function bestCosine(candidates: Tensor<"float32">, index: number, captions: Tensor<"float32">, from: number, count: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let row = from; row < from + count; row++) best = Math.max(best, cosineOfRows(candidates, index, captions, row));
  return best;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
