import { readFile, stat } from "node:fs/promises";
import { type ActivationRanges, ArgumentError, RefAdGenPipeline } from "@refadgen/pipeline";
import { createReporter } from "../progress.js";
import { writeWhole } from "../write-whole.js";
import { maskOf, type PipelineSettings, sourcesOf } from "./pipeline-settings.js";

export interface CalibrateSettings extends PipelineSettings {
  readonly prompt: readonly string[];
  readonly out: string;
  readonly steps?: number;
  readonly seed?: bigint;
  readonly width?: number;
  readonly height?: number;
  readonly force?: boolean;
  readonly quiet?: boolean;
}

/** Makes an image of each prompt in float32 and writes what the convolutions of the generation U-Net saw. */
export async function calibrate(settings: CalibrateSettings, signal: AbortSignal): Promise<void> {
  const { product, prompt, out, steps = 6, seed, width, height, device, runtime, threads, force = false, quiet = false } = settings;
  if (!force && (await stat(out).catch(() => undefined))) throw new ArgumentError(`--out: ${out} is there already; --force replaces it`);
  const reporter = createReporter({ json: false, quiet, stdout: process.stdout, stderr: process.stderr });
  const pipeline = await RefAdGenPipeline.fromPretrained(sourcesOf(settings), {
    ...(device && { device }),
    ...(runtime && { runtime }),
    ...(threads && { threads }),
    onProgress: reporter.loading,
    onDownload: reporter.download,
    signal,
  });
  try {
    let ranges: ActivationRanges = {};
    for (const [index, text] of prompt.entries()) {
      reporter.job(index, prompt.length, { prompt: text });
      const call = { product, prompt: text, steps, signal, onStep: reporter.event, ...maskOf(settings) };
      const given = { seed, width, height };
      ranges = await pipeline.calibrate({ ...call, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }, ranges);
    }
    await writeWhole(out, JSON.stringify(ranges));
  } finally {
    reporter.end();
    await pipeline.dispose();
  }
  process.stdout.write(`${out}\n`);
}

/**
 * What `refadgen calibrate` wrote.
 *
 * @throws ArgumentError
 */
export async function readRanges(path: string): Promise<ActivationRanges> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ArgumentError(`--ranges: ${path} cannot be read`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ArgumentError(`--ranges: ${path} is no JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ArgumentError(`--ranges: ${path} is not what refadgen calibrate writes`);
  const wrong = Object.entries(value).find(([, range]) => !isRange(range));
  if (wrong) throw new ArgumentError(`--ranges: ${path}: expected [least, most] for "${wrong[0]}", got ${JSON.stringify(wrong[1])}`);
  return value as ActivationRanges;
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] <= value[1];
}
