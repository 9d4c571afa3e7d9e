import type { Image } from "@refadgen/image";
import type { ScoreRow } from "../contract.js";
import { blockiness, jpegQuality } from "./jpeg.js";
import { measureOcclusion } from "./occlusion-features.js";
import { occlusionTrees } from "./occlusion-trees.js";
import { findOverlays, letterArea, watermarkProbability } from "./overlays.js";
import { checkProductMask, type ProductMask } from "./product-mask.js";
import { measureSharpness, pixelSize, type Sharpness } from "./sharpness.js";
import { noiseLevel } from "./strokes.js";
import { measureTone } from "./tone.js";
import { treesProbability } from "./trees.js";
import { type WorkingCopy, workingCopy, workingMask } from "./working-copy.js";

export interface ScorePictureOptions {
  /** The file, where it is a JPEG: its quantisation tables tell its quality. */
  readonly bytes?: Uint8Array;
}

/**
 * Scores of a picture alone: the names of `scoreNames` whose stage is `score`, but for those of models. Pictures of any size are looked at in a copy of
 * at most 0.16 megapixels, so that a score means the same at every resolution.
 */
export function scorePicture(image: Image, { bytes }: ScorePictureOptions = {}): ScoreRow {
  const copy = workingCopy(image);
  const tone = measureTone(copy);
  const sharpness = measureSharpness(copy);
  const overlays = findOverlays(copy);
  const shortSide = Math.min(image.width, image.height);
  return row({
    shortSide,
    aspect: Math.max(image.width, image.height) / shortSide,
    effectiveSide: effectiveSide(image, copy, sharpness),
    blur: blurPercent(copy, sharpness),
    ...tone,
    noise: noiseLevel(copy),
    jpegQuality: bytes ? jpegQuality(bytes) : null,
    blockiness: blockiness(image),
    textArea: 100 * letterArea(overlays, copy),
    watermark: watermarkProbability(overlays, copy),
  });
}

/** Scores of the product in a picture: the names of `scoreNames` whose stage is `inspect`, but for those of models. */
export function inspectProduct(image: Image, mask: ProductMask): ScoreRow {
  checkProductMask("inspectProduct", mask, image);
  const copy = workingCopy(image);
  const small = workingMask(mask, copy);
  const box = boxOf(mask);
  if (!box) {
    return row({
      productArea: 0,
      productSide: 0,
      productBorder: null,
      productParts: 0,
      productHoles: null,
      productBlur: null,
      textOutside: 100 * letterArea(findOverlays(copy), copy),
      occlusion: null,
    });
  }
  const shape = measureOcclusion(copy, small);
  return row({
    productArea: (100 * box.area) / mask.data.length,
    productSide: Math.max(box.width, box.height),
    productBorder: shape?.named("border") ?? null,
    productParts: shape?.named("parts") ?? null,
    productHoles: shape ? 100 * shape.named("holeArea") : null,
    productBlur: blurPercent(copy, measureSharpness(copy, small)),
    textOutside: 100 * letterArea(findOverlays(copy), copy, small),
    occlusion: shape ? treesProbability(occlusionTrees, shape.values) : null,
  });
}

/** Blur of a crisp picture, px: of the lens, the sensor and the anti-aliasing. */
const crispRadius = 0.75;
/** What of it is taken off, px. */
const ownRadius = 0.5;

/** Edges that are as wide in the copy as a crisp picture's say nothing about what the copy left out. */
function effectiveSide(image: Image, { width, height }: WorkingCopy, sharpness: Sharpness | undefined): number {
  const shortSide = Math.min(image.width, image.height);
  const repeated = pixelSize(image);
  const bySteps = repeated >= leastRepeat ? shortSide / repeated : shortSide;
  const widened = (sharpness?.softest ?? 0) / crispRadius;
  return Math.min(bySteps, widened > crispMost ? Math.min(width, height) / widened : shortSide);
}

/** Fewer equal pixels than this stand for one in pictures with many flat steps as well. */
const leastRepeat = 1.9;
/** Widest edges of a crisp picture, over `crispRadius`. */
const crispMost = 1.45;

function blurPercent({ width, height }: WorkingCopy, sharpness: Sharpness | undefined): number | null {
  return sharpness ? (100 * Math.sqrt(Math.max(0, sharpness.softest ** 2 - ownRadius ** 2))) / Math.min(width, height) : null;
}

function boxOf({ width, height, data }: ProductMask): { readonly width: number; readonly height: number; readonly area: number } | undefined {
  let [left, top, right, bottom, area] = [width, height, -1, -1, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      area++;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  return right < 0 ? undefined : { width: right - left + 1, height: bottom - top + 1, area };
}

/** Six significant digits: more would only tell processors apart. */
function row(values: { readonly [name: string]: number | null }): ScoreRow {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === null ? null : Number(value.toPrecision(6))]));
}
