import { ArgumentError } from "@refadgen/errors";
import { clipIAccumulator } from "../metrics/clip-i.js";
import { clipScoreAccumulator } from "../metrics/clip-score.js";
import type { Accumulator, MaskedBatch, PairBatch, PromptBatch, SetBatch } from "../metrics/contract.js";
import { dinoIAccumulator } from "../metrics/dino-i.js";
import { fidAccumulator } from "../metrics/fid.js";
import { imageRewardAccumulator } from "../metrics/image-reward.js";
import { kidAccumulator } from "../metrics/kid.js";
import { lpipsAccumulator } from "../metrics/lpips.js";
import { mpLpipsAccumulator } from "../metrics/mp-lpips.js";
import { precisionRecallAccumulator } from "../metrics/precision-recall.js";
import { psnrAccumulator } from "../metrics/psnr.js";
import { msSsimAccumulator, ssimAccumulator } from "../metrics/ssim.js";
import type { LoadedNetwork } from "../networks/contract.js";
import { dinoFeatures } from "../networks/dift/dino-features.js";
import { loadStatistics } from "../statistics/npz.js";
import type { MetricDriver, MetricRequest } from "./metric-driver.js";
import type { DenseNetwork } from "./networks.js";
import { diftOptionNames } from "./plan.js";

type Options = Readonly<Record<string, string | number | boolean>>;

/** The metrics of this package, as an evaluation uses them. */
export async function createDriver(request: MetricRequest): Promise<MetricDriver> {
  const { metric, pool, settings } = request;
  const { lpips = "alex", clip = "clip-vit-b-32", dino = "dino-vit-s-16" } = settings;
  const options = settings.options?.[metric] ?? {};
  // Recipes and options are checked by the accumulators themselves, typed by whoever gave them.
  const given = { ...(request.recipe !== undefined && { recipe: request.recipe }), ...options } as never as object;
  switch (metric) {
    case "psnr":
      return pairs([], () => psnrAccumulator(given));
    case "ssim":
      return pairs([], () => ssimAccumulator(given));
    case "ms-ssim":
      return pairs([], () => msSsimAccumulator(given));
    case "lpips": {
      const network = await pool.lpips(lpips);
      return pairs([network], () => lpipsAccumulator({ network, ...given }));
    }
    case "clip-i": {
      const network = await pool.clip(clip);
      return pairs([network], () => clipIAccumulator({ network, ...given }));
    }
    case "dino-i": {
      const network = await pool.dino(dino);
      return pairs([network], () => dinoIAccumulator({ network, ...given }));
    }
    case "clip-score": {
      const network = await pool.clip(clip);
      return prompts([network], () => clipScoreAccumulator({ network, ...given }));
    }
    case "image-reward": {
      const network = await pool.imageReward();
      return prompts([network], () => imageRewardAccumulator({ network, ...given }));
    }
    case "mp-lpips":
      return mpLpips(request, options);
    case "fid": {
      const features = await pool.inception();
      const real = request.statistics === undefined ? undefined : await loadStatistics(request.statistics);
      return sets(features, () => fidAccumulator({ features, ...given, ...(real && { real }) }));
    }
    case "kid": {
      const features = await pool.inception();
      return sets(features, () => kidAccumulator({ features, ...given, ...(settings.seed !== undefined && { seed: settings.seed }) }));
    }
    case "precision-recall": {
      const features = await pool.inception();
      return sets(features, () => precisionRecallAccumulator({ features, ...given }));
    }
  }
}

async function mpLpips({ recipe, pool, settings }: MetricRequest, options: Options): Promise<MetricDriver> {
  const { matching = "dift", dino = "dino-vit-s-16", seed = 0 } = settings;
  const of = (names: readonly string[]) => Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
  const dift = of(diftOptionNames);
  if (matching === "dino" && Object.keys(dift).length > 0)
    throw new ArgumentError(`mp-lpips: ${Object.keys(dift).join(", ")} are options of matching by dift, got matching by dino`);
  const network = await pool.lpips("alex");
  const features: DenseNetwork = matching === "dift" ? await pool.dift({ ...dift, seed }) : denseDino(await pool.dino(dino));
  const others = Object.fromEntries(Object.entries(options).filter(([name]) => !(name in dift)));
  const create = () => mpLpipsAccumulator({ network, features, ...others, ...(recipe !== undefined && ({ recipe } as object)) });
  return { feed: "masked", recipe: create().recipe, networks: [network, features], create: async (): Promise<Accumulator<MaskedBatch>> => create() };
}

function denseDino(dino: LoadedNetwork & Parameters<typeof dinoFeatures>[0]): DenseNetwork {
  return { ...dinoFeatures(dino), weights: dino.weights, contentKey: () => dino.contentKey(), dispose: async () => undefined };
}

function pairs(networks: readonly LoadedNetwork[], create: () => Accumulator<PairBatch>): MetricDriver {
  return { feed: "pairs", recipe: create().recipe, networks, create: async () => create() };
}

function sets(features: LoadedNetwork, create: () => Accumulator<SetBatch>): MetricDriver {
  return { feed: "sets", recipe: create().recipe, networks: [features], create: async () => create() };
}

function prompts(networks: readonly LoadedNetwork[], create: () => Accumulator<PromptBatch>): MetricDriver {
  return { feed: "prompts", recipe: create().recipe, networks, create: async () => create() };
}
