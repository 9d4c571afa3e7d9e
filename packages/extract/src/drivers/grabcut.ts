import { ArgumentError } from "@refadgen/errors";
import { composite, fitInside, type Image, type Rectangle, resizeImage, toRgb } from "@refadgen/image";
import { labOf } from "../color/lab.js";
import type { Extractor, Segmenter } from "../contract.js";
import { featherMask } from "../cut-out.js";
import { ExtractError } from "../error.js";
import { type Doubt, doubtsOfMask, judged, percent } from "../judge.js";
import { cleanMask } from "../mask/clean.js";
import { emptyMask, type Mask, thresholdMask } from "../mask/mask.js";
import { type Found, worth } from "./find-product.js";
import { askGrabCut } from "./grabcut-thread.js";

export interface GrabCutOptions {
  /** Default 5. */
  readonly iterations?: number;
  /** Pictures are looked at in a copy whose longer side is this many pixels; time grows with its square. Default 640. */
  readonly longestSide?: number;
}

/**
 * GrabCut by OpenCV (`@techstark/opencv-js`), in a thread of its own: for products that stand out from a busy background. It starts from
 * several guesses, takes the cut that fits the picture best, and is as sure as they agree; never as sure as a model.
 *
 * @throws ArgumentError for options out of range; when extracting, ExtractError `package-missing`, `failed`
 */
export function grabCutExtractor(options: GrabCutOptions = {}): Extractor {
  checked(options);
  return {
    name: "grabcut",
    async extract(image, { signal } = {}) {
      const rgb = toRgb(image.channels === 2 || image.channels === 4 ? composite(image, [255, 255, 255]) : image);
      const found = await find(rgb, options, signal);
      if (!found) return judged("grabcut", emptyMask(rgb), new Uint8Array(rgb.width * rgb.height), 0, doubtsOfMask(emptyMask(rgb)));
      const mask = cleanMask(found.mask, { islands: 1, smooth: Math.min(rgb.width, rgb.height) >= 64 ? 1 : 0 });
      const doubts = doubtsOfSearch(found);
      const [small, grave] = [doubts.filter(({ factor }) => factor > 0.97), doubts.filter(({ factor }) => factor <= 0.97)];
      const confidence = small.reduce((score, { factor }) => score * factor, surest);
      return judged("grabcut", mask, featherMask(mask, 1), confidence, [...grave, ...doubtsOfMask(mask)]);
    },
  };
}

/** GrabCut inside the boxes of a detector. */
export function grabCutSegmenter(options: GrabCutOptions = {}): Segmenter {
  checked(options);
  return {
    name: "grabcut",
    async segment(image, boxes, { signal } = {}) {
      const rgb = toRgb(image);
      const masks = await grabCut(rgb, boxes, options, signal);
      // It has no estimate of its own: how well colours part inside and outside stands for it.
      return masks.map((mask) => ({ mask, quality: 0.4 + 0.5 * colourDistance(rgb, mask), stability: 1 }));
    },
  };
}

function checked({ iterations = 5, longestSide = 640 }: GrabCutOptions): void {
  if (!Number.isInteger(iterations) || iterations < 1) throw new ArgumentError(`grabCut: expected iterations of at least 1, got ${iterations}`);
  if (!Number.isInteger(longestSide) || longestSide < 32) throw new ArgumentError(`grabCut: expected longestSide of at least 32, got ${longestSide}`);
}

async function grabCut(
  image: Image,
  boxes: readonly Rectangle[],
  { iterations = 5, longestSide = 640 }: GrabCutOptions,
  signal?: AbortSignal,
): Promise<Mask[]> {
  if (boxes.length === 0) return [];
  const { width, height, data } = reduced(image, longestSide);
  if (width < 3 || height < 3) return boxes.map(() => emptyMask(image));
  const inside = boxes.map((box) => scaledBox(box, image, { width, height }));
  const reply = await askGrabCut({ width, height, data, boxes: inside, iterations }, signal);
  if (!("masks" in reply)) throw new ExtractError("failed", "grabcut: expected masks from its thread");
  return reply.masks.map((mask) => enlarged({ width, height, data: mask }, image));
}

