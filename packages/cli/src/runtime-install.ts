import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SessionError } from "@refadgen/graph";
import { findOpenVino, installed, installOpenVino, loadOpenVino } from "@refadgen/graph/openvino";
import { type Command, Option } from "commander";

/** `refadgen runtime install` and `refadgen runtime ls`. */
export function addRuntimeCommands(program: Command, signal: AbortSignal): void {
  const runtime = program.command("runtime").description("What networks run on: install or list.").showHelpAfterError();
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
    .action(async () => void process.stdout.write(`${(await listRuntimes()).join("\n")}\n`));
}

async function listRuntimes(): Promise<string[]> {
  const lines = ["onnxruntime  installed with refadgen"];
  try {
    const { folder, found } = await findOpenVino();
    const api = await loadOpenVino();
    lines.push(`openvino     ${api.version}, from ${found}: ${folder}`);
    lines.push(`             ${api.property("FULL_DEVICE_NAME").trim()}, computes in ${api.property("OPTIMIZATION_CAPABILITIES")}`);
  } catch (error) {
    if (!SessionError.isInstance(error)) throw error;
    lines.push(`openvino     cannot be used: ${error.message}`);
  }
  for (const folder of await installed()) lines.push(`             in the cache: ${folder}, ${((await folderBytes(folder)) / 1e6).toFixed(0)} MB`);
  return lines;
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
