import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { checkSample, type Sample } from "../degradations/sample.js";
import type { Camera } from "../render/camera.js";
import { type SimilarViewsOptions, similarViews, type ViewPose, type ViewQuality } from "../views/similar-views.js";
import { type AppliedRecord, augment } from "./apply.js";
import type { Transform } from "./transform.js";
import { uploadRecipe } from "./upload-recipe.js";

/** A product photo. */
export interface AugmentItem extends Sample {
  /** Names the product among all; with the seed it decides what is drawn. */
  readonly id: string;
}

export interface DualAugmentationOptions {
  readonly seed: number | string;
  /** How many in all, 0 to 1000; default 5. */
  readonly variants?: number;
  /** How many of them, the last ones, are novel views; default two fifths (2 of 5). The others are degraded. */
  readonly views?: number;
  /** What degrades them; default `uploadRecipe()`. */
  readonly recipe?: Transform;
  /** How far views lie from the photo, its depth, shape and background. */
  readonly view?: Omit<SimilarViewsOptions, "count" | "seed" | "signal" | "onProgress">;
  readonly signal?: AbortSignal;
}

interface Variant {
  /** 0, 1, … */
  readonly index: number;
  /** What follows the product's name: `_00`, `_01`, … */
  readonly suffix: string;
  readonly image: Image;
}

/** The photo as a bad upload. */
export interface DegradedVariant extends Variant, Sample {
  readonly kind: "degraded";
  readonly record: AppliedRecord;
}

/** The product seen from nearby. */
export interface ViewVariant extends Variant {
  readonly kind: "view";
  readonly mask: Image;
  readonly record: { readonly pose: ViewPose; readonly camera: Camera; readonly quality: ViewQuality };
}

export type AugmentedVariant = DegradedVariant | ViewVariant;

/**
 * The dual augmentation of RefAdGen (arXiv 2508.11695, §3.3): variants of a product photo, by default five: `_00 _01 _02` degraded as real
 * uploads are, `_03 _04` seen from nearby, with a mask of their own. Each comes as soon as it is made.
 *
 * A variant depends on the seed, the item's id and picture, and its index; not on how many others there are, except that the first view
 * follows the last degraded one.
 *
 * @throws ArgumentError for options outside what is said here, or views of an item without mask; LiftError for a mask that holds no product
 */
export async function* dualAugmentation(item: AugmentItem, options: DualAugmentationOptions): AsyncGenerator<AugmentedVariant, void, void> {
  const { seed, variants = 5, views = Math.round(variants * 0.4), recipe = uploadRecipe(), view, signal } = options;
  const { id, ...sample } = item;
  if (typeof id !== "string" || id === "") throw new ArgumentError(`dualAugmentation: expected an item with an id, got ${String(id)}`);
  checkSample("dualAugmentation", sample);
  for (const [name, value, most] of [["variants", variants, 1000] as const, ["views", views, variants] as const]) {
    if (!Number.isSafeInteger(value) || value < 0 || value > most)
      throw new ArgumentError(`dualAugmentation: expected ${name} to be a whole number from 0 to ${most}, got ${String(value)}`);
  }
  if (views > 0 && !sample.mask) throw new ArgumentError("dualAugmentation: expected an item with a mask, which novel views need, got none");
  const degraded = variants - views;
  for (let index = 0; index < degraded; index++) {
    const { sample: result, record } = await augment(sample, recipe, { seed, item: id, variant: index, ...(signal && { signal }) });
    yield { kind: "degraded", index, suffix: suffixOf(index), ...result, record };
  }
  if (views === 0 || !sample.mask) return;
  signal?.throwIfAborted();
  const seen = await similarViews(sample.image, sample.mask, {
    ...view,
    count: views,
    seed: JSON.stringify([seed, id, "views"]),
    ...(signal && { signal }),
  });
  for (const [i, { image, mask, pose, camera, quality }] of seen.entries())
    yield { kind: "view", index: degraded + i, suffix: suffixOf(degraded + i), image, mask, record: { pose, camera, quality } };
}

/** `_00`, `_01`, … `_100`. */
function suffixOf(index: number): string {
  return `_${String(index).padStart(2, "0")}`;
}
