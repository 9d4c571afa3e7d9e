import type { Command } from "commander";
import type { CommandContext } from "../command-context.js";
import { collect, seeds, wholeNumber } from "../option-values.js";
import type { CalibrateSettings } from "./calibrate-ranges.js";
import { computingOptions, productOptions, sourceOptions } from "./pipeline-settings.js";

/** `refadgen calibrate`. */
export function calibrateCommand(program: Command, { signal }: CommandContext): void {
  const command = program.command("calibrate").description("Find what the U-Net's convolutions see, for generate --precision int8 --ranges.");
  computingOptions(productOptions(sourceOptions(command)))
    .requiredOption("--prompt <text>", "a scene of the kind to be made; may be given more than once", collect)
    .requiredOption("--out <file>", "where the ranges go, as JSON")
    .option("--steps <n>", "spread over the timesteps (default: 6)", wholeNumber)
    .option("--seed <n>", "of the images that are made on the way (default: 42)", seeds)
    .option("--width <px>", "multiple of 8", wholeNumber)
    .option("--height <px>", "multiple of 8", wholeNumber)
    .option("--force", "replace a file that is there")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText("after", examples)
    .action(async (settings: CalibrateSettings) => (await import("./calibrate-ranges.js")).calibrate(settings, signal));
}

const examples = `
Once per checkpoint; a few prompts of the kind to be made are enough. Ranges of several --prompt are joined.

Example:
  refadgen calibrate --base Realistic_Vision_V5.1_noVAE --vae sd-vae-ft-mse --image-encoder IP-Adapter/models/image_encoder \\
    --checkpoint mp_rank_00_model_states.pt --product bottle.jpg --prompt "on a wooden table" --prompt "on a beach" --out ranges.json
  refadgen generate … --precision int8 --ranges ranges.json`;
