import { ArgumentError } from "@refadgen/errors";
import type { MetricName, PairBatch, PromptBatch } from "./contract.js";

/** How many rows lists of one batch have. */
export function equalCounts(metric: MetricName, lists: Readonly<Record<string, readonly unknown[]>>): number {
  const [[firstName, first], ...others] = Object.entries(lists) as [[string, readonly unknown[]], ...[string, readonly unknown[]][]];
  for (const [name, list] of others) {
    if (list.length !== first.length)
      throw new ArgumentError(`${metric}: expected as many ${name} as ${firstName}, got ${list.length} and ${first.length}`);
  }
  return first.length;
}

export function pairCount(metric: MetricName, { generated, reference }: PairBatch): number {
  return equalCounts(metric, { generated, reference });
}

export function promptCount(metric: MetricName, { generated, prompts }: PromptBatch): number {
  return equalCounts(metric, { generated, prompts });
}

/** Throws unless `recipe` is one of `recipes`. */
export function expectRecipe(metric: MetricName, recipe: string, recipes: readonly string[]): void {
  if (!recipes.includes(recipe)) throw new ArgumentError(`${metric}: expected recipe ${recipes.join(", ")}, got "${recipe}"`);
}
