import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseSchedulerJson } from "@refadgen/core-unet";
import { published } from "./defaults.js";
import { PipelineError } from "./error.js";

/**
 * Where the parts of RefAdGen lie; they may come from different places, as the authors' do. Each is a path, or, where nothing lies at that
 * path, `org/name[/folder or file][@revision]` on the hub, or the https address of a file.
 */
export interface PipelineSources {
  /**
   * A Stable Diffusion 1.x folder as diffusers lays it out: `text_encoder/`, `tokenizer/`, `scheduler/`, `vae/`; or a single file with
   * latent-diffusion's names (`v1-5-pruned.safetensors` and the like), which holds the text encoder and the autoencoder, but no tokenizer.
   */
  readonly base: string;
  /** Autoencoder: a folder with `config.json` and weights, or a weight file, with `config.json` beside it or as published. Default: `vae/` of `base`. */
  readonly vae?: string;
  /** CLIP vision tower, folder or file likewise. Default: `image_encoder/` of `base`. `null`: none, the reference sees text states instead. */
  readonly imageEncoder?: string | null;
  /** RefAdGen's trained parts: `mp_rank_00_model_states.pt`, or the same tensors in any other container. */
  readonly checkpoint: string;
  /** Text encoder. Default: `text_encoder/` of `base`. */
  readonly textEncoder?: string;
  /** Tokenizer folder or `tokenizer.json`. Default: `tokenizer/` of `base`. */
  readonly tokenizer?: string;
  /** U-Net `config.json` of both U-Nets, or a folder that holds one. Default: `unet/` of `base`, else Stable Diffusion 1.5's. */
  readonly unetConfig?: string;
}

/** A network on disk: its configuration, parsed from JSON, and its weights. */
export interface ComponentFiles {
  readonly config: unknown;
  readonly weights: string;
}

/** All parts, found; nothing has been loaded but small JSON files. */
export interface ResolvedSources {
  readonly textEncoder: ComponentFiles;
  readonly vae: ComponentFiles;
  readonly imageEncoder: ComponentFiles | undefined;
  readonly checkpoint: string;
  readonly tokenizer: string;
  readonly scheduler: unknown;
  readonly preprocessor: unknown;
  readonly unetConfig: unknown;
}

/**
 * Finds every part and says at once, for all of them, what is not there.
 *
 * @throws PipelineError `missing-component`, `unsupported-component`
 */
export async function resolveSources(sources: PipelineSources): Promise<ResolvedSources> {
  const { base } = sources;
  const problems: string[] = [];
  const collect = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (!PipelineError.isInstance(error)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const info = await stat(base).catch(() => undefined);
  if (!info) throw new PipelineError("missing-component", `base: expected a diffusers folder or a single file, nothing is at ${base}`);
  // Of a single file, networks are told apart by their names; what it cannot hold lies nowhere unless it is given.
  const inBase = (name: string) => (info.isDirectory() ? join(base, name) : undefined);
  const network = async (name: string, path: string | undefined, config: object) =>
    path === undefined ? { config, weights: base } : collect(component(name, path, config));
  const found = {
    textEncoder: await network("textEncoder", sources.textEncoder ?? inBase("text_encoder"), published.textEncoder),
    vae: await network("vae", sources.vae ?? inBase("vae"), published.vae),
    imageEncoder:
      sources.imageEncoder === null
        ? null
        : await collect(component("imageEncoder", sources.imageEncoder ?? inBase("image_encoder"), published.imageEncoder)),
    checkpoint: await collect(file("checkpoint", sources.checkpoint)),
    tokenizer: await collect(file("tokenizer", sources.tokenizer ?? inBase("tokenizer"))),
    unetConfig: await collect(unetConfig(sources)),
    scheduler: info.isDirectory() ? await collect(scheduler(join(base, "scheduler", "scheduler_config.json"))) : {},
  };
  const { textEncoder, vae, imageEncoder, checkpoint, tokenizer } = found;
  if (problems.length > 0 || !textEncoder || !vae || imageEncoder === undefined || checkpoint === undefined || tokenizer === undefined) {
    throw new PipelineError(
      "missing-component",
      `fromPretrained: ${problems.length === 1 ? "one part" : `${problems.length} parts`} cannot be found\n  ${problems.join("\n  ")}`,
    );
  }
  const preprocessor = await json("preprocessor", join(base, "feature_extractor", "preprocessor_config.json")).catch(() => undefined);
  return {
    textEncoder,
    vae,
    imageEncoder: imageEncoder ?? undefined,
    checkpoint,
    tokenizer,
    scheduler: found.scheduler,
    preprocessor,
    unetConfig: found.unetConfig,
  };
}

/** @param standard the configuration of a weight file that has no `config.json` beside it */
async function component(name: string, path: string | undefined, standard: object): Promise<ComponentFiles> {
  const info = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !info)
    throw new PipelineError(
      "missing-component",
      `${name}: ${path === undefined ? "a single-file base holds none; say where it is" : `nothing is at ${path}`}`,
    );
  const config = join(info.isDirectory() ? path : dirname(path), "config.json");
  return { config: info.isFile() && !(await exists(config)) ? standard : await json(name, config), weights: path };
}

async function unetConfig({ base, unetConfig: path }: PipelineSources): Promise<unknown> {
  if (path !== undefined) return json("unetConfig", path.endsWith(".json") ? path : join(path, "config.json"));
  const standard = join(base, "unet", "config.json");
  return (await exists(standard)) ? json("unetConfig", standard) : published.unet;
}

async function scheduler(path: string): Promise<unknown> {
  return parseSchedulerJson(await text("scheduler", path));
}

async function file(name: string, path: string | undefined): Promise<string> {
  if (path === undefined) throw new PipelineError("missing-component", `${name}: a single-file base holds none; say where it is`);
  if (typeof path !== "string" || !(await exists(path))) throw new PipelineError("missing-component", `${name}: nothing is at ${path}`);
  return path;
}

async function json(name: string, path: string): Promise<unknown> {
  const content = await text(name, path);
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new PipelineError("unsupported-component", `${name}: ${path} is not JSON`, { cause });
  }
}

async function text(name: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new PipelineError("missing-component", `${name}: expected ${path}`, { cause });
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
