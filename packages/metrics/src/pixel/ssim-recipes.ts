import { ArgumentError } from "@refadgen/errors";
import { expectSameSize, type Planes } from "./planes.js";
import { averagePooled, repeatedEdge } from "./pooling.js";
import { gaussianWindow, type SsimOptions, type SsimWindow, structuralSimilarity } from "./ssim.js";

/**
 * Whose SSIM:
 * - `torchmetrics`: Gaussian window of σ 1.5, mirrored borders, mean over the whole map;
 * - `piq`: the same window of 11 pixels, without borders, after average pooling by round(shorter side / 256);
 * - `wang`: as `piq` without pooling: the published algorithm, scikit-image with `gaussian_weights=True, sigma=1.5,
 *   use_sample_covariance=False`;
 * - `skimage`: scikit-image's defaults, a uniform window of 7 pixels, sample covariance, without borders.
 */
export type SsimRecipe = "torchmetrics" | "piq" | "wang" | "skimage";
export const ssimRecipes: readonly SsimRecipe[] = ["torchmetrics", "piq", "wang", "skimage"];

export type MsSsimRecipe = "torchmetrics" | "piq";
export const msSsimRecipes: readonly MsSsimRecipe[] = ["torchmetrics", "piq"];

/** Settings of SSIM; those that are left out are the recipe's. */
export interface SsimSettings {
  /** Default `gaussian`; `skimage`: `uniform`. */
  readonly window?: "gaussian" | "uniform";
  /** Of the Gaussian window, one number or [rows, columns]. Default 1.5. */
  readonly sigma?: number | readonly [number, number];
  /** Side of the window, odd. Default: from sigma (`torchmetrics`), 11 (`piq`, `wang`), 7 (`skimage`, and `torchmetrics` with a uniform window 11). */
  readonly kernelSize?: number | readonly [number, number];
  /** Default 0.01. */
  readonly k1?: number;
  /** Default 0.03. */
  readonly k2?: number;
  /**
   * What the values span: a number; two values, to which they are limited first; or `"data"`, the larger of both pictures' own spans.
   * Default 1, for pixels on the scale of 0 to 1.
   */
  readonly dataRange?: number | readonly [number, number] | "data";
  /** Only `piq`: pool large pictures first. Default true. */
  readonly downsample?: boolean;
}

/** Weights of the scales, finest first (Wang, Simoncelli and Bovik 2003). */
const scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const;

/** @throws ArgumentError for an unknown recipe, settings that it does not have, or pictures smaller than the window */
export function ssimOf(a: Planes, b: Planes, recipe: SsimRecipe, settings: SsimSettings = {}): number {
  expectSameSize("ssim", a, b);
  if (!ssimRecipes.includes(recipe)) throw new ArgumentError(`ssim: expected recipe ${ssimRecipes.join(", ")}, got "${recipe}"`);
  const ready = ranged(a, b, settings);
  let [x, y] = [ready.a, ready.b];
  if (recipe === "piq" && (settings.downsample ?? true)) {
    const factor = Math.max(1, roundHalfEven(Math.min(x.height, x.width) / 256));
    if (factor > 1) [x, y] = [averagePooled(x, factor), averagePooled(y, factor)];
  }
  return mean(structuralSimilarity(x, y, optionsOf(recipe, settings, ready.range)).similarity);
}

/**
 * SSIM over five scales.
 *
 * @throws ArgumentError as `ssimOf`
 */
export function msSsimOf(a: Planes, b: Planes, recipe: MsSsimRecipe, settings: SsimSettings = {}): number {
  expectSameSize("msSsim", a, b);
  if (!msSsimRecipes.includes(recipe)) throw new ArgumentError(`msSsim: expected recipe ${msSsimRecipes.join(", ")}, got "${recipe}"`);
  const fixed = ranged(a, b, settings);
  const window = windowOf(recipe, settings);
  const shortest = recipe === "piq" ? (Math.max(...window.size) - 1) * 16 + 1 : Math.max(32, (sidesOf(settings.kernelSize ?? 11)[0] - 1) * 16 + 16);
  if (Math.min(a.height, a.width) < shortest)
    throw new ArgumentError(`msSsim: expected pictures of at least ${shortest} × ${shortest} pixels for five scales, got ${a.width} × ${a.height}`);
  return recipe === "piq" ? piqScales(fixed, settings) : torchmetricsScales(fixed, settings);
}

