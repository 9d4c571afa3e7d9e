import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CaseResult, Part } from "../case.js";
import { type Comparison, failure, result } from "../compare.js";
import { openRecording, type Recording } from "../recording.js";
import { fidFeatures } from "./metrics/fid.js";
import { lpipsDistances } from "./metrics/lpips.js";
import { metricsPreprocessing } from "./metrics-preprocessing.js";

/** Each check knows the settings of its kind. */
type Check = (recording: Recording<never>, folder: string) => Promise<Comparison[]>;

/** What is done with a recording of each kind. */
const checks: Readonly<Record<string, Check>> = {
  "fid-features": fidFeatures,
  lpips: lpipsDistances,
};

/** Networks, distances and preprocessing of the metrics: every recording of the folder, by the kind that its settings name. */
export const metrics: Part = async function* (folder, options) {
  yield* metricsPreprocessing(folder, options);
  for (const file of (await readdir(folder)).filter((name) => /\.(safetensors|json)$/.test(name)).sort()) {
    const found = await runFile(folder, file);
    if (found) yield found;
  }
};

async function runFile(folder: string, file: string): Promise<CaseResult | undefined> {
  const stem = basename(file).replace(/\.(safetensors|json)$/, "");
  try {
    const recording = await openRecording<{ readonly kind?: string }>(join(folder, file));
    const { kind } = recording.settings;
    if (kind === "preprocessing") return undefined;
    const check = kind === undefined || !Object.hasOwn(checks, kind) ? undefined : checks[kind];
    if (!check) return failure(stem, `expected a kind of ${Object.keys(checks).join(", ")}, got ${String(kind)}`);
    return result(stem, await check(recording as Recording<never>, folder));
  } catch (error) {
    return failure(stem, error);
  }
}
