import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { clipTextEncoder, isClipBuffer, parseClipTextConfig } from "@refadgen/clip";
import {
  type AutoencoderConfig,
  parseAutoencoderConfig,
  parseSchedulerConfig,
  parseSchedulerJson,
  parseUNetConfig,
  type SchedulerConfig,
  type UNetConfig,
} from "@refadgen/core-unet";
import { Graph, openSession, type Tensor, Weights } from "@refadgen/graph";
import { MetricWeightsError } from "../../weights/error.js";
import { locateWeights } from "../../weights/locate.js";
import { loadTokenize } from "../clip/tokenizer.js";
import type { LoadOptions, WeightInput } from "../contract.js";
import { expectFit, locateOptions, openInput, sessionOptions } from "../load.js";

/** What DIFT is made of, one by one: for a model that is not laid out as a folder, or with other text states. */
export interface DiftParts {
  readonly unet: WeightInput;
  readonly unetConfig: UNetConfig;
  readonly autoencoder: WeightInput;
  readonly autoencoderConfig: AutoencoderConfig;
  readonly scheduler: SchedulerConfig;
  /** States of the prompt, `[1, T, cross_attention_dim]`. */
  readonly context: Tensor<"float32">;
}

/** What the weights are called in the folders of a model, in the order in which they are looked for. */
const names = {
  unet: ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"],
  vae: ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"],
  text_encoder: ["model.safetensors", "model.fp16.safetensors", "pytorch_model.bin"],
} as const;

/**
 * The parts of a Stable Diffusion in diffusers' layout: a folder, or a hub id `org/name[@revision]`. The text tower is run once, for the prompt.
 */
export async function openDiffusers(source: string, prompt: string, options: LoadOptions): Promise<DiftParts> {
  const json = async (path: string) => parseSchedulerJson(await readFile(await memberOf(source, [path], options), "utf8"));
  const weights = (folder: keyof typeof names) =>
    memberOf(
      source,
      names[folder].map((name) => `${folder}/${name}`),
      options,
    );
  const [unetConfig, autoencoderConfig, scheduler, textConfig] = [
    parseUNetConfig(await json("unet/config.json")),
    parseAutoencoderConfig(await json("vae/config.json")),
    parseSchedulerConfig(await json("scheduler/scheduler_config.json")),
    parseClipTextConfig(await json("text_encoder/config.json")),
  ];
  const { lookup, files } = await openInput("loadDift", await weights("text_encoder"), withoutDigest(options));
  const textWeights = Weights.from(lookup);
  const graph = new Graph("dift-prompt");
  const ids = await paddedWithZero(prompt);
  graph.output("states", clipTextEncoder(graph.input("ids", "int64", [1, ids.length]), textWeights, textConfig).states);
  expectFit(textWeights, lookup, { known: ["clip-text-transformers"], description: "the text tower of Stable Diffusion", ignore: isClipBuffer });
  const session = await openSession(graph, sessionOptions({ ...options, optimization: "mapped" }, files[0]!));
  try {
    const { states } = await session.run({ ids: { dtype: "int64", dims: [1, ids.length], data: BigInt64Array.from(ids, BigInt) } });
    return {
      unet: await weights("unet"),
      unetConfig,
      autoencoder: await weights("vae"),
      autoencoderConfig,
      scheduler,
      context: states as Tensor<"float32">,
    };
  } finally {
    await session.dispose();
  }
}

/** Stable Diffusion 2 has CLIP's tokenizer, but fills up with the id 0. */
async function paddedWithZero(prompt: string): Promise<number[]> {
  const [ids] = (await loadTokenize())([prompt], "torchmetrics");
  const end = 49407;
  if (ids!.at(-1) !== end) return [...ids!.slice(0, -1), end];
  const last = ids!.indexOf(end);
  return ids!.map((id, index) => (index > last ? 0 : id));
}

/** A checksum belongs to one file; a model has several. */
function withoutDigest({ sha256: _, ...options }: LoadOptions): LoadOptions {
  return options;
}

/** The path of the first of these files that a model has. */
async function memberOf(source: string, candidates: readonly string[], options: LoadOptions): Promise<string> {
  if (await stat(source).catch(() => undefined)) {
    for (const name of candidates) {
      const path = join(source, name);
      if (await stat(path).catch(() => undefined)) return path;
    }
    throw new MetricWeightsError("missing", `${source}: expected a model in diffusers' layout, found none of ${candidates.join(", ")}`);
  }
  const [id, revision] = source.split("@");
  let failure: unknown;
  for (const name of candidates) {
    const file = `${id}/${name}${revision === undefined ? "" : `@${revision}`}`;
    try {
      return await locateWeights(file, locateOptions(file, withoutDigest(options)));
    } catch (error) {
      failure ??= error;
      if (!isMissing(error)) throw error;
    }
  }
  throw failure;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "missing" || error.code === "not-found");
}
