import type { ItemStageName } from "../stages/create-stage.js";

/**
 * What a run does, in this order: stages look at one item at a time; the others are queries over all that is left, made anew each time, for they cost little.
 */
export const steps: readonly [
  "ingest",
  "category",
  "score",
  "fingerprint",
  "filter",
  "dedup",
  "extract",
  "inspect",
  "filter-product",
  "caption",
  "augment",
  "review",
  "split",
  "shard",
  "report",
] = [
  "ingest",
  "category",
  "score",
  "fingerprint",
  "filter",
  "dedup",
  "extract",
  "inspect",
  "filter-product",
  "caption",
  "augment",
  "review",
  "split",
  "shard",
  "report",
];

export type Step = (typeof steps)[number];

export function isStep(name: string): name is Step {
  return steps.some((step) => step === name);
}

export function isItemStage(step: Step): step is ItemStageName {
  return ["score", "fingerprint", "extract", "inspect", "caption", "augment"].includes(step);
}

export function stepIndex(step: Step): number {
  return steps.indexOf(step);
}
