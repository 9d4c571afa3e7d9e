import { readFile } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";

/** One image, or batch of images, to make. */
export interface Job {
  readonly prompt: string;
  readonly seed?: number | bigint;
  readonly negativePrompt?: string;
}

/**
 * The jobs that `--prompt` and `--prompts` ask for, in order.
 *
 * @throws ArgumentError when there is none, or a line of the file cannot be read; it names the line.
 */
export async function readJobs(prompts: readonly string[], file: string | undefined): Promise<Job[]> {
  const jobs = [...prompts.map((prompt) => ({ prompt })), ...(file === undefined ? [] : await readFileJobs(file))];
  if (jobs.length === 0) throw new ArgumentError("generate: expected --prompt or --prompts, got neither");
  const empty = jobs.findIndex(({ prompt }) => prompt.trim() === "");
  if (empty >= 0) throw new ArgumentError(`generate: prompt ${empty + 1} is empty`);
  return jobs;
}

async function readFileJobs(path: string): Promise<Job[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ArgumentError(`--prompts: ${path} cannot be read`, { cause });
  });
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: line.trim(), place: `${path}:${index + 1}` }));
  const used = lines.filter(({ line }) => line !== "");
  if (path.endsWith(".jsonl")) return used.map(({ line, place }) => parseJob(line, place));
  return used.filter(({ line }) => !line.startsWith("#")).map(({ line }) => ({ prompt: line }));
}

function parseJob(line: string, place: string): Job {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ArgumentError(`${place}: expected a JSON object`, { cause });
  }
  const { prompt, seed, negativePrompt, ...rest } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof prompt !== "string") throw new ArgumentError(`${place}: expected a "prompt", got ${JSON.stringify(prompt)}`);
  if (seed !== undefined && !Number.isSafeInteger(seed))
    throw new ArgumentError(`${place}: expected "seed" to be a whole number, got ${JSON.stringify(seed)}`);
  if (negativePrompt !== undefined && typeof negativePrompt !== "string") throw new ArgumentError(`${place}: expected "negativePrompt" to be a text`);
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw new ArgumentError(`${place}: expected prompt, seed and negativePrompt, got "${unknown.join('", "')}" too`);
  return { prompt, ...(seed !== undefined && { seed: seed as number }), ...(negativePrompt !== undefined && { negativePrompt }) };
}
