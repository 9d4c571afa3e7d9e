import { ArgumentError } from "@refadgen/errors";
import { composite, fitInside, type Image, resizeImage, toRgb } from "@refadgen/image";
import { labOf } from "../color/lab.js";
import type { Extraction, Extractor } from "../contract.js";
import { type Doubt, doubtsOfMask, judged, percent } from "../judge.js";
import { cleanMask } from "../mask/clean.js";
import { components } from "../mask/components.js";
import { emptyMask, type Mask, maskArea, thresholdMask } from "../mask/mask.js";
import { fitOf, measured } from "../picture/fit.js";
import { type BackgroundModel, fitBackground } from "./background-model.js";
import { softEdge } from "./soft-edge.js";

export interface PlainBackgroundOptions {
  /** How far in ΔE*ab a pixel may be from the background's colour. Default: what the border's own noise suggests, 4 to 14. */
  readonly tolerance?: number;
  /** `"remove"` (default): a soft shadow that fades out belongs to the background; `"keep"`: to the product. */
  readonly shadows?: "remove" | "keep";
  /**
   * `"open"` (default): where the very background shows through — a handle, a ring — the mask has a hole; `"fill"`: holes belong to the
   * product, for white print on a white sheet.
   */
  readonly holes?: "open" | "fill";
}

const name = "plain-background";
/** Larger pictures are looked at in a smaller copy; outlines are as exact as its pixels. */
const longestSide = 2048;
const mostSamples = 8000;
/** The share of the border that has to be of the background. */
const plainEnough = 0.6;

/**
 * A product on a plain background: everything that a flood from the border does not reach. The background may change slowly, as studio
 * sweeps and vignettes do; colours are compared in L*a*b*.
 *
 * @throws ArgumentError for a tolerance that is not above 0
 */
export function plainBackgroundExtractor(options: PlainBackgroundOptions = {}): Extractor {
  const { tolerance } = options;
  if (tolerance !== undefined && !(tolerance > 0 && Number.isFinite(tolerance))) {
    throw new ArgumentError(`plainBackgroundExtractor: expected a tolerance above 0, got ${tolerance}`);
  }
  return {
    name,
    async extract(image, { signal } = {}) {
      signal?.throwIfAborted();
      const rgb = toRgb(image.channels === 2 || image.channels === 4 ? composite(image, [255, 255, 255]) : image);
      if (Math.max(rgb.width, rgb.height) <= longestSide) return extract(rgb, options);
      const small = extract(resizeImage(rgb, fitInside(rgb, { width: longestSide, height: longestSide }), { filter: "box" }), options);
      return enlarged(small, rgb);
    },
  };
}

function extract(image: Image, { tolerance, shadows = "remove", holes = "open" }: PlainBackgroundOptions): Extraction {
  const { width, height } = image;
  const lab = labOf(image);
  const ring = borderRing(image);
  const stride = Math.max(1, Math.floor(ring.length / mostSamples));
  const model = fitBackground(
    lab,
    image,
    ring.filter((_, index) => index % stride === 0),
  );
  const limit = tolerance ?? Math.min(14, Math.max(4, 4 * model.noise + 2.5));
  const away = distances(lab, image, model);
  const doubts: Doubt[] = [];
  if (model.share < plainEnough) {
    const message = `only ${percent(model.share)} of the border is of one colour.`;
    return judged(name, emptyMask(image), new Uint8Array(width * height), 0, [{ code: "background-not-plain", message, factor: 0 }]);
  }
  if (model.share < 0.9) {
    const message = `${percent(1 - model.share)} of the border is not of the background.`;
    doubts.push({ code: "background-not-plain", message, factor: 0.4 + 0.6 * model.share });
  }
  const isBackground = (pixel: number) => away.total[pixel]! <= limit || (shadows === "remove" && isShadow(away, pixel, image, model.noise));
  const flooded = flood(image, ring, isBackground);
  const seen: Mask = { width, height, data: flooded.map((value) => 1 - value) };
  const opened = holes === "open" ? withHoles(seen, away.total, model.noise) : seen;
  const cleaned = cleanMask(opened, { holes: holes === "open" ? 0 : 1, islands: 0.02 });
  const { matte, contrast } = softEdge(image, cleaned, { lab, model });
  const mask = thresholdMask(image, matte);
  if (maskArea(mask) > 0 && contrast < 2.5 * limit) {
    const message = `along its outline the product differs from the background by a ΔE of only ${contrast.toFixed(1)}.`;
    doubts.push({ code: "low-contrast", message, factor: Math.max(0.3, contrast / (2.5 * limit)) });
  }
  if (maskArea(mask) > 0 && changeOf(model, image) > mostChange) doubts.push(...doubtsOfScene(image, mask));
  return judged(name, mask, matte, 0.97, [...doubts, ...doubtsOfMask(mask)]);
}

/** A background that changes by more than this in ΔE may be a scene: with a floor and a wall, other things, shadows and mirror images. */
const mostChange = 4;
/** What a mask in a scene is looked at in. */
const sceneSide = 192;

/** The largest ΔE between the background's colours in the corners and in the middle. */
function changeOf(model: BackgroundModel, { width, height }: Image): number {
  const places = [0, 0.5, 1].flatMap((v) => [0, 0.5, 1].map((u) => [u * (width - 1), v * (height - 1)] as const));
  const colours = places.map(([x, y]) => {
    const colour = new Float64Array(3);
    model.at(x, y, colour);
    return colour;
  });
  return Math.max(...colours.flatMap((a) => colours.map((b) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!))));
}

