import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";
import { type DegradationName, type DegradationParams, degrade, sampleDegradation } from "../degradations/catalogue.js";
import { checkSample, type Sample } from "../degradations/sample.js";
import { parameterGenerator, type StreamKey } from "../random/generator.js";
import { checkTransform, type Transform } from "./transform.js";

/** A degradation with its parameters drawn. */
export interface Step<Name extends DegradationName = DegradationName> {
  readonly name: Name;
  /** Plain JSON. */
  readonly params: DegradationParams[Name];
}

/** What was done to a picture: JSON, from which `replay` makes the same pixels. */
export interface AppliedRecord {
  /** Of this layout. */
  readonly version: 1;
  /** Of the picture, since lengths in px were drawn for it. */
  readonly width: number;
  readonly height: number;
  readonly steps: readonly Step[];
}

/** Which product and variant. What each transform draws depends on this and on its own place in the recipe only. */
export type RecipeKey = Omit<StreamKey, "transform">;

/**
 * Draws what a recipe does to a picture of this size, without touching a pixel.
 *
 * @throws ArgumentError for what is no recipe, or no key
 */
export function drawSteps(recipe: Transform, key: RecipeKey, size: Size): Step[] {
  checkTransform(recipe, "drawSteps");
  return stepsOf(recipe, key, size, "0", true);
}

/**
 * Applies a recipe.
 *
 * @param signal looked at before each step
 * @throws ArgumentError; the signal's reason
 */
export async function augment(
  sample: Sample,
  recipe: Transform,
  { signal, ...key }: RecipeKey & { readonly signal?: AbortSignal },
): Promise<{ readonly sample: Sample; readonly record: AppliedRecord }> {
  checkSample("augment", sample);
  const { width, height } = sample.image;
  const record: AppliedRecord = { version: 1, width, height, steps: drawSteps(recipe, key, { width, height }) };
  return { sample: await applySteps(sample, record.steps, signal), record };
}

/**
 * Does again what a record says.
 *
 * @throws ArgumentError for a record of another layout, or a picture of another size
 */
export async function replay(sample: Sample, record: AppliedRecord, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Sample> {
  checkSample("replay", sample);
  if (record?.version !== 1 || !Array.isArray(record.steps))
    throw new ArgumentError(`replay: expected a record of version 1, got ${String(record?.version)}`);
  const { width, height } = sample.image;
  if (record.width !== width || record.height !== height)
    throw new ArgumentError(`replay: expected a picture of ${record.width} × ${record.height}, as the record has it, got ${width} × ${height}`);
  return applySteps(sample, record.steps, signal);
}

async function applySteps(sample: Sample, steps: readonly Step[], signal?: AbortSignal): Promise<Sample> {
  let current = sample;
  for (const { name, params } of steps) {
    signal?.throwIfAborted();
    current = await degrade(current, name, params);
  }
  return current;
}

/** @param mayMiss whether the transform's own probability is asked; a group that picked it has done so. */
function stepsOf(transform: Transform, key: RecipeKey, size: Size, path: string, mayMiss: boolean): Step[] {
  const generator = parameterGenerator({ ...key, transform: `${path}:${transform.kind === "degradation" ? transform.name : transform.kind}` });
  const happens = generator.chance(transform.probability);
  if (mayMiss && !happens) return [];
  if (transform.kind === "degradation") {
    const strength = generator.choose(transform.strengths);
    return [{ name: transform.name, params: transform.params ?? sampleDegradation(transform.name, generator, strength, size) }];
  }
  const places = [...transform.transforms.keys()];
  if (transform.kind === "compose") {
    if (transform.shuffled) shuffle(places, generator.index);
    return places.flatMap((place) => stepsOf(transform.transforms[place]!, key, size, `${path}.${place}`, true));
  }
  const picked = new Set<number>();
  while (picked.size < transform.count) {
    const rest = places.filter((place) => !picked.has(place));
    picked.add(weighted(rest, (place) => transform.transforms[place]!.probability, generator.uniform()));
  }
  return places.filter((place) => picked.has(place)).flatMap((place) => stepsOf(transform.transforms[place]!, key, size, `${path}.${place}`, false));
}

function shuffle(places: number[], index: (count: number) => number): void {
  for (let i = places.length - 1; i > 0; i--) {
    const other = index(i + 1);
    const place = places[i]!;
    places[i] = places[other]!;
    places[other] = place;
  }
}

/** The element at a share, 0 to 1, of the weights' sum. */
function weighted(places: readonly number[], weight: (place: number) => number, share: number): number {
  const possible = places.filter((place) => weight(place) > 0);
  let rest = share * possible.reduce((sum, place) => sum + weight(place), 0);
  for (const place of possible) {
    rest -= weight(place);
    if (rest < 0) return place;
  }
  return possible.at(-1)!;
}