async function find(image: Image, { iterations = 5, longestSide = 640 }: GrabCutOptions, signal?: AbortSignal): Promise<Found | undefined> {
  const { width, height, data } = reduced(image, longestSide);
  if (Math.min(width, height) < 16) return undefined;
  const reply = await askGrabCut({ width, height, data, iterations }, signal);
  if (!("found" in reply)) throw new ExtractError("failed", "grabcut: expected a mask from its thread");
  return reply.found && { ...reply.found, mask: enlarged(reply.found.mask, image) };
}

function reduced(image: Image, longestSide: number): Image {
  if (Math.max(image.width, image.height) <= longestSide) return image;
  return resizeImage(image, fitInside(image, { width: longestSide, height: longestSide }), { filter: "box" });
}

type Size = Pick<Image, "width" | "height">;

/** GrabCut needs background around its box: a pixel at least stays on every side. */
function scaledBox({ left, top, width, height }: Rectangle, from: Size, to: Size): Rectangle {
  const [x, y] = [to.width / from.width, to.height / from.height];
  const begin = { left: Math.max(1, Math.floor(left * x)), top: Math.max(1, Math.floor(top * y)) };
  const end = { right: Math.min(to.width - 1, Math.ceil((left + width) * x)), bottom: Math.min(to.height - 1, Math.ceil((top + height) * y)) };
  return { ...begin, width: Math.max(1, end.right - begin.left), height: Math.max(1, end.bottom - begin.top) };
}

function enlarged({ width, height, data }: Mask, size: Image): Mask {
  if (width === size.width && height === size.height) return { width, height, data };
  const levels = data.map((value) => value * 255);
  const full = resizeImage({ width, height, channels: 1, data: levels }, { width: size.width, height: size.height }, { filter: "bilinear" });
  return thresholdMask(size, full.data);
}

/** The score of a mask that fits in every way: no model has looked at it. */
const surest = 0.78;

/**
 * What speaks against a cut. The worth of its fit times the agreement, k, becomes a score of k / (k + 0.28): 0.6, the usual confidence, at 0.42.
 * Each doubt has the part of it that it lowers k by.
 */
function doubtsOfSearch({ fit, agreement }: Found): Doubt[] {
  const { salient, central, unshadowed, contrast } = fit;
  const k = Math.max(1e-3, worth(fit) * agreement);
  const factor = k / (k + 0.28) / surest;
  const whole = Math.log(k);
  const doubt = (code: Doubt["code"], value: number, power: number, message: string): Doubt[] => {
    const share = (power * Math.log(Math.max(1e-3, value))) / whole;
    return whole < 0 && share > 0 ? [{ code, message, factor: factor ** share }] : [];
  };
  return [
    ...doubt("unstable-mask", agreement, 1, `cuts from other starts agree with it by ${percent(agreement)}.`),
    ...doubt("salient-elsewhere", salient, 1, `it holds ${percent(salient)} of what stands out there, and of itself.`),
    ...doubt("off-centre", central, 1.5, `it lies off the middle of the picture (${percent(central)}).`),
    ...doubt("shadow", unshadowed, 0.75, `${percent(1 - unshadowed)} of it may be a shadow on the background.`),
    ...doubt("low-contrast", contrast, 0.75, `product and background share many colours (${percent(contrast)} apart).`),
  ];
}

/** Hellinger distance of the colours inside and outside, 0 the same to 1 none in common; histograms of 8³ cells in L*a*b*. */
function colourDistance(image: Image, mask: Mask): number {
  const lab = labOf(image);
  const cells = [new Float64Array(512), new Float64Array(512)];
  const counts = [0, 0];
  const cell = (value: number, from: number, to: number) => Math.min(7, Math.max(0, Math.floor((8 * (value - from)) / (to - from))));
  mask.data.forEach((value, pixel) => {
    const index = (cell(lab[pixel * 3]!, 0, 100) * 8 + cell(lab[pixel * 3 + 1]!, -60, 60)) * 8 + cell(lab[pixel * 3 + 2]!, -60, 60);
    cells[value]![index]!++;
    counts[value]!++;
  });
  if (counts[0] === 0 || counts[1] === 0) return 0;
  const overlap = cells[0]!.reduce((sum, count, index) => sum + Math.sqrt((count / counts[0]!) * (cells[1]![index]! / counts[1]!)), 0);
  return Math.sqrt(Math.max(0, 1 - overlap));
}
