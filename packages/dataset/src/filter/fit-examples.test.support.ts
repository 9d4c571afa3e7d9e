// What detectors learn from: features of strokes and outlines of clean and spoilt pictures, with their truth.
import { type Image, resizeImage } from "@refadgen/image";
import { injectFault } from "../mini/faults/inject.js";
import { random } from "../mini/random.js";
import { measureOcclusion } from "../score/occlusion-features.js";
import { measureStrokes } from "../score/stroke-features.js";
import { findStrokes, noiseLevel } from "../score/strokes.js";
import { type WorkingCopy, workingCopy, workingMask } from "../score/working-copy.js";
import { type Advert, type Fault, occlusion, type Style, text, watermark } from "./faults.test.support.js";

/** One polarity's strokes of a picture. */
export interface StrokeSet {
  readonly values: Float32Array;
  readonly areas: Float32Array;
  readonly chains: Int32Array;
  /** Share of each stroke that the fault covers. */
  readonly covered: Float32Array;
  /** Share of each stroke that is the product's. */
  readonly inside: Float32Array;
}

export interface PictureExamples {
  readonly kind: "clean" | "watermark" | "text";
  readonly how: string;
  readonly pixels: number;
  readonly sets: readonly StrokeSet[];
}

export function strokeExamples({ image, mask, cover, how }: Fault, kind: PictureExamples["kind"]): PictureExamples {
  const copy = workingCopy(image);
  const product = workingMask(mask, copy);
  const overlay = cover ? scaled(cover, image, copy) : undefined;
  const noise = noiseLevel(copy);
  const sets = [true, false].map((bright) => {
    const { strokes, numbers, features, areas, chains } = measureStrokes(copy, copy.luma, findStrokes(copy, copy.luma, bright, noise), noise);
    const slots = new Int32Array(strokes.count + 1).fill(-1);
    for (let slot = 0; slot < numbers.length; slot++) slots[numbers[slot]! + 1] = slot;
    const covered = new Float32Array(areas.length);
    const inside = new Float32Array(areas.length);
    for (let pixel = 0; pixel < strokes.labels.length; pixel++) {
      const slot = slots[strokes.labels[pixel]!]!;
      if (slot < 0) continue;
      if (overlay && overlay[pixel]! > 20) covered[slot]!++;
      inside[slot]! += product[pixel]!;
    }
    for (let slot = 0; slot < areas.length; slot++) {
      covered[slot]! /= areas[slot]!;
      inside[slot]! /= areas[slot]!;
    }
    return { values: features, areas, chains, covered, inside };
  });
  return { kind, how, pixels: copy.width * copy.height, sets };
}

export function occlusionExample({ image, mask }: Advert): Float32Array | undefined {
  const copy = workingCopy(image);
  return measureOcclusion(copy, workingMask(mask, copy))?.values;
}

function scaled(levels: Uint8Array, { width, height }: Image, copy: WorkingCopy): Uint8Array {
  if (width === copy.width && height === copy.height) return levels;
  return resizeImage({ width, height, channels: 1, data: levels }, { width: copy.width, height: copy.height }, { filter: "box" }).data;
}

/** The ad at a size of those that are met. */
export function sizedAdvert({ image, mask }: Advert, key: string): Advert {
  const share = random("size", key).pick([1, 1, 1, 0.75, 0.75, 0.625, 0.5]);
  if (share === 1) return { image, mask };
  const size = { width: Math.round(image.width * share), height: Math.round(image.height * share) };
  const grey = resizeImage({ width: mask.width, height: mask.height, channels: 1, data: mask.data.map((value) => value * 255) }, size, {
    filter: "box",
  });
  return { image: resizeImage(image, size, { filter: "box" }), mask: { ...size, data: grey.data.map((value) => (value >= 128 ? 1 : 0)) } };
}

/** A fault of the package's own maker, as those of the others. */
async function injected(advert: Advert, kind: "watermark" | "text" | "occlusion", key: string): Promise<Fault> {
  const { image, mask, region, truth } = await injectFault({ key, ad: advert }, kind, { seed: key });
  const visible = kind !== "occlusion" || random("visible", key).chance(0.5);
  return {
    image: image!,
    mask: visible ? mask! : advert.mask,
    cover: region!.data.map((value) => value * 255),
    how: `own ${truth.style} ${truth.strength.toFixed(2)}`,
  };
}

export async function spoilt(advert: Advert, kind: "watermark" | "text" | "occlusion", style: Style, key: string): Promise<Fault> {
  if (style === "tune" && random("maker", kind, key).chance(0.4)) return injected(advert, kind, key);
  return { watermark, text, occlusion }[kind](advert, style, key);
}
