// npm run bench: see usage in arguments.ts and the README.
import { rename, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { ArgumentError } from "@refadgen/errors";
import { type BenchOptions, readArguments, usage } from "./arguments.js";
import { benchCheckpoint } from "./checkpoint.js";
import { runChild } from "./child.js";
import { measureGpu } from "./gpu-part.js";
import type { ImageFigures, ImageInput } from "./image-child.js";
import { measureLoad } from "./load-part.js";
import { runPeerScripts, type ScriptResult } from "./peer-scripts.js";
import { type BenchFigures, report, targets } from "./report.js";
import { measureSavings } from "./savings-part.js";
import { measureStep } from "./step-part.js";

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measure({ settings, only, python, peerScripts, threads, contestants }: BenchOptions): Promise<BenchFigures> {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    processors: availableParallelism(),
    threads,
    "memory, GB": (totalmem() / 1e9).toFixed(1),
    system: `${platform()} ${release()}`,
    node: process.version,
  };
  const sources = await benchCheckpoint(settings, log);
  const withPeers = only.has("peers") && python !== undefined;
  if (only.has("peers") && python === undefined) log("peers left out: pass --python PATH");

  // Without "step" the peers would have nothing to be compared with, so either runs both.
  const step =
    only.has("step") || withPeers
      ? await measureStep(sources, { settings, threads, python: withPeers ? python : undefined, contestants, log })
      : undefined;
  const scripts: ScriptResult[] = [];
  if (withPeers && peerScripts !== undefined) {
    for await (const result of runPeerScripts(peerScripts, python)) {
      if ("failed" in result) log(`warning: ${peerScripts}, ${result.name}: ${result.failed}`);
      else scripts.push(result);
    }
  }
  const load = only.has("load") ? await measureLoad({ sources, settings, threads }, log) : undefined;
  if (only.has("image")) log(`image: ${settings.steps} steps at ${settings.width} × ${settings.height}`);
  const image = only.has("image") ? await runChild<ImageFigures>("./image-child.js", { sources, settings, threads } satisfies ImageInput) : undefined;
  const savings = only.has("savings") ? await measureSavings(sources, { settings, threads, log }) : undefined;
  const gpu = only.has("gpu") ? await measureGpu(sources, { settings, threads, log }) : undefined;
  return {
    machine,
    ...(savings && { savings }),
    ...(gpu && { gpu }),
    settings: settings.name,
    ...(step && { step }),
    ...(scripts.length > 0 && { scripts }),
    ...(load && { load }),
    ...(image && { image }),
  };
}

async function writeJson(path: string, value: unknown): Promise<void> {
  const draft = `${path}.${process.pid}.partial`;
  await writeFile(draft, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(draft, path);
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options === "help") console.log(usage);
  else {
    const figures = await measure(options);
    console.log(report(figures));
    if (options.json !== undefined) await writeJson(options.json, { ...figures, targets: targets(figures) });
  }
} catch (error) {
  log(ArgumentError.isInstance(error) ? `${error.message}\n${usage}` : String(error instanceof Error ? error.stack : error));
  process.exitCode = ArgumentError.isInstance(error) ? 2 : 1;
}
