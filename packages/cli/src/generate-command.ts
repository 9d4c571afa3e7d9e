import { type Command, InvalidArgumentError, Option } from "commander";
import { type GenerateSettings, generate } from "./generate.js";

/** `refadgen generate` */
export function addGenerateCommand(program: Command, signal: AbortSignal): void {
  program
    .command("generate")
    .description("Put a product into the scene that a prompt describes.")
    .requiredOption("--base <path>", "Stable Diffusion 1.x: a diffusers folder, a single file (then with --tokenizer), or org/name on the hub")
    .requiredOption("--checkpoint <file>", "RefAdGen's trained weights, mp_rank_00_model_states.pt, or org/name/file on the hub")
    .option("--vae <path>", "autoencoder, a folder or weight file (default: vae/ of the base)")
    .option("--image-encoder <path>", "CLIP vision tower (default: image_encoder/ of the base)")
    .option("--no-image-encoder", "do without one: the reference sees text states")
    .option("--unet-config <path>", "U-Net config.json (default: unet/ of the base, else Stable Diffusion 1.5's)")
    .requiredOption("--product <picture>", "the product's photo")
    .option("--mask <picture>", "white where the product is (default: from transparency or a plain background)")
    .option("--no-mask", "use none")
    .option("--prompt <text>", "the scene; may be given more than once", collect, [])
    .option("--prompts <file>", "one prompt per line, # for comments; or .jsonl with {prompt, seed?, negativePrompt?}")
    .requiredOption("--out <folder>", "where the images go, each with a .json of its settings beside it")
    .option("--negative-prompt <text>", "what the image should not show (default: the published one)")
    .option("--steps <n>", "1 to 1000 (default: 30)", wholeNumber)
    .option("--guidance-scale <x>", "classifier-free guidance; 1 or less turns it off (default: 7.5)", realNumber)
    .option("--reference-scale <x>", "how much the product's features count (default: 1)", realNumber)
    .option("--seed <n[,n…]>", "one for the batch, or one per image (default: 42)", seeds)
    .option("--images-per-prompt <n>", "how many images per prompt (default: 1)", wholeNumber)
    .option("--width <px>", "multiple of 8 (default: the published size, resized to the product's)", wholeNumber)
    .option("--height <px>", "multiple of 8", wholeNumber)
    .option("--sampler <name>", "ddim, pndm, euler, euler-ancestral, dpmpp-2m, dpmpp-2m-karras, … (default: ddim)")
    .addOption(new Option("--product-encoding <how>", "draw the product's latents, or take their mean").choices(["sample", "mean"]))
    .option("--tokenizer <path>", "tokenizer folder or tokenizer.json (default: tokenizer/ of the base)")
    .option("--decode-tile <px>", "decode large images in tiles of this size", wholeNumber)
    .addOption(new Option("--memory <how>", "load networks one by one, or keep them (default: keep for several prompts)").choices(["low", "keep"]))
    .addOption(new Option("--device <name>", "where to compute (default: cpu)").choices(["cpu", "cuda", "webgpu", "dml", "coreml", "tensorrt"]))
    .option("--threads <n>", "processors to use (default: all)", wholeNumber)
    .option("--preview [picture]", "write a rough picture at every step (default: OUT/preview.png)")
    .option("--contact-sheet [picture]", "write all images of this run as one picture (default: OUT/contact-sheet.png)")
    .option("--resume", "go on with a run that was stopped: its settings must be the same, finished images stay")
    .option("--offline", "fetch nothing: what is on the hub must be in the cache")
    .option("--force", "make images anew that are there already")
    .option("--json", "one JSON object per event on standard output")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText("after", help)
    .action((options: GenerateSettings) => generate(options, signal));
}

const help = `
Examples:
  refadgen generate --base SG161222/Realistic_Vision_V5.1_noVAE --vae stabilityai/sd-vae-ft-mse \\
    --image-encoder h94/IP-Adapter/models/image_encoder --checkpoint mp_rank_00_model_states.pt \\
    --product bottle.jpg --prompt "on a wooden table in warm light" --out ads
  refadgen generate … --prompts scenes.txt --out ads --contact-sheet
  refadgen generate … --prompts scenes.txt --out ads --resume

Weights are paths, or org/name[/folder or file][@revision] on the hub: fetched once into the cache that Python shares (HF_HOME, HF_TOKEN).

Exit codes: 0 done; 1 failed while running; 2 wrong usage or input; 3 weights missing or unusable; 130 interrupted.`;

function collect(value: string, all: readonly string[]): string[] {
  return [...all, value];
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`Expected a whole number, got "${text}".`);
  return Number(text);
}

function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError(`Expected a number, got "${text}".`);
  return value;
}

function seeds(text: string): bigint | bigint[] {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^-?\d+$/.test(part))) throw new InvalidArgumentError(`Expected whole numbers, got "${text}".`);
  return parts.length === 1 ? BigInt(parts[0]!) : parts.map(BigInt);
}
