import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.js";
import type { ConvertSettings } from "./convert-weights.js";

/** `refadgen convert`. */
export function convertCommand(program: Command, { signal }: CommandContext): void {
  program
    .command("convert <in> <out>")
    .description("Write weights of any readable kind into one safetensors file.")
    .addOption(new Option("--dtype <type>", "what floating-point tensors become (default: they stay as they are)").choices(["fp32", "fp16", "bf16"]))
    .option("--only <prefix>", "only keys that begin with this, which is taken off")
    .option("--force", "replace OUT if it is there")
    .option("--quiet", "no progress")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Memory does not grow with the file, and OUT is there whole or not at all.

Examples:
  refadgen convert mp_rank_00_model_states.pt refadgen-fp16.safetensors --dtype fp16
  refadgen convert mp_rank_00_model_states.pt unet.safetensors --only module.unet.`,
    )
    .action(async (from: string, to: string, settings: ConvertSettings) => {
      const { convert } = await import("./convert-weights.js");
      await convert(from, to, settings, signal);
    });
}
