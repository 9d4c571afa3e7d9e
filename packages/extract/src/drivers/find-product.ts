import { fitInside, type Image, resizeImage } from "@refadgen/image";
import { cleanMask, dilateMask, erodeMask } from "../mask/clean.js";
import { components } from "../mask/components.js";
import { type Mask, maskArea, maskIoU, thresholdMask } from "../mask/mask.js";
import { onBorder } from "../picture/barrier.js";
import { backgroundAround, centrality, type Fit, fitOf, type Measured, measured } from "../picture/fit.js";
import { shadowLike } from "../picture/shadow.js";

/** What a pixel is taken for when cutting begins: certain or only likely. As OpenCV numbers them. */
const label = { background: 0, product: 1, likelyBackground: 2, likelyProduct: 3 } as const;

/** Improves labels by colours and edges (GrabCut), and says where the product is. */
export type Cut = (image: Image, labels: Uint8Array, iterations: number) => Mask;

export interface Found {
  readonly mask: Mask;
  readonly fit: Fit;
  /** Mean IoU with what was cut from other starts. */
  readonly agreement: number;
}

/** Starts are tried on a copy whose longer side is this many pixels. */
const searchSide = 192;
/** Starts: what stands out by this many times the threshold. Little leaves nothing out, much leaves other things out. */
const levels = [0.35, 0.6, 1, 1.5];
/** As many of the best cuts are tried without what may be their shadow. */
const mostRevised = 3;
/** How much of the picture's border is background for the start that knows nothing else. */
const margin = 0.03;

/**
 * Finds what a picture is of. Cuts from several starts (everything but the margin; what stands out, by rising thresholds; each without what may
 * be its shadow), and takes the cut that fits the picture best: it holds what stands out there, lies near the middle, is no shadow of the
 * background and has colours of its own. Then cuts along its outline at full size.
 *
 * @param image RGB, at least 16 pixels a side
 * @returns undefined when no start leads to anything
 */
export function findProduct(image: Image, cut: Cut, iterations: number): Found | undefined {
  const scale = searchSide / Math.max(image.width, image.height);
  const small = scale < 1 ? resizeImage(image, fitInside(image, { width: searchSide, height: searchSide }), { filter: "box" }) : image;
  const picture = measured(small);
  const middle = centrality(small);
  const candidates: Mask[] = [];
  const consider = (raw: Mask) => {
    const mask = mainPiece(cleanMask(raw, { islands: 0.1 }), middle);
    const share = maskArea(mask) / mask.data.length;
    if (share > 0.002 && share < 0.95 && !candidates.some((other) => maskIoU(other, mask) > 0.995)) candidates.push(mask);
  };
  for (const start of [allButMargin(small), ...levels.map((level) => standingOut(picture, level, middle))])
    if (start) consider(cut(small, start, Math.min(3, iterations)));
  for (const mask of bestOf(candidates, (one) => worth(fitOf(picture, one, { middle })), mostRevised)) {
    const start = withoutShadow(picture, mask);
    if (start) consider(cut(small, start, Math.min(2, iterations)));
  }
  if (candidates.length === 0) return undefined;
  const shadows = shadowLike(small, backgroundAround(picture, union(candidates)));
  const fits = candidates.map((mask) => fitOf(picture, mask, { middle, shadows }));
  const best = fits.reduce((most, fit, index) => (worth(fit) > worth(fits[most]!) ? index : most), 0);
  const others = candidates.filter((_, index) => index !== best);
  const chosen = candidates[best]!;
  return {
    mask: scale < 1 ? alongOutline(image, chosen, cut) : chosen,
    fit: fits[best]!,
    // A single cut is what all starts came to.
    agreement: others.length === 0 ? 1 : others.reduce((sum, other) => sum + maskIoU(chosen, other), 0) / others.length,
  };
}

/** How well a mask fits on the whole, 0 to 1. */
export function worth({ salient, central, unshadowed, contrast }: Fit): number {
  return salient * central ** 1.5 * unshadowed ** 0.75 * contrast ** 0.75;
}

