import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { DatasetError } from "../error.js";
import type { RunConfig } from "./run-config.js";
import { configSchema } from "./schema.js";
import { validate } from "./validate.js";

/**
 * Reads a run's config from its JSON file. Paths in it are relative to the file, and absolute in what is returned.
 *
 * @throws DatasetError `invalid-config` for a file that is missing, no JSON, or says something that is not known: every problem, with its place
 */
export async function readConfig(path: string): Promise<RunConfig> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    const missing = Reflect.get(Object(error), "code") === "ENOENT";
    throw new DatasetError(
      "invalid-config",
      missing ? `there is no config ${path}; refadgen dataset init writes one` : `cannot read the config ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw new DatasetError("invalid-config", `${path} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  return parseConfig(value, { folder: dirname(resolve(path)), name: basename(path) });
}

export interface ParseConfigOptions {
  /** What paths are relative to. */
  readonly folder: string;
  /** Said in errors. Default "config". */
  readonly name?: string;
}

/** @throws DatasetError `invalid-config`, with every problem */
export function parseConfig(value: unknown, { folder, name = "config" }: ParseConfigOptions): RunConfig {
  const problems = validate(value, configSchema);
  if (problems.length > 0) {
    const shown = problems.slice(0, 8).map(({ path, message }) => `${path === "" ? "" : `${path}: `}${message}`);
    const more = problems.length > shown.length ? ` (and ${problems.length - shown.length} more)` : "";
    throw new DatasetError("invalid-config", `${name}: ${shown.join("; ")}${more}`);
  }
  const { $schema: _, ...config } = value as RunConfig & { readonly $schema?: string };
  const names = config.sources.map((source) => source.name).filter((given) => given !== undefined);
  const twice = names.find((given, index) => names.indexOf(given) < index);
  if (twice !== undefined) throw new DatasetError("invalid-config", `${name}: sources: expected each name once, got ${JSON.stringify(twice)} twice`);
  for (const [index, { least, most, score }] of (config.filter?.thresholds ?? []).entries()) {
    if (least === undefined && most === undefined)
      throw new DatasetError("invalid-config", `${name}: filter.thresholds[${index}]: expected least or most for ${score}, got neither`);
    if (least !== undefined && most !== undefined && least > most)
      throw new DatasetError(
        "invalid-config",
        `${name}: filter.thresholds[${index}]: expected least of ${score} to be at most ${most}, got ${least}`,
      );
  }
  return {
    ...config,
    output: resolve(folder, config.output),
    ...(config.taxonomy !== undefined && { taxonomy: resolve(folder, config.taxonomy) }),
    sources: config.sources.map((source) => ({ ...source, path: /^https?:/i.test(source.path) ? source.path : resolve(folder, source.path) })),
  };
}