/** What a flood may take for the product in a scene: shadows, other things, another half of the background. */
function doubtsOfScene(image: Image, mask: Mask): Doubt[] {
  const small =
    Math.max(image.width, image.height) > sceneSide
      ? resizeImage(image, fitInside(image, { width: sceneSide, height: sceneSide }), { filter: "box" })
      : image;
  const levels = { width: mask.width, height: mask.height, channels: 1, data: mask.data.map((value) => value * 255) } as const;
  const reduced = thresholdMask(small, resizeImage(levels, small, { filter: "box" }).data);
  if (maskArea(reduced) === 0) return [];
  const { salient, central, unshadowed, contrast } = fitOf(measured(small), reduced);
  const { areas } = components(mask, 1, 8);
  const together = areas.slice(1).reduce((most, area) => Math.max(most, area), 0) / maskArea(mask);
  const fit = salient * unshadowed * contrast * together ** 2 * Math.min(1, central / 0.75);
  if (fit >= 0.8) return [];
  const message = `the background changes, and what was found there fits it by ${percent(fit)} only: shadows, other things or a part of the background may be in it.`;
  return [{ code: "background-not-plain", message, factor: (fit / 0.8) ** 2 }];
}

/** The outermost hundredth of the picture. */
function borderRing({ width, height }: Image): number[] {
  const thickness = Math.max(1, Math.round(Math.min(width, height) / 100));
  const ring: number[] = [];
  for (let y = 0; y < height; y++) {
    const whole = y < thickness || y >= height - thickness;
    for (let x = 0; x < width; x++) {
      if (whole || x < thickness || x >= width - thickness) ring.push(y * width + x);
      else x = width - thickness - 1;
    }
  }
  return ring;
}

interface Distances {
  /** ΔE to the background. */
  readonly total: Float32Array;
  /** How much lighter than the background, in L. */
  readonly lightness: Float32Array;
  /** Distance in a and b alone. */
  readonly chroma: Float32Array;
}

function distances(lab: Float32Array, { width, height }: Image, model: BackgroundModel): Distances {
  const count = width * height;
  const [total, lightness, chroma] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  const expected = new Float64Array(3);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      model.at(x, y, expected);
      const l = lab[pixel * 3]! - expected[0]!;
      const away = Math.hypot(lab[pixel * 3 + 1]! - expected[1]!, lab[pixel * 3 + 2]! - expected[2]!);
      lightness[pixel] = l;
      chroma[pixel] = away;
      total[pixel] = Math.hypot(l, away);
    }
  }
  return { total, lightness, chroma };
}

/** Darker than the background by at most this much, in L. */
const darkestShadow = 30;

/** A shadow is darker than the background, of its colour, and without edges of its own. */
function isShadow({ lightness, chroma }: Distances, pixel: number, { width, height }: Image, noise: number): boolean {
  if (lightness[pixel]! > 0 || lightness[pixel]! < -darkestShadow || chroma[pixel]! > Math.max(3, 3 * noise)) return false;
  const x = pixel % width;
  const [left, right] = [x > 0 ? pixel - 1 : pixel, x < width - 1 ? pixel + 1 : pixel];
  const [up, down] = [pixel >= width ? pixel - width : pixel, pixel < width * (height - 1) ? pixel + width : pixel];
  const slope = Math.hypot(lightness[right]! - lightness[left]!, lightness[down]! - lightness[up]!) / 2;
  return slope <= Math.max(0.8, 1.5 * noise);
}

/** 1 for every pixel that can be reached from the border over background. */
function flood({ width, height }: Image, ring: readonly number[], isBackground: (pixel: number) => boolean): Uint8Array {
  const reached = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  let [head, tail] = [0, 0];
  const visit = (pixel: number) => {
    if (reached[pixel] === 1 || !isBackground(pixel)) return;
    reached[pixel] = 1;
    queue[tail++] = pixel;
  };
  for (const pixel of ring) {
    const x = pixel % width;
    if (x === 0 || x === width - 1 || pixel < width || pixel >= width * (height - 1)) visit(pixel);
  }
  while (head < tail) {
    const pixel = queue[head++]!;
    const x = pixel % width;
    if (x > 0) visit(pixel - 1);
    if (x < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < width * (height - 1)) visit(pixel + width);
  }
  return reached;
}

/** Opens what lies inside the mask but looks exactly like the background: as flat as it, of its colour, and not just a speck. */
function withHoles(mask: Mask, away: Float32Array, noise: number): Mask {
  const limit = Math.max(2, 3 * noise);
  const same: Mask = { ...mask, data: mask.data.map((value, index) => (value === 1 && away[index]! <= limit ? 1 : 0)) };
  const { labels, areas } = components(same, 1, 4);
  const least = Math.max(16, 0.003 * maskArea(mask));
  return { ...mask, data: mask.data.map((value, index) => (labels[index]! > 0 && areas[labels[index]!]! >= least ? 0 : value)) };
}

function enlarged(small: Extraction, { width, height }: Image): Extraction {
  const matte = resizeImage(
    { width: small.mask.width, height: small.mask.height, channels: 1, data: small.matte },
    { width, height },
    { filter: "bilinear" },
  );
  return { ...small, mask: thresholdMask({ width, height }, matte.data), matte: matte.data };
}
