import { readFileSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { addAugment } from "./augment.js";
import { exitCode, exitCodeOf } from "./exit-code.js";
import { type GenerateSettings, generate } from "./generate.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

/**
 * Runs `refadgen` with these arguments and gives its exit code. Ctrl-C stops after the step that runs; a second one at once.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(exitCode.interrupted);
    process.stderr.write("\nstopping after this step; Ctrl-C again stops at once\n");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  const debug = args.includes("--debug");
  try {
    let code: number = exitCode.ok;
    const command = program(abort.signal);
    addAugment(command, abort.signal, (given) => {
      code = given;
    });
    await command.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // commander has printed its own.
    if (!(error instanceof CommanderError)) {
      const message = error instanceof Error ? (debug ? (error.stack ?? error.message) : error.message) : String(error);
      process.stderr.write(`refadgen: ${message}\n`);
    }
    return exitCodeOf(error, abort.signal.aborted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function program(signal: AbortSignal): Command {
  const command = new Command("refadgen")
    .enablePositionalOptions()
    .description("Advertising images from a product photo and a prompt.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(refadgen generate --help explains every option)");
  command
    .command("generate")
    .description("Put a product into the scene that a prompt describes.")
    .requiredOption("--base <path>", "Stable Diffusion 1.x: a diffusers folder, or a single file (then with --tokenizer)")
    .requiredOption("--checkpoint <file>", "RefAdGen's trained weights, mp_rank_00_model_states.pt")
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
    .option("--preview", "also write OUT/preview.png at every step")
    .option("--force", "make images anew that are there already")
    .option("--json", "one JSON object per event on standard output")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText("after", help)
    .action((options: GenerateSettings) => generate(options, signal));
  return command;
}

const help = `
Example:
  refadgen generate --base Realistic_Vision_V5.1_noVAE --vae sd-vae-ft-mse --image-encoder IP-Adapter/models/image_encoder \\
    --checkpoint mp_rank_00_model_states.pt --product bottle.jpg --prompt "on a wooden table in warm light" --out ads

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
