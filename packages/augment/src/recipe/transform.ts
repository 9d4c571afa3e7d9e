import { ArgumentError } from "@refadgen/errors";
import { type DegradationName, type DegradationParams, degradationNames } from "../degradations/catalogue.js";
import { type Strength, strengths } from "../degradations/magnitudes.js";

/** A step of a recipe: plain data, so that a recipe can be kept as JSON. */
export type Transform = Degradation | Composed | Picked;

interface Common {
  /** That the step happens at all, 0 to 1. */
  readonly probability: number;
}

export interface Degradation extends Common {
  readonly kind: "degradation";
  readonly name: DegradationName;
  /** One of these is drawn. */
  readonly strengths: readonly Strength[];
  /** Instead of parameters that are drawn: these. */
  readonly params?: DegradationParams[DegradationName];
}

export interface Composed extends Common {
  readonly kind: "compose";
  readonly transforms: readonly Transform[];
  /** Whether the order is drawn too. */
  readonly shuffled: boolean;
}

export interface Picked extends Common {
  readonly kind: "some-of";
  readonly transforms: readonly Transform[];
  /** How many of them happen; their probabilities are how likely each is picked. */
  readonly count: number;
}

export interface DegradationOptions<Name extends DegradationName> {
  /** Default 2; of a list one is drawn. */
  readonly strength?: Strength | readonly Strength[];
  /** Default 1. */
  readonly probability?: number;
  /** Fixed parameters; default drawn by strength. */
  readonly params?: DegradationParams[Name];
}

export interface GroupOptions {
  /** Default 1. */
  readonly probability?: number;
}

/**
 * A degradation as a step of a recipe.
 *
 * @throws ArgumentError for a name, strength or probability that there is not
 */
export function degradation<Name extends DegradationName>(
  name: Name,
  { strength = 2, probability = 1, params }: DegradationOptions<Name> = {},
): Degradation {
  const list = typeof strength === "number" ? [strength] : [...strength];
  return checked({ kind: "degradation", name, strengths: list, probability, ...(params && { params }) }, "degradation");
}

/** All of them, in order. */
export function compose(transforms: readonly Transform[], { probability = 1 }: GroupOptions = {}): Composed {
  return checked({ kind: "compose", transforms, shuffled: false, probability }, "compose");
}

/** All of them, in an order that is drawn. */
export function inRandomOrder(transforms: readonly Transform[], { probability = 1 }: GroupOptions = {}): Composed {
  return checked({ kind: "compose", transforms, shuffled: true, probability }, "inRandomOrder");
}

/** Exactly one of them, picked in proportion to their probabilities. */
export function oneOf(transforms: readonly Transform[], { probability = 1 }: GroupOptions = {}): Picked {
  return checked({ kind: "some-of", transforms, count: 1, probability }, "oneOf");
}

/** `count` different ones of them, in their order, picked in proportion to their probabilities. */
export function someOf(count: number, transforms: readonly Transform[], { probability = 1 }: GroupOptions = {}): Picked {
  return checked({ kind: "some-of", transforms, count, probability }, "someOf");
}

/**
 * Reads a recipe from JSON.
 *
 * @throws ArgumentError that names the step which is not one
 */
export function parseRecipe(json: string): Transform {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ArgumentError(`parseRecipe: expected JSON, got ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return checkTransform(value, "parseRecipe");
}

/**
 * Throws unless it is a recipe, whoever made it.
 *
 * @throws ArgumentError
 */
export function checkTransform(value: unknown, caller: string, path = "recipe", depth = 0): Transform {
  const refuse = (expected: string, got: unknown): never => {
    throw new ArgumentError(`${caller}: ${path}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 100) ?? String(got)}`);
  };
  if (typeof value !== "object" || value === null) return refuse("a transform", value);
  if (depth > 50) return refuse("at most 50 levels", depth);
  const step = value as Transform;
  if (typeof step.probability !== "number" || !(step.probability >= 0 && step.probability <= 1))
    refuse("a probability from 0 to 1", step.probability);
  if (step.kind === "degradation") {
    if (!degradationNames.includes(step.name)) refuse(`a degradation of ${degradationNames.join(", ")}`, step.name);
    if (!Array.isArray(step.strengths) || step.strengths.length === 0 || !step.strengths.every((strength) => strengths.includes(strength)))
      refuse("strengths from 1 to 5", step.strengths);
    if (step.params !== undefined && (typeof step.params !== "object" || step.params === null)) refuse("parameters", step.params);
    return step;
  }
  if (step.kind !== "compose" && step.kind !== "some-of") return refuse("kind degradation, compose or some-of", Reflect.get(value, "kind"));
  if (!Array.isArray(step.transforms)) refuse("transforms", step.transforms);
  if (step.kind === "compose" && typeof step.shuffled !== "boolean") refuse("shuffled to be true or false", step.shuffled);
  if (step.kind === "some-of") {
    const possible = step.transforms.filter(({ probability }) => probability > 0).length;
    if (!Number.isInteger(step.count) || step.count < 1 || step.count > possible)
      refuse(`a count from 1 to ${possible}, the transforms that can happen`, step.count);
  }
  for (const [index, transform] of step.transforms.entries()) checkTransform(transform, caller, `${path}.${index}`, depth + 1);
  return step;
}

function checked<T extends Transform>(transform: T, caller: string): T {
  checkTransform(transform, caller, caller);
  return transform;
}
