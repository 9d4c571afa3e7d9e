import { ArgumentError } from "@refadgen/errors";
import { cachedClip, cachedDino, cachedInception } from "../evaluate/cached-networks.js";
import type { FileListing } from "../images/listing.js";
import type { ImageSource } from "../images/source.js";
import { loadStatistics } from "../statistics/npz.js";
import { scoreAgainstAll } from "./against-all.js";
import { withFeatureCache } from "./cache.js";
import { type ClipISettings, clipIAccumulator } from "./clip-i.js";
import { type ClipScoreSettings, clipScoreAccumulator } from "./clip-score.js";
import type { MetricResult } from "./contract.js";
import { type DinoISettings, dinoIAccumulator } from "./dino-i.js";
import { type FidRecipe, type FidSettings, fidAccumulator } from "./fid.js";
import { type ImageRewardSettings, imageRewardAccumulator } from "./image-reward.js";
import { type KidSettings, kidAccumulator } from "./kid.js";
import { type LpipsSettings, lpipsAccumulator } from "./lpips.js";
import { type MpLpipsSettings, mpLpipsAccumulator } from "./mp-lpips.js";
import { type PrecisionRecallSettings, precisionRecallAccumulator } from "./precision-recall.js";
import { type PsnrSettings, psnrAccumulator } from "./psnr.js";
import {
  type CacheOptions,
  type MaskedSources,
  type PairedOptions,
  type Prompts,
  type RunOptions,
  runMasked,
  runPairs,
  runPrompts,
  runSets,
  type ScoredOptions,
} from "./run.js";
import { type MsSsimAccumulatorSettings, msSsimAccumulator, type SsimAccumulatorSettings, ssimAccumulator } from "./ssim.js";

/** Which files of a folder each recipe counts. */
const listings: Readonly<Record<FidRecipe, FileListing>> = {
  "pytorch-fid": "pytorch-fid",
  "clean-fid": "clean-fid",
  "torch-fidelity": "torch-fidelity",
  torchmetrics: "all",
};

/**
 * Fréchet Inception distance of two sets of pictures. A path that ends with `.npz` stands for saved statistics of the real set.
 *
 * ```ts
 * const { value } = await fid("photos", "generated", { features: await loadInception(path), recipe: "clean-fid" });
 * ```
 *
 * @throws ArgumentError; MetricError; WeightsError for a file of statistics that cannot be read
 */
export async function fid(real: ImageSource, generated: ImageSource, options: FidSettings & RunOptions & CacheOptions): Promise<MetricResult> {
  const { recipe = "pytorch-fid" } = options;
  const given = options.real ?? (typeof real === "string" && real.endsWith(".npz") ? await loadStatistics(real) : undefined);
  return withFeatureCache(options.features, options.cacheDirectory, cachedInception, (features) =>
    runSets(fidAccumulator({ ...options, features, ...(given && { real: given }) }), given ? { generated } : { real, generated }, {
      listing: listings[recipe],
      ...options,
    }),
  );
}

/**
 * Kernel Inception distance of two sets of pictures.
 *
 * @throws ArgumentError; MetricError
 */
export async function kid(real: ImageSource, generated: ImageSource, options: KidSettings & RunOptions & CacheOptions): Promise<MetricResult> {
  const { recipe = "torch-fidelity" } = options;
  return withFeatureCache(options.features, options.cacheDirectory, cachedInception, (features) =>
    runSets(kidAccumulator({ ...options, features }), { real, generated }, { listing: listings[recipe], ...options }),
  );
}

/**
 * Precision, recall, density and coverage of two sets of pictures.
 *
 * @throws ArgumentError; MetricError
 */
export async function precisionRecall(
  real: ImageSource,
  generated: ImageSource,
  options: PrecisionRecallSettings & RunOptions & CacheOptions,
): Promise<MetricResult> {
  const listing = options.recipe === "prdc" ? "all" : "torch-fidelity";
  return withFeatureCache(options.features, options.cacheDirectory, cachedInception, (features) =>
    runSets(precisionRecallAccumulator({ ...options, features }), { real, generated }, { listing, ...options }),
  );
}

export interface ClipScoreOptions extends ClipScoreSettings, ScoredOptions, CacheOptions {
  /** Recipe `hessel`: reference captions, in the order of the pictures or by their names; gives `details.refScore`. */
  readonly references?: readonly (readonly string[])[] | Readonly<Record<string, readonly string[]>>;
}

/**
 * CLIP-Score of pictures and prompts.
 *
 * @throws ArgumentError; MetricError
 */
export async function clipScore(generated: ImageSource, prompts: Prompts, options: ClipScoreOptions): Promise<MetricResult> {
  const { references } = options;
  const captionsOf = (name: string, index: number): readonly string[] => {
    const captions = Array.isArray(references)
      ? (references as readonly (readonly string[])[])[index]
      : (Reflect.get(references!, name) ?? Reflect.get(references!, name.replace(/\.[^./\\]*$/, "")));
    if (!Array.isArray(captions)) throw new ArgumentError(`clip-score: expected reference captions for ${name}, got none`);
    return captions as readonly string[];
  };
  return withFeatureCache(options.network, options.cacheDirectory, cachedClip, (network) =>
    runPrompts(clipScoreAccumulator({ ...options, network }), generated, prompts, options, references && captionsOf),
  );
}

