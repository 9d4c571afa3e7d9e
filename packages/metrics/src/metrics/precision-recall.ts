import { ArgumentError } from "@refadgen/errors";
import type { Inception, InceptionInput, InceptionLevel } from "../networks/contract.js";
import { neighbourScores } from "../statistics/neighbours.js";
import { expectRecipe } from "./batch.js";
import type { Accumulator, SetBatch } from "./contract.js";
import { MetricError } from "./error.js";
import { RowSink, type RowsState } from "./feature-rows.js";
import { type SetState, setAccumulator } from "./set-accumulator.js";

/**
 * Whose precision and recall:
 * - `torch-fidelity`: 3 neighbours, points at exactly the radius are inside;
 * - `prdc`: 5 neighbours, points at exactly the radius are outside (the authors of density and coverage).
 */
export type PrecisionRecallRecipe = "torch-fidelity" | "prdc";
export const precisionRecallRecipes: readonly PrecisionRecallRecipe[] = ["torch-fidelity", "prdc"];

export interface PrecisionRecallSettings {
  readonly features: Inception;
  /** Default `torch-fidelity`. */
  readonly recipe?: PrecisionRecallRecipe;
  /** How pictures reach the network. Default `torch-fidelity`; another lets FID share its features. */
  readonly input?: InceptionInput;
  /** Default 2048. */
  readonly level?: InceptionLevel;
  /** Neighbours. Default: the recipe's. */
  readonly k?: number;
}

/** `value` is the F-score of precision and recall; `details` has `precision`, `recall`, `density` and `coverage`. Keeps all features. */
export function precisionRecallAccumulator(settings: PrecisionRecallSettings): Accumulator<SetBatch, SetState<RowsState>> {
  const { features, recipe = "torch-fidelity", input = "torch-fidelity", level = 2048 } = settings;
  expectRecipe("precision-recall", recipe, precisionRecallRecipes);
  const { k = recipe === "prdc" ? 5 : 3 } = settings;
  if (!Number.isInteger(k) || k < 1) throw new ArgumentError(`precision-recall: expected k to be an integer of at least 1, got ${k}`);
  const sinks = { real: new RowSink(), generated: new RowSink() };
  return setAccumulator<RowsState, RowSink>({
    metric: "precision-recall",
    recipe,
    settings: { network: features.name, input, level, k },
    features,
    input,
    level,
    sinks,
    result: async (signal) => {
      const { real, generated } = sinks;
      if (Math.min(real.count, generated.count) <= k) {
        const got = `${real.count} real and ${generated.count} generated`;
        throw new MetricError("too-few", `precision-recall: expected more than ${k} pictures in each set, got ${got}`);
      }
      const scores = await neighbourScores(real.all(), generated.all(), { k, closed: recipe !== "prdc", ...(signal && { signal }) });
      const { fScore, precision, recall, density, coverage } = scores;
      return { value: fScore, details: { precision, recall, density, coverage } };
    },
  });
}
