import type { PipelineOptions, PipelineSources } from "@refadgen/pipeline";
import { type Command, Option } from "commander";
import { wholeNumber } from "../option-values.js";

/** Where the parts of a pipeline are, the product's picture and how to compute, as commander gives them. */
export interface PipelineSettings {
  readonly base: string;
  readonly checkpoint: string;
  readonly vae?: string;
  /** `false`: none. */
  readonly imageEncoder?: string | false;
  readonly unetConfig?: string;
  readonly tokenizer?: string;
  readonly product: string;
  /** `false`: none. */
  readonly mask?: string | false;
  readonly device?: NonNullable<PipelineOptions["device"]>;
  readonly runtime?: NonNullable<PipelineOptions["runtime"]>;
  readonly threads?: number;
}

export function sourceOptions(command: Command): Command {
  return command
    .requiredOption("--base <path>", "Stable Diffusion 1.x: a diffusers folder, a repository of the hub, or a single file (then with --tokenizer)")
    .requiredOption("--checkpoint <file>", "RefAdGen's trained weights, mp_rank_00_model_states.pt; or org/name/path on the hub")
    .option("--vae <path>", "autoencoder, a folder or weight file (default: vae/ of the base)")
    .option("--image-encoder <path>", "CLIP vision tower (default: image_encoder/ of the base)")
    .option("--no-image-encoder", "do without one: the reference sees text states")
    .option("--unet-config <path>", "U-Net config.json (default: unet/ of the base, else Stable Diffusion 1.5's)")
    .option("--tokenizer <path>", "tokenizer folder or tokenizer.json (default: tokenizer/ of the base)");
}

export function productOptions(command: Command): Command {
  return command
    .requiredOption("--product <picture>", "the product's photo")
    .option("--mask <picture>", "white where the product is (default: from transparency or a plain background)")
    .option("--no-mask", "use none");
}

export function computingOptions(command: Command): Command {
  return command
    .addOption(new Option("--device <name>", "where to compute (default: cpu)").choices(["cpu", "cuda", "webgpu", "dml", "coreml", "tensorrt"]))
    .addOption(new Option("--runtime <name>", "what computes (default: the fastest exact one)").choices(["auto", "onnxruntime", "openvino", "tfjs"]))
    .option("--threads <n>", "processors to use (default: all)", wholeNumber);
}

export function sourcesOf({ base, checkpoint, vae, imageEncoder, unetConfig, tokenizer }: PipelineSettings): PipelineSources {
  return {
    base,
    checkpoint,
    ...(vae !== undefined && { vae }),
    ...(imageEncoder === false ? { imageEncoder: null } : imageEncoder !== undefined && { imageEncoder }),
    ...(unetConfig !== undefined && { unetConfig }),
    ...(tokenizer !== undefined && { tokenizer }),
  };
}

export function maskOf({ mask }: PipelineSettings): { readonly mask?: string | null } {
  return mask === false ? { mask: null } : mask === undefined ? {} : { mask };
}
