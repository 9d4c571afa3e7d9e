import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { loadImage, saveImage } from "@refadgen/image";
import { type GenerateOptions, type PipelineOptions, type PipelineSources, published, RefAdGenPipeline } from "@refadgen/pipeline";
import { contactSheet, type Panel } from "./contact-sheet.js";
import { createReporter, type Reporter } from "./progress.js";
import { type Job, readJobs } from "./prompts.js";
import { checkRun } from "./run-record.js";

/** The options of `refadgen generate`, as commander gives them. */
export interface GenerateSettings extends Omit<GenerateOptions, "product" | "mask" | "prompt" | "signal" | "onStep" | "onTensor" | "negativePrompt"> {
  readonly base: string;
  readonly checkpoint: string;
  readonly vae?: string;
  /** `false`: none. */
  readonly imageEncoder?: string | false;
  readonly unetConfig?: string;
  readonly tokenizer?: string;
  readonly product: string;
  /** `false`: none. */
  readonly mask?: string | false;
  readonly prompt: readonly string[];
  readonly prompts?: string;
  readonly negativePrompt?: string;
  readonly out: string;
  readonly memory?: "low" | "keep";
  readonly device?: NonNullable<PipelineOptions["device"]>;
  readonly threads?: number;
  /** Where the rough picture goes; `true`: into the folder of the images. */
  readonly preview?: boolean | string;
  readonly contactSheet?: boolean | string;
  readonly resume?: boolean;
  readonly offline?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * Makes the images of all prompts and writes each with a `.json` of its settings. What is there already, from the same settings, is
 * skipped, so a command that was stopped goes on where it was.
 */
export async function generate(settings: GenerateSettings, signal: AbortSignal): Promise<void> {
  const jobs = await readJobs(settings.prompt, settings.prompts);
  const reporter = createReporter({ json: settings.json ?? false, quiet: settings.quiet ?? false, stdout: process.stdout, stderr: process.stderr });
  await mkdir(settings.out, { recursive: true });
  await checkRun(settings.out, runSettings(settings), { resume: settings.resume ?? false });
  const pipeline = await RefAdGenPipeline.fromPretrained(sources(settings), {
    memory: settings.memory ?? (jobs.length > 1 ? "keep" : "low"),
    ...(settings.device && { device: settings.device }),
    ...(settings.threads && { threads: settings.threads }),
    ...(settings.offline && { hub: { offline: true } }),
    onProgress: reporter.loading,
    onDownload: reporter.download,
    signal,
  });
  try {
    const made: Panel[] = [];
    for (const [index, job] of jobs.entries()) {
      reporter.job(index, jobs.length, job);
      const files = await runJob(pipeline, settings, job, reporter, signal);
      if (settings.contactSheet)
        for (const file of files) made.push({ image: await loadImage(`${file}.png`), title: basename(file), caption: job.prompt });
    }
    if (settings.contactSheet && made.length > 0) {
      const path = settings.contactSheet === true ? join(settings.out, "contact-sheet.png") : settings.contactSheet;
      await writeWhole(path, await contactSheet(basename(settings.product), `${made.length} images`, made, { columns: 4 }));
      reporter.file(path, "written");
    }
  } finally {
    reporter.end();
    await pipeline.dispose();
  }
}

async function runJob(pipeline: RefAdGenPipeline, settings: GenerateSettings, job: Job, reporter: Reporter, signal: AbortSignal): Promise<string[]> {
  const options = generateOptions(settings, job);
  const record = JSON.stringify({ ...options, ...sources(settings) }, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value), 2);
  const files = fileNames(settings, job, options, record);
  if (!settings.force && (await Promise.all(files.map((file) => isDone(file, record)))).every(Boolean)) {
    for (const file of files) reporter.file(`${file}.png`, "skipped");
    return files;
  }
  const preview = settings.preview === true ? join(settings.out, "preview.png") : settings.preview;
  for await (const event of pipeline.stream({ ...options, signal })) {
    reporter.event(event);
    if (event.type === "step" && preview) await saveImage(event.preview(), preview);
    if (event.type === "image") {
      const file = files[event.index]!;
      await saveImage(event.image, `${file}.png`);
      await writeWhole(`${file}.json`, record);
      reporter.file(`${file}.png`, "written");
    }
  }
  return files;
}

function generateOptions(settings: GenerateSettings, job: Job): GenerateOptions {
  const { product, steps, guidanceScale, referenceScale, imagesPerPrompt, width, height, sampler, productEncoding, decodeTile } = settings;
  const negativePrompt = job.negativePrompt ?? settings.negativePrompt;
  const given = { steps, guidanceScale, referenceScale, imagesPerPrompt, width, height, sampler, productEncoding, decodeTile, negativePrompt };
  return {
    product,
    ...(settings.mask === false ? { mask: null } : settings.mask !== undefined && { mask: settings.mask }),
    prompt: job.prompt,
    seed: job.seed ?? settings.seed ?? published.seed,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<GenerateOptions>),
  };
}

/** What makes images what they are, but for the prompts: a run may be resumed with more of them. */
function runSettings(settings: GenerateSettings): Readonly<Record<string, unknown>> {
  const { prompt: _, ...options } = generateOptions(settings, { prompt: "" });
  return { ...options, ...sources(settings) };
}

function sources(settings: GenerateSettings): PipelineSources {
  const { base, checkpoint, vae, imageEncoder, unetConfig, tokenizer } = settings;
  return {
    base,
    checkpoint,
    ...(vae !== undefined && { vae }),
    ...(imageEncoder === false ? { imageEncoder: null } : imageEncoder !== undefined && { imageEncoder }),
    ...(unetConfig !== undefined && { unetConfig }),
    ...(tokenizer !== undefined && { tokenizer }),
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
  const picture = await stat(`${file}.png`).catch(() => undefined);
  return picture !== undefined && picture.size > 0 && (await readFile(`${file}.json`, "utf8").catch(() => undefined)) === record;
}

async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
