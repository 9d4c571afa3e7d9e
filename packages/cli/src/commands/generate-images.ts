import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeImage, saveImage } from "@refadgen/image";
import { ArgumentError, type GenerateOptions, type PipelineOptions, published, RefAdGenPipeline } from "@refadgen/pipeline";
import { contactSheet } from "../contact-sheet.js";
import { createReporter, type Reporter } from "../progress.js";
import { type Job, readJobs } from "../prompts.js";
import { writeWhole } from "../write-whole.js";
import { readRanges } from "./calibrate-ranges.js";
import { maskOf, type PipelineSettings, sourcesOf } from "./pipeline-settings.js";

/** The options of `refadgen generate`, as commander gives them. */
export interface GenerateSettings
  extends PipelineSettings,
    Omit<GenerateOptions, "product" | "mask" | "prompt" | "signal" | "onStep" | "onTensor" | "negativePrompt"> {
  readonly prompt?: readonly string[];
  readonly prompts?: string;
  readonly negativePrompt?: string;
  readonly out: string;
  readonly memory?: "low" | "keep";
  readonly precision?: NonNullable<PipelineOptions["precision"]>;
  /** A file of `refadgen calibrate`. */
  readonly ranges?: string;
  /** A file; `true`: `preview.png` in `out`. */
  readonly preview?: string | true;
  readonly contactSheet?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * Makes the images of all prompts and writes each with a `.json` of its settings. What is there already, from the same settings, is
 * skipped, so a command that was stopped goes on where it was.
 */
export async function generate(settings: GenerateSettings, signal: AbortSignal): Promise<void> {
  const jobs = await readJobs(settings.prompt ?? [], settings.prompts);
  if (settings.ranges !== undefined && settings.precision !== "int8") throw new ArgumentError("--ranges: they are for --precision int8");
  const ranges = settings.ranges === undefined ? undefined : await readRanges(settings.ranges);
  const reporter = createReporter({ json: settings.json ?? false, quiet: settings.quiet ?? false, stdout: process.stdout, stderr: process.stderr });
  const pipeline = await RefAdGenPipeline.fromPretrained(sourcesOf(settings), {
    memory: settings.memory ?? (jobs.length > 1 ? "keep" : "low"),
    ...(settings.device && { device: settings.device }),
    ...(settings.runtime && { runtime: settings.runtime }),
    ...(settings.precision && { precision: settings.precision }),
    ...(ranges && { ranges }),
    ...(settings.threads && { threads: settings.threads }),
    onProgress: reporter.loading,
    onDownload: reporter.download,
    signal,
  });
  try {
    await mkdir(settings.out, { recursive: true });
    if (settings.resume) for (const job of jobs) await expectSameSettings(settings, job);
    const made: MadeImage[] = [];
    for (const [index, job] of jobs.entries()) {
      reporter.job(index, jobs.length, job);
      made.push(...(await runJob(pipeline, settings, job, reporter, signal)));
    }
    if (settings.contactSheet !== undefined) await writeContactSheet(settings.contactSheet, made);
  } finally {
    reporter.end();
    await pipeline.dispose();
  }
}

interface MadeImage {
  readonly path: string;
  readonly prompt: string;
}

async function runJob(
  pipeline: RefAdGenPipeline,
  settings: GenerateSettings,
  job: Job,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<MadeImage[]> {
  const options = generateOptions(settings, job);
  const record = recordOf(settings, options);
  const files = fileNames(settings, job, options, record);
  const made = files.map((file) => ({ path: `${file}.png`, prompt: job.prompt }));
  const preview = settings.preview === true ? join(settings.out, "preview.png") : settings.preview;
  if (!settings.force && (await Promise.all(files.map((file) => isDone(file, record)))).every(Boolean)) {
    for (const file of files) reporter.file(`${file}.png`, "skipped");
    return made;
  }
  for await (const event of pipeline.stream({ ...options, signal })) {
    reporter.event(event);
    if (event.type === "step" && preview !== undefined) await saveImage(event.preview(), preview);
    if (event.type === "image") {
      const file = files[event.index]!;
      await saveImage(event.image, `${file}.png`);
      await writeWhole(`${file}.json`, record);
      reporter.file(`${file}.png`, "written");
    }
  }
  return made;
}

/** The settings of an image, as they are kept beside it. */
function recordOf(settings: GenerateSettings, options: GenerateOptions): string {
  const { precision, ranges } = settings;
  return JSON.stringify(
    {
      ...options,
      ...sourcesOf(settings),
      ...(precision !== undefined && precision !== "fp32" && { precision }),
      ...(ranges !== undefined && { ranges }),
    },
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
    2,
  );
}

/** Throws when images of the same prompt and seed are in the folder that other settings made: a call that goes on must be the same call. */
async function expectSameSettings(settings: GenerateSettings, job: Job): Promise<void> {
  const own = recordOf(settings, generateOptions(settings, job));
  const wanted = JSON.parse(own) as Record<string, unknown>;
  for (const name of await readdir(settings.out)) {
    if (!name.endsWith(".json")) continue;
    const text = await readFile(join(settings.out, name), "utf8");
    const found = parsed(text);
    if (text === own || found?.prompt !== wanted.prompt || String(found?.seed) !== String(wanted.seed)) continue;
    const differing = [...new Set([...Object.keys(wanted), ...Object.keys(found!)])].filter(
      (key) => JSON.stringify(wanted[key]) !== JSON.stringify(found![key]),
    );
    const changes = differing.map(
      (key) => `${key} was ${JSON.stringify(found![key]) ?? "not given"}, is ${JSON.stringify(wanted[key]) ?? "not given"}`,
    );
    throw new ArgumentError(
      `--resume: ${join(settings.out, name)} was made with other settings: ${changes.join("; ")}. Use the same settings, another --out, or leave --resume out to keep both`,
    );
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function writeContactSheet(path: string, made: readonly MadeImage[]): Promise<void> {
  const panels = await Promise.all(
    made.map(async ({ path: file, prompt }) => ({ image: await decodeImage(file), title: basename(file, ".png"), caption: prompt })),
  );
  await writeWhole(path, await contactSheet(`${made.length} ${made.length === 1 ? "image" : "images"}`, "", panels));
}

function generateOptions(settings: GenerateSettings, job: Job): GenerateOptions {
  const { product, steps, guidanceScale, referenceScale, imagesPerPrompt, width, height, sampler, productEncoding, decodeTile } = settings;
  const { guidanceInterval, cacheInterval, referenceTokens } = settings;
  const negativePrompt = job.negativePrompt ?? settings.negativePrompt;
  const given = {
    ...{ steps, guidanceScale, referenceScale, imagesPerPrompt, width, height, sampler, productEncoding, decodeTile, negativePrompt },
    ...{ guidanceInterval, cacheInterval, referenceTokens },
  };
  return {
    product,
    ...maskOf(settings),
    prompt: job.prompt,
    seed: job.seed ?? settings.seed ?? published.seed,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<GenerateOptions>),
  };
}

/** `OUT/prompt-in-words-SEED-DIGEST[-i]`, without extension: the digest keeps other settings from taking the same name. */
function fileNames({ out }: GenerateSettings, { prompt }: Job, options: GenerateOptions, record: string): string[] {
  const slug = prompt
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  const digest = createHash("sha256").update(record).digest("hex").slice(0, 6);
  const count = options.imagesPerPrompt ?? 1;
  const seed = (index: number) => (Array.isArray(options.seed) ? (options.seed as readonly (number | bigint)[])[index] : options.seed);
  return Array.from({ length: count }, (_, index) =>
    join(out, `${slug === "" ? "image" : slug}-${seed(index)}-${digest}${count > 1 ? `-${index + 1}` : ""}`),
  );
}

/** The settings are written after the picture, so one that has them is whole. */
async function isDone(file: string, record: string): Promise<boolean> {
  return (await readFile(`${file}.json`, "utf8").catch(() => undefined)) === record;
}