function allButMargin({ width, height }: Image): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) / width, Math.floor(pixel / width) / height];
    const outside = onBorder(pixel, width, height) || x < margin || y < margin || x >= 1 - margin || y >= 1 - margin;
    return outside ? label.background : label.likelyProduct;
  });
}

function standingOut({ salience }: Measured, level: number, middle: Float32Array): Uint8Array | undefined {
  const { width, height, barrier, threshold } = salience;
  const high: Mask = { width, height, data: Uint8Array.from(barrier, (value) => (value > threshold * level ? 1 : 0)) };
  const main = mainPiece(
    cleanMask(high, { holes: 0.05, islands: 0 }),
    middle.map((value, pixel) => value * barrier[pixel]!),
  );
  if (maskArea(main) < 30) return undefined;
  const near = dilateMask(main, 0.08 * Math.max(width, height));
  return main.data.map((value, pixel) => {
    if (onBorder(pixel, width, height) || near.data[pixel] === 0) return label.background;
    return value === 1 ? label.likelyProduct : label.likelyBackground;
  });
}

/** The mask as a start, with what a shadow would explain taken for background; undefined when little else is left. */
function withoutShadow(picture: Measured, mask: Mask): Uint8Array | undefined {
  const { width, height } = mask;
  const shadows = shadowLike(picture.image, backgroundAround(picture, mask));
  const near = dilateMask(mask, 0.04 * Math.max(width, height));
  let left = 0;
  const start = mask.data.map((value, pixel) => {
    if (onBorder(pixel, width, height) || near.data[pixel] === 0 || shadows[pixel] === 1) return label.background;
    left += value;
    return value === 1 ? label.likelyProduct : label.likelyBackground;
  });
  return left > Math.max(20, 0.1 * maskArea(mask)) ? start : undefined;
}

/** The piece with most weight. */
function mainPiece(mask: Mask, weight: Float32Array): Mask {
  const { labels, areas } = components(mask, 1, 8);
  if (areas.length <= 2) return mask;
  const weights = new Float64Array(areas.length);
  for (let pixel = 0; pixel < labels.length; pixel++) if (labels[pixel] !== 0) weights[labels[pixel]!]! += weight[pixel]!;
  const main = weights.indexOf(weights.reduce((a, b) => Math.max(a, b)));
  return { ...mask, data: mask.data.map((_, pixel) => (labels[pixel] === main ? 1 : 0)) };
}

function bestOf(masks: readonly Mask[], worthOf: (mask: Mask) => number, count: number): Mask[] {
  return masks
    .map((mask) => ({ mask, value: worthOf(mask) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
    .map(({ mask }) => mask);
}

function union(masks: readonly Mask[]): Mask {
  return { ...masks[0]!, data: masks[0]!.data.map((_, pixel) => (masks.some(({ data }) => data[pixel] === 1) ? 1 : 0)) };
}

/** The mask of the small copy at full size: only what lies near its outline is open. */
function alongOutline(image: Image, small: Mask, cut: Cut): Mask {
  const { width, height } = image;
  const levelsOf = { width: small.width, height: small.height, channels: 1, data: small.data.map((value) => value * 255) } as const;
  const mask = thresholdMask(image, resizeImage(levelsOf, { width, height }, { filter: "bilinear" }).data);
  const reach = (1.5 * Math.max(width, height)) / searchSide;
  const [core, near] = [erodeMask(mask, reach), dilateMask(mask, reach)];
  const labels = mask.data.map((value, pixel) => {
    if (near.data[pixel] === 0 || onBorder(pixel, width, height)) return label.background;
    if (core.data[pixel] === 1) return label.product;
    return value === 1 ? label.likelyProduct : label.likelyBackground;
  });
  if (!labels.some((value) => value === label.product || value === label.likelyProduct)) return mask;
  return cut(image, labels, 1);
}
