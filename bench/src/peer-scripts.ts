import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { benchFolder } from "./checkpoint.js";
import { median } from "./statistics.js";

/** What one run of somebody else's script gave. */
export interface ScriptResult {
  readonly name: string;
  /** The median of the seconds that it printed. */
  readonly seconds: number;
}

/**
 * Runs the scripts of a folder as they are, once each, always at the full size. They load anew and stand alone, not between our own
 * steps, so they only show whether the scripts of this benchmark are as fast as these.
 */
export async function* runPeerScripts(
  folder: string,
  python: string,
): AsyncGenerator<ScriptResult | { readonly name: string; readonly failed: string }> {
  const models = join(benchFolder(), "peer-scripts");
  await mkdir(models, { recursive: true });
  const calls = [
    { name: "diffusers fp32", args: ["torch_step.py", "fp32", "ref"] },
    { name: "diffusers bf16", args: ["torch_step.py", "bf16", "ref"] },
    { name: "OpenVINO bf16", args: ["openvino_step.py", "bf16", "ref", models] },
  ];
  for (const { name, args } of calls) {
    const [script, ...rest] = args as [string, ...string[]];
    if (!existsSync(join(folder, script))) continue;
    try {
      const { stdout } = await promisify(execFile)(python, [join(folder, script), ...rest], { maxBuffer: 1 << 26 });
      const { seconds } = JSON.parse(stdout.trim().split("\n").at(-1)!) as { readonly seconds: readonly number[] };
      yield { name, seconds: median(seconds) };
    } catch (error) {
      yield { name, failed: error instanceof Error ? error.message.slice(-1000) : String(error) };
    }
  }
}
