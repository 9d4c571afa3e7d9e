import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cacheUsage, clearCache } from "@refadgen/graph";
import type { CaseResult, Part } from "../case.js";
import { type Comparison, failure, result } from "../compare.js";
import { openRecording, type Recording } from "../recording.js";
import { clipOpenai, clipTransformers } from "./metrics/clip.js";
import { frechet, kid, precisionRecall } from "./metrics/distances.js";
import { fidFeatures, fidFolders } from "./metrics/fid.js";
import { lpipsDistances } from "./metrics/lpips.js";
import { mpLpipsScore, mpLpipsWhole } from "./metrics/mp-lpips.js";
import { pixelMetrics } from "./metrics/pixels.js";
import { dinoTokens, imageReward } from "./metrics/vision.js";
import { wordPieceTexts } from "./metrics/word-piece.js";
import { metricsPreprocessing } from "./metrics-preprocessing.js";

/** Each check knows the settings of its kind. */
type TensorCheck = (recording: Recording<never>, folder: string) => Promise<Comparison[]>;
type JsonCheck = (body: never, folder: string) => Promise<Comparison[]>;

/** What is done with a `.safetensors` recording of each kind. */
const tensorChecks: Readonly<Record<string, TensorCheck>> = {
  "fid-features": fidFeatures,
  lpips: lpipsDistances,
  "clip-openai": clipOpenai,
  "clip-transformers": clipTransformers,
  dino: dinoTokens,
  "image-reward": imageReward,
  "mp-lpips": mpLpipsWhole,
  "mp-lpips-score": mpLpipsScore,
  frechet,
  kid,
  "precision-recall": precisionRecall,
};

/** What is done with a `.json` recording of each kind. */
const jsonChecks: Readonly<Record<string, JsonCheck>> = {
  wordpiece: wordPieceTexts,
  "pixel-metrics": pixelMetrics,
  "fid-folders": fidFolders,
};

/** Bytes of weights that are left for the next recordings, several of which share a small network. */
const mostKept = 1e9;

/** Networks, distances and preprocessing of the metrics: every recording of the folder, by the kind that it names. */
export const metrics: Part = async function* (folder, options) {
  yield* metricsPreprocessing(folder, options);
  const outer = process.env.REFADGEN_CACHE;
  // Formula weights weigh gigabytes and are of no use to anybody afterwards.
  const cache = await mkdtemp(join(outer ?? tmpdir(), "refadgen-metrics-"));
  process.env.REFADGEN_CACHE = cache;
  try {
    for (const file of (await readdir(folder)).filter((name) => /\.(safetensors|json)$/.test(name)).sort()) {
      const found = await runFile(folder, file);
      if (found) yield found;
      const usage = await cacheUsage({ folder: cache });
      if (usage.reduce((sum, { bytes }) => sum + bytes, 0) > mostKept) await clearCache({ folder: cache });
    }
  } finally {
    await rm(cache, { recursive: true, force: true });
    if (outer === undefined) delete process.env.REFADGEN_CACHE;
    else process.env.REFADGEN_CACHE = outer;
  }
};

async function runFile(folder: string, file: string): Promise<CaseResult | undefined> {
  const stem = basename(file).replace(/\.(safetensors|json)$/, "");
  try {
    if (file.endsWith(".json")) {
      const body = JSON.parse(await readFile(join(folder, file), "utf8")) as { readonly kind?: string };
      return result(stem, await checkOf(jsonChecks, body.kind)(body as never, folder));
    }
    const recording = await openRecording<{ readonly kind?: string }>(join(folder, file));
    // Done above, case by case.
    if (recording.settings.kind === "preprocessing") return undefined;
    return result(stem, await checkOf(tensorChecks, recording.settings.kind)(recording as Recording<never>, folder));
  } catch (error) {
    return failure(stem, error);
  }
}

function checkOf<T>(checks: Readonly<Record<string, T>>, kind: string | undefined): T {
  if (kind === undefined || !Object.hasOwn(checks, kind))
    throw new Error(`expected a kind of ${Object.keys(checks).join(", ")}, got ${String(kind)}`);
  return checks[kind]!;
}
