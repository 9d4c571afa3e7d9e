import { ArgumentError } from "@refadgen/errors";
import { type MetricName, metricNames } from "../metrics/contract.js";
import type { LpipsBackbone } from "../networks/contract.js";
import type { WeightId } from "../weights/catalogue.js";
import { type EvaluatedItem, metricTitles } from "./evaluation.js";

/** What a metric is fed: whole sets, pairs, pictures with prompts, or pairs with masks. */
export type Feed = "sets" | "pairs" | "prompts" | "masked";

export const feeds: Readonly<Record<MetricName, Feed>> = {
  fid: "sets",
  kid: "sets",
  "precision-recall": "sets",
  "clip-score": "prompts",
  "image-reward": "prompts",
  lpips: "pairs",
  "clip-i": "pairs",
  "dino-i": "pairs",
  psnr: "pairs",
  ssim: "pairs",
  "ms-ssim": "pairs",
  "mp-lpips": "masked",
};

export type ClipId = "clip-vit-b-32" | "clip-vit-b-16" | "clip-vit-l-14";
export type DinoId = "dino-vit-s-16" | "dino-vit-b-16";

/** A network that metrics share. */
export type NetworkId = "inception" | `lpips-${LpipsBackbone}` | ClipId | DinoId | "image-reward" | "dift";

/** Which networks metrics are computed with. */
export interface NetworkChoice {
  /** For LPIPS. Default `alex`. MP-LPIPS is always scored by `alex`, as published. */
  readonly lpips?: LpipsBackbone;
  /** For CLIP-Score and CLIP-I. Default B/32. */
  readonly clip?: ClipId;
  /** For DINO-I, and MP-LPIPS matched by DINO. Default S/16. */
  readonly dino?: DinoId;
  /** What finds points of the product again for MP-LPIPS. Default `dift`, as published; `dino` is a hundred times faster. */
  readonly matching?: "dift" | "dino";
}

/** The networks of a metric. */
export function networksOf(
  metric: MetricName,
  { lpips = "alex", clip = "clip-vit-b-32", dino = "dino-vit-s-16", matching = "dift" }: NetworkChoice = {},
): readonly NetworkId[] {
  switch (metric) {
    case "fid":
    case "kid":
    case "precision-recall":
      return ["inception"];
    case "clip-score":
    case "clip-i":
      return [clip];
    case "lpips":
      return [`lpips-${lpips}`];
    case "mp-lpips":
      return ["lpips-alex", matching === "dift" ? "dift" : dino];
    case "image-reward":
      return ["image-reward"];
    case "dino-i":
      return [dino];
    default:
      return [];
  }
}

const weightIds: Readonly<Record<NetworkId, readonly WeightId[]>> = {
  inception: ["inception-fid"],
  "lpips-alex": ["alexnet", "lpips-lin-alex"],
  "lpips-vgg": ["vgg16", "lpips-lin-vgg"],
  "lpips-squeeze": ["squeezenet1_1", "lpips-lin-squeeze"],
  "clip-vit-b-32": ["clip-vit-b-32"],
  "clip-vit-b-16": ["clip-vit-b-16"],
  "clip-vit-l-14": ["clip-vit-l-14"],
  "dino-vit-s-16": ["dino-vit-s-16"],
  "dino-vit-b-16": ["dino-vit-b-16"],
  "image-reward": ["image-reward", "bert-vocabulary"],
  dift: ["stable-diffusion-2-1"],
};

/** The weight files of a network. */
export function weightIdsOf(network: NetworkId): readonly WeightId[] {
  return weightIds[network];
}

/** The recipes of metrics; the first is the default. */
export const recipeNames: Readonly<Record<MetricName, readonly string[]>> = {
  "clip-score": ["torchmetrics", "hessel"],
  fid: ["pytorch-fid", "clean-fid", "torch-fidelity", "torchmetrics"],
  "image-reward": ["image-reward"],
  "mp-lpips": ["magic-clothing"],
  lpips: ["lpips", "torchmetrics"],
  kid: ["torch-fidelity", "torchmetrics", "clean-fid"],
  "precision-recall": ["torch-fidelity", "prdc"],
  "clip-i": ["dreambooth", "torchmetrics"],
  "dino-i": ["dreambooth"],
  psnr: ["torchmetrics", "piq", "skimage"],
  ssim: ["torchmetrics", "piq", "wang", "skimage"],
  "ms-ssim": ["torchmetrics", "piq"],
};

const ssimOptions = ["window", "sigma", "kernelSize", "k1", "k2", "dataRange", "downsample"] as const;
/** Options of MP-LPIPS that say how points are matched by diffusion features. */
export const diftOptionNames: readonly string[] = ["prompt", "ensemble", "timestep", "upBlock"];

