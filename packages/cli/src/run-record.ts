import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";

const fileName = ".refadgen-run.json";

/**
 * Notes in the folder of the images what they are made with; with `resume`, compares it with what was noted.
 *
 * @throws ArgumentError when there is nothing to resume, or settings differ; it names each with both values
 */
export async function checkRun(folder: string, settings: Readonly<Record<string, unknown>>, { resume }: { readonly resume: boolean }): Promise<void> {
  const path = join(folder, fileName);
  const text = JSON.stringify(settings, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value), 2);
  if (resume) {
    const before = await readFile(path, "utf8").catch(() => undefined);
    if (before === undefined)
      throw new ArgumentError(`generate: --resume expected images of an earlier run in ${folder}, there are none; leave --resume out to begin`);
    const differences = compare(parsed(before, path), parsed(text, path));
    if (differences.length > 0) {
      throw new ArgumentError(
        `generate: --resume expected the settings of the run in ${folder}: ${differences.join("; ")}. Give the same ones, or another --out`,
      );
    }
    return;
  }
  const temporary = `${path}.${process.pid}.partial`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

function parsed(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new ArgumentError(`generate: ${path} is not JSON; leave --resume out to begin anew`, { cause });
  }
}

function compare(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const tell = (value: unknown) => (value === undefined ? "the default" : JSON.stringify(value));
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => `${name} was ${tell(before[name])}, now it is ${tell(now[name])}`);
}
