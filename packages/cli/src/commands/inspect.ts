import type { Command } from "commander";
import type { CommandContext } from "../command-context.js";

/** `refadgen inspect`. */
export function inspectCommand(program: Command, { signal }: CommandContext): void {
  program
    .command("inspect <path>")
    .description("Look into a weight file, or all weights of a folder: tensors, types, which known model, what is missing.")
    .option("--all", "list every tensor")
    .option("--json", "one JSON object on standard output")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Reads safetensors, PyTorch files (nothing in them is executed), TorchScript and NumPy archives; headers only.

Examples:
  refadgen inspect mp_rank_00_model_states.pt
  refadgen inspect stable-diffusion-v1-5 --json`,
    )
    .action(async (path: string, { all, json }: { readonly all?: boolean; readonly json?: boolean }) => {
      const [{ inspect }, { inspectionJson, inspectionText }] = await Promise.all([import("../inspect/inspect.js"), import("../inspect/report.js")]);
      const found = await inspect(path, { signal });
      process.stdout.write(`${json ? JSON.stringify(inspectionJson(found), null, 2) : inspectionText(found, { all: all ?? false })}\n`);
    });
}