function torchmetricsScales({ a, b, range }: Ranged, settings: SsimSettings): number {
  let [x, y] = [a, b];
  let product = 1;
  for (const [level, weight] of scaleWeights.entries()) {
    // Without a range each scale has its own.
    const span = settings.dataRange === "data" ? Math.max(spanOf(x), spanOf(y)) : range;
    const { similarity, contrast } = structuralSimilarity(x, y, optionsOf("torchmetrics", settings, span));
    product *= Math.max(0, mean(level === scaleWeights.length - 1 ? similarity : contrast)) ** weight;
    [x, y] = [averagePooled(x, 2), averagePooled(y, 2)];
  }
  return product;
}

/** piq multiplies each channel's scales, then takes the mean. */
function piqScales({ a, b, range }: Ranged, settings: SsimSettings): number {
  let [x, y] = [a, b];
  const products = new Float64Array(a.channels).fill(1);
  for (const [level, weight] of scaleWeights.entries()) {
    if (level > 0) [x, y] = [halved(x), halved(y)];
    const { similarity, contrast } = structuralSimilarity(x, y, optionsOf("piq", settings, range));
    const values = level === scaleWeights.length - 1 ? similarity : contrast;
    for (let channel = 0; channel < a.channels; channel++) products[channel] = products[channel]! * Math.max(0, values[channel]!) ** weight;
  }
  return mean(products);
}

/** Where one side is odd, both get a first row and column more. */
function halved(planes: Planes): Planes {
  return averagePooled(planes.height % 2 || planes.width % 2 ? repeatedEdge(planes) : planes, 2);
}

function optionsOf(recipe: SsimRecipe, settings: SsimSettings, range: number): SsimOptions {
  const torchmetrics = recipe === "torchmetrics";
  return {
    window: windowOf(recipe, settings),
    border: torchmetrics ? "reflect" : "valid",
    range,
    k1: settings.k1 ?? 0.01,
    k2: settings.k2 ?? 0.03,
    clampVariances: torchmetrics,
    sampleCovariance: recipe === "skimage",
  };
}

function windowOf(recipe: SsimRecipe, { window, sigma = 1.5, kernelSize }: SsimSettings): SsimWindow {
  const kind = window ?? (recipe === "skimage" ? "uniform" : "gaussian");
  if (kind !== "gaussian" && kind !== "uniform") throw new ArgumentError(`ssim: expected window gaussian or uniform, got "${String(kind)}"`);
  if (kind === "uniform") return { kind, size: sidesOf(kernelSize ?? (recipe === "skimage" ? 7 : 11)) };
  // torchmetrics ignores the size of a Gaussian window.
  if (recipe === "torchmetrics") return gaussianWindow(sigma);
  const gaussian = gaussianWindow(sigma, 11) as SsimWindow & { readonly kind: "gaussian" };
  return { ...gaussian, size: sidesOf(kernelSize ?? 11) };
}

function sidesOf(size: number | readonly [number, number]): readonly [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

interface Ranged {
  readonly a: Planes;
  readonly b: Planes;
  readonly range: number;
}

function ranged(a: Planes, b: Planes, { dataRange = 1 }: SsimSettings): Ranged {
  if (dataRange === "data") return { a, b, range: Math.max(spanOf(a), spanOf(b)) };
  if (typeof dataRange === "number") {
    if (!(dataRange > 0)) throw new ArgumentError(`ssim: expected a range above 0, got ${dataRange}`);
    return { a, b, range: dataRange };
  }
  const [low, high] = dataRange;
  if (!(low < high)) throw new ArgumentError(`ssim: expected a range from low to high, got ${low} to ${high}`);
  const limited = (planes: Planes) => ({ ...planes, data: planes.data.map((value) => Math.min(high, Math.max(low, value))) });
  return { a: limited(a), b: limited(b), range: high - low };
}

function spanOf({ data }: Planes): number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
