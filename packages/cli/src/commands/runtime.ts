import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.js";

/** `refadgen runtime install` and `refadgen runtime ls`. */
export function runtimeCommand(program: Command, { signal }: CommandContext): void {
  const runtime = program.command("runtime").description("What networks run on: install or list.");
  runtime
    .command("install")
    .description("Put OpenVINO's libraries into the cache; nothing is installed into Python.")
    .argument("<name>", "openvino")
    .argument("[wheel]", "a wheel file of openvino (default: the pinned version, fetched with pip download)")
    .addOption(new Option("--sha256 <hex>", "what the wheel's digest must be (default: the pinned version's)"))
    .addHelpText(
      "after",
      "\nExample:\n  refadgen runtime install openvino\n  refadgen generate … --runtime openvino\n\nIt is called through the package koffi: npm install koffi",
    )
    .action(async (name: string, wheel: string | undefined, { sha256 }: { readonly sha256?: string }) => {
      if (name !== "openvino") runtime.error(`error: expected openvino, got "${name}"; the other runtimes are npm packages`);
      const { installOpenVino } = await import("@refadgen/graph/openvino");
      const folder = await installOpenVino({
        signal,
        onProgress: (message) => process.stderr.write(`${message}\n`),
        ...(wheel !== undefined && { wheel }),
        ...(sha256 !== undefined && { sha256 }),
      });
      process.stdout.write(`${folder}\n`);
    });
  runtime
    .command("ls")
    .description("List the runtimes that can be used here.")
    .action(async () => {
      const { listRuntimes } = await import("./runtime-list.js");
      process.stdout.write(`${(await listRuntimes()).join("\n")}\n`);
    });
}
