import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.js";
import { collect, realNumber, seeds, wholeNumber } from "../option-values.js";
import type { GenerateSettings } from "./generate-images.js";

/** `refadgen generate`. */
export function generateCommand(program: Command, { signal }: CommandContext): void {
  program
    .command("generate")
    .description("Put a product into the scene that a prompt describes.")
    .requiredOption("--base <path>", "Stable Diffusion 1.x: a diffusers folder, a repository of the hub, or a single file (then with --tokenizer)")
    .requiredOption("--checkpoint <file>", "RefAdGen's trained weights, mp_rank_00_model_states.pt; or org/name/path on the hub")
    .option("--vae <path>", "autoencoder, a folder or weight file (default: vae/ of the base)")
    .option("--image-encoder <path>", "CLIP vision tower (default: image_encoder/ of the base)")
    .option("--no-image-encoder", "do without one: the reference sees text states")
    .option("--unet-config <path>", "U-Net config.json (default: unet/ of the base, else Stable Diffusion 1.5's)")
    .requiredOption("--product <picture>", "the product's photo")
    .option("--mask <picture>", "white where the product is (default: from transparency or a plain background)")
    .option("--no-mask", "use none")
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
    .option("--tokenizer <path>", "tokenizer folder or tokenizer.json (default: tokenizer/ of the base)")
    .option("--decode-tile <px>", "decode large images in tiles of this size", wholeNumber)
    .addOption(new Option("--memory <how>", "load networks one by one, or keep them (default: keep for several prompts)").choices(["low", "keep"]))
    .addOption(new Option("--device <name>", "where to compute (default: cpu)").choices(["cpu", "cuda", "webgpu", "dml", "coreml", "tensorrt"]))
    .addOption(new Option("--runtime <name>", "what computes (default: the fastest exact one)").choices(["auto", "onnxruntime", "openvino", "tfjs"]))
    .addOption(new Option("--precision <p>", "of the U-Nets (default: fp32, exact)").choices(["fp32", "bf16", "int8", "fp16"]))
    .option("--threads <n>", "processors to use (default: all)", wholeNumber)
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
