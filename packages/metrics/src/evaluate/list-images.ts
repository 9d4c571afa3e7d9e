import { readdir, stat } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { EvaluationError } from "./error.js";

/** A file of a folder. */
export interface ListedFile {
  /** Relative to the folder, with forward slashes. */
  readonly name: string;
  readonly path: string;
  /** `name` without its extension: what pairs are matched by. */
  readonly stem: string;
}

export interface Listing {
  readonly files: readonly ListedFile[];
  /** Files that are no pictures by their extension. */
  readonly others: readonly string[];
}

/** Extensions that are taken for pictures; the content decides whether they can be read. */
const extensions: ReadonlySet<string> = new Set([".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm"]);

/** Files of the operating system that nobody put there. */
const litter = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

/**
 * The pictures of a folder and its subfolders, by name, in the order of their code units.
 *
 * @param role for messages: what the folder was given as
 * @throws EvaluationError `input` when it is no folder, holds no picture, or has two pictures of one stem
 */
export async function listImages(folder: string, role: string): Promise<Listing> {
  const status = await stat(folder).catch((cause: unknown) => {
    throw new EvaluationError("input", `${role}: there is no folder ${folder}`, { cause });
  });
  if (!status.isDirectory()) throw new EvaluationError("input", `${role}: expected a folder, ${folder} is a file`);
  const names = (await filesBelow(folder)).map((path) => path.split(sep).join(posix.sep)).sort(byCodeUnits);
  const files: ListedFile[] = [];
  const others: string[] = [];
  for (const name of names) {
    const extension = posix.extname(name).toLowerCase();
    if (extensions.has(extension)) files.push({ name, path: join(folder, name), stem: name.slice(0, -extension.length) });
    else others.push(name);
  }
  if (files.length === 0) {
    const found = others.length === 0 ? "it is empty" : `it has ${others.length} other files, such as ${others[0]}`;
    throw new EvaluationError("input", `${role}: there are no pictures in ${folder}: ${found}`);
  }
  expectUniqueStems(files, role, folder);
  return { files, others };
}

function expectUniqueStems(files: readonly ListedFile[], role: string, folder: string): void {
  const first = new Map<string, string>();
  for (const { stem, name } of files) {
    const other = first.get(stem);
    if (other !== undefined) {
      throw new EvaluationError("input", `${role}: ${other} and ${name} in ${folder} have the same stem, so it is not clear which of them to pair`);
    }
    first.set(stem, name);
  }
}

async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const found = await readdir(join(folder, prefix), { withFileTypes: true });
  const below = await Promise.all(
    found
      .filter(({ name }) => !litter.test(name))
      .map(async (entry) => {
        const path = join(prefix, entry.name);
        // Links are followed to files, as datasets are often made of them, and not to folders, which may lead in circles.
        if (entry.isDirectory()) return filesBelow(folder, path);
        return entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, path)))) ? [path] : [];
      }),
  );
  return below.flat();
}

async function leadsToFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? true;
}

/** The order of Python's `sorted`, independent of the locale. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
