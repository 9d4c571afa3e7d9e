import { randomUUID } from "node:crypto";
import { appendFile, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EvaluationError } from "../evaluate/error.js";

/**
 * Makes sure that files can be written before hours are spent on what goes into them: folders are made, and a file is made in each and removed.
 *
 * @throws EvaluationError `unwritable`
 */
export async function expectWritable(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      throw new EvaluationError("unwritable", `${path} is a folder; give the name of a file in it`);
    const folder = dirname(path);
    const probe = join(folder, `.refadgen-metrics-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      await (await open(probe, "wx")).close();
      await rm(probe);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EvaluationError(
        "unwritable",
        `${path} cannot be written (${reason}); nothing was measured. Give another place, or make the folder writable`,
        {
          cause,
        },
      );
    }
  }
}

/** Writes a file that is there whole or not at all. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.partial`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (cause) {
    throw new EvaluationError("unwritable", `${path} cannot be written (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Adds to the summary of the step of a GitHub workflow. */
export async function appendToStepSummary(path: string, content: string): Promise<void> {
  await appendFile(path, `${content}\n`);
}