/** How pictures of two sets are put together. */
export interface PairingOptions {
  /**
   * `matched` (default): each with the reference of its name or place; `all`: each with every reference, the mean over both, which is
   * DreamBooth's protocol for the pictures of one subject.
   */
  readonly pairing?: "matched" | "all";
}

/**
 * CLIP-I: likeness of generated pictures and references.
 *
 * @throws ArgumentError; MetricError
 */
export async function clipI(
  generated: ImageSource,
  reference: ImageSource,
  options: ClipISettings & PairedOptions & CacheOptions & PairingOptions,
): Promise<MetricResult> {
  return withFeatureCache(options.network, options.cacheDirectory, cachedClip, (network) => {
    const accumulator = clipIAccumulator({ ...options, network });
    if (!isAll(options.pairing)) return runPairs(accumulator, generated, reference, options);
    const { recipe } = accumulator;
    const [scale, preprocessing] = recipe === "dreambooth" ? ([1, "openai"] as const) : ([100, "transformers"] as const);
    const described = { metric: "clip-i", recipe, settings: { network: network.name }, networks: [network] } as const;
    const { signal } = options;
    return scoreAgainstAll(
      described,
      scale,
      (pictures) => network.images(pictures, { preprocessing, ...(signal && { signal }) }),
      generated,
      reference,
      options,
    );
  });
}

/**
 * DINO-I: likeness of generated pictures and references.
 *
 * @throws ArgumentError; MetricError
 */
export async function dinoI(
  generated: ImageSource,
  reference: ImageSource,
  options: DinoISettings & PairedOptions & CacheOptions & PairingOptions,
): Promise<MetricResult> {
  return withFeatureCache(options.network, options.cacheDirectory, cachedDino, (network) => {
    const accumulator = dinoIAccumulator({ ...options, network });
    if (!isAll(options.pairing)) return runPairs(accumulator, generated, reference, options);
    const described = { metric: "dino-i", recipe: accumulator.recipe, settings: { network: network.name }, networks: [network] } as const;
    const { signal } = options;
    return scoreAgainstAll(described, 1, (pictures) => network.embeddings(pictures, signal ? { signal } : {}), generated, reference, options);
  });
}

function isAll(pairing: PairingOptions["pairing"] = "matched"): boolean {
  if (pairing !== "matched" && pairing !== "all") throw new ArgumentError(`pairing: expected "matched" or "all", got "${String(pairing)}"`);
  return pairing === "all";
}

/**
 * LPIPS of pairs of pictures of equal size.
 *
 * @throws ArgumentError; MetricError
 */
export async function lpips(generated: ImageSource, reference: ImageSource, options: LpipsSettings & PairedOptions): Promise<MetricResult> {
  return runPairs(lpipsAccumulator(options), generated, reference, options);
}

/**
 * MP-LPIPS of pictures of products.
 *
 * @throws ArgumentError; MetricError
 */
export async function mpLpips(sources: MaskedSources, options: MpLpipsSettings & PairedOptions): Promise<MetricResult> {
  const { network, features, recipe, size, grid, patch, dilation, penalty, ...run } = options;
  const settings = {
    network,
    features,
    ...(recipe !== undefined && { recipe }),
    ...(size !== undefined && { size }),
    ...(grid !== undefined && { grid }),
    ...(patch !== undefined && { patch }),
    ...(dilation !== undefined && { dilation }),
    ...(penalty !== undefined && { penalty }),
  };
  return runMasked(mpLpipsAccumulator(settings), sources, run);
}

/**
 * ImageReward of pictures and prompts.
 *
 * @throws ArgumentError; MetricError
 */
export async function imageReward(generated: ImageSource, prompts: Prompts, options: ImageRewardSettings & ScoredOptions): Promise<MetricResult> {
  return runPrompts(imageRewardAccumulator(options), generated, prompts, options);
}

/**
 * PSNR of pairs of pictures of equal size, in decibels.
 *
 * @throws ArgumentError; MetricError
 */
export async function psnr(generated: ImageSource, reference: ImageSource, options: PsnrSettings & PairedOptions = {}): Promise<MetricResult> {
  return runPairs(psnrAccumulator(options), generated, reference, options);
}

/**
 * SSIM of pairs of pictures of equal size.
 *
 * @throws ArgumentError; MetricError
 */
export async function ssim(
  generated: ImageSource,
  reference: ImageSource,
  { recipe, window, sigma, kernelSize, k1, k2, dataRange, downsample, ...run }: SsimAccumulatorSettings & PairedOptions = {},
): Promise<MetricResult> {
  const settings = { recipe, window, sigma, kernelSize, k1, k2, dataRange, downsample };
  return runPairs(ssimAccumulator(present(settings) as SsimAccumulatorSettings), generated, reference, run);
}

/**
 * SSIM over five scales of pairs of pictures of equal size.
 *
 * @throws ArgumentError; MetricError
 */
export async function msSsim(
  generated: ImageSource,
  reference: ImageSource,
  { recipe, window, sigma, kernelSize, k1, k2, dataRange, downsample, ...run }: MsSsimAccumulatorSettings & PairedOptions = {},
): Promise<MetricResult> {
  const settings = { recipe, window, sigma, kernelSize, k1, k2, dataRange, downsample };
  return runPairs(msSsimAccumulator(present(settings) as MsSsimAccumulatorSettings), generated, reference, run);
}

function present(settings: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