/** What `options` of a metric may be called. */
export const metricOptionNames: Readonly<Record<MetricName, readonly string[]>> = {
  "clip-score": [],
  fid: ["level"],
  "image-reward": [],
  "mp-lpips": ["size", "grid", "patch", "dilation", "penalty", ...diftOptionNames],
  lpips: [],
  kid: ["input", "level", "subsets", "subsetSize", "degree", "coefficient", "gamma"],
  "precision-recall": ["input", "level", "k"],
  "clip-i": [],
  "dino-i": [],
  psnr: [],
  ssim: ssimOptions,
  "ms-ssim": ssimOptions.filter((name) => name !== "downsample"),
};

/** Numbers beside the value that results have, and thresholds can be set on. */
export const detailNames: Readonly<Partial<Record<MetricName, readonly string[]>>> = {
  kid: ["std", "subsetSize"],
  "precision-recall": ["precision", "recall", "density", "coverage"],
  "mp-lpips": ["points", "outsideShare"],
};

/** What a threshold can be set on. */
export function quantitiesOf(metric: MetricName, { interval }: { readonly interval: boolean }): readonly string[] {
  const scored = feeds[metric] === "sets" ? [] : ["min", "max", "median", ...(interval ? ["low", "high"] : [])];
  return ["value", "n", ...scored, ...(detailNames[metric] ?? [])];
}

/** From cheap to dear, so that with `failFast` a bad model costs little. */
const byCost: readonly MetricName[] = [
  "psnr",
  "ssim",
  "ms-ssim",
  "lpips",
  "clip-score",
  "clip-i",
  "dino-i",
  "fid",
  "kid",
  "precision-recall",
  "image-reward",
  "mp-lpips",
];

/** @throws ArgumentError for no metric, unknown ones, and the same one twice */
export function orderByCost(metrics: readonly MetricName[]): readonly MetricName[] {
  if (metrics.length === 0) throw new ArgumentError("evaluate: expected at least one metric");
  const unknown = metrics.filter((metric) => !metricNames.includes(metric));
  if (unknown.length > 0) throw new ArgumentError(`evaluate: expected metrics out of ${metricNames.join(", ")}, got "${unknown.join('", "')}"`);
  const twice = metrics.find((metric, index) => metrics.indexOf(metric) !== index);
  if (twice !== undefined) throw new ArgumentError(`evaluate: expected every metric once, got "${twice}" twice`);
  return byCost.filter((metric) => metrics.includes(metric));
}

/** One row of what a metric with a score per picture is fed. */
export interface ScoredPair {
  /** The item's name; with several references, followed by which one. */
  readonly name: string;
  readonly generated: string;
  readonly reference?: string;
  readonly prompt?: string;
  readonly mask?: string;
  readonly productMask?: string;
}

export interface PairPlan {
  readonly pairs: readonly ScoredPair[];
  /** Names of items that lack something, by what they lack. */
  readonly lacking: ReadonlyMap<string, readonly string[]>;
}

/** The rows that a metric can be computed for. Items that lack a reference, prompt or mask are listed. */
export function pairsFor(metric: MetricName, items: readonly EvaluatedItem[]): PairPlan {
  const feed = feeds[metric];
  const lacking = new Map<string, string[]>();
  const pairs: ScoredPair[] = [];
  for (const item of items) {
    const lack = whatLacks(feed, item);
    if (lack !== undefined) {
      lacking.set(lack, [...(lacking.get(lack) ?? []), item.name]);
      continue;
    }
    const { name, generated, prompt, mask, productMasks = [] } = item;
    if (feed === "prompts") {
      pairs.push({ name, generated, prompt: prompt! });
      continue;
    }
    for (const [index, reference] of item.references.entries()) {
      const productMask = productMasks.length > 1 ? productMasks[index] : productMasks[0];
      pairs.push({
        name: item.references.length === 1 ? name : `${name} [${index + 1}]`,
        generated,
        reference,
        ...(feed === "masked" && { mask: mask! }),
        ...(feed === "masked" && productMask !== undefined && { productMask }),
      });
    }
  }
  return { pairs, lacking };
}

/** The item that a row belongs to. */
export function itemNameOf(pairName: string): string {
  return pairName.replace(/ \[\d+\]$/, "");
}

function whatLacks(feed: Feed, item: EvaluatedItem): string | undefined {
  if (feed === "prompts") return item.prompt === undefined ? "prompt" : undefined;
  if (item.references.length === 0) return "reference";
  return feed === "masked" && item.mask === undefined ? "mask" : undefined;
}

/** What to give so that a metric can be computed. */
export function needSentence(metric: MetricName): string {
  const what = {
    sets: "a folder of real pictures (reference or real)",
    pairs: "references",
    prompts: "prompts",
    masked: "references and masks",
  }[feeds[metric]];
  return `${metricTitles[metric]} needs ${what}`;
}
