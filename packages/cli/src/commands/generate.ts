import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.js";
import { collect, interval, realNumber, seeds, wholeNumber } from "../option-values.js";
import type { GenerateSettings } from "./generate-images.js";
import { computingOptions, productOptions, sourceOptions } from "./pipeline-settings.js";

/** `refadgen generate`. */
export function generateCommand(program: Command, { signal }: CommandContext): void {
  const command = program.command("generate").description("Put a product into the scene that a prompt describes.");
  computingOptions(productOptions(sourceOptions(command)))
    .option("--prompt <text>", "the scene; may be given more than once", collect)
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
    .option("--decode-tile <px>", "decode large images in tiles of this size", wholeNumber)
    .addOption(new Option("--memory <how>", "load networks one by one, or keep them (default: keep for several prompts)").choices(["low", "keep"]))
    .addOption(new Option("--precision <p>", "of the U-Nets (default: fp32, exact)").choices(["fp32", "bf16", "int8", "fp16"]))
    .option("--ranges <file>", "what refadgen calibrate wrote; with --precision int8, convolutions are in 8 bits too")
    .option("--guidance-interval <least,most>", "guidance only between these timesteps of 0 to 1000; the others cost half", interval)
    .option("--cache-interval <n>", "the whole U-Net at every n-th step only; 2 or 3 are usual", wholeNumber)
    .addOption(new Option("--reference-tokens <which>", "attention sees the whole product picture, or the product only").choices(["all", "product"]))
    .option("--preview [file]", "also write a rough picture at every step (default file: OUT/preview.png)")
    .option("--contact-sheet <file>", "at the end, all images of this call side by side, as PNG")
    .option("--resume", "go on with a call that was stopped: images from other settings in OUT are an error, not company")
    .option("--force", "make images anew that are there already")
    .option("--json", "one JSON object per event on standard output")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText("after", examples)
    .action(async (options: GenerateSettings) => {
      const { generate } = await import("./generate-images.js");
      await generate(options, signal);
    });
}

const examples = `
Examples:
  refadgen generate --base Realistic_Vision_V5.1_noVAE --vae sd-vae-ft-mse --image-encoder IP-Adapter/models/image_encoder \\
    --checkpoint mp_rank_00_model_states.pt --product bottle.jpg --prompt "on a wooden table in warm light" --out ads

  Many prompts, going on where it was stopped, with an overview at the end:
  refadgen generate … --prompts scenes.txt --out ads --resume --contact-sheet ads/overview.png`;
