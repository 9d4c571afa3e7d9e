import { readdir, stat } from "node:fs/promises";
import { extname, join, posix, sep } from "node:path";
import { ArgumentError } from "@refadgen/errors";

/**
 * Which files of a folder are pictures:
 * - `pytorch-fid`: bmp, jpg, jpeg, pgm, png, ppm, tif, tiff, webp in lower case, of the folder itself;
 * - `clean-fid`: those, npy, and JPEG, JPG, PNG in upper case, of subfolders as well; hidden files and folders do not count;
 * - `torch-fidelity`: png, jpg, jpeg in any case, of the folder itself;
 * - `all`: every one of these extensions in any case, with avif and gif, of subfolders as well; hidden files do not count.
 */
export type FileListing = "pytorch-fid" | "clean-fid" | "torch-fidelity" | "all";

export interface ListOptions {
  /** Default `all`. */
  readonly listing?: FileListing;
  /** Also look in subfolders. Default: as `listing` says. */
  readonly recursive?: boolean;
}

interface Rule {
  readonly extensions: ReadonlySet<string>;
  readonly anyCase: boolean;
  readonly recursive: boolean;
  readonly hidden: boolean;
}

const plain = ["bmp", "jpg", "jpeg", "pgm", "png", "ppm", "tif", "tiff", "webp"];

const rules: Readonly<Record<FileListing, Rule>> = {
  "pytorch-fid": { extensions: new Set(plain), anyCase: false, recursive: false, hidden: true },
  "clean-fid": { extensions: new Set([...plain, "npy", "JPEG", "JPG", "PNG"]), anyCase: false, recursive: true, hidden: false },
  "torch-fidelity": { extensions: new Set(["png", "jpg", "jpeg"]), anyCase: true, recursive: false, hidden: true },
  all: { extensions: new Set([...plain, "npy", "avif", "gif"]), anyCase: true, recursive: true, hidden: false },
};

/**
 * The pictures of a folder, sorted as Python sorts their paths. Links to files count, links to folders are not followed.
 *
 * @returns paths relative to the folder, with forward slashes
 * @throws ArgumentError when there is no such folder
 */
export async function listFolder(folder: string, { listing = "all", recursive }: ListOptions = {}): Promise<readonly string[]> {
  if (!Object.hasOwn(rules, listing)) throw new ArgumentError(`listFolder: expected listing ${Object.keys(rules).join(", ")}, got "${listing}"`);
  const status = await stat(folder).catch(() => undefined);
  if (!status?.isDirectory()) throw new ArgumentError(`listFolder: expected a folder, ${status ? "that is a file" : "there is none"}: ${folder}`);
  const rule = rules[listing];
  const found: string[] = [];
  await collect(folder, "", { ...rule, recursive: recursive ?? rule.recursive }, found);
  return found.map((path) => path.split(sep).join(posix.sep)).sort(byCodePoints);
}

/** Whether a name is that of a picture under a listing's rules. */
export function isListed(name: string, listing: FileListing): boolean {
  return fits(name, rules[listing]);
}

async function collect(folder: string, prefix: string, rule: Rule, found: string[]): Promise<void> {
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    if (!rule.hidden && entry.name.startsWith(".")) continue;
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) {
      if (rule.recursive) await collect(folder, path, rule, found);
    } else if (fits(entry.name, rule) && (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(join(folder, path)))))) {
      found.push(path);
    }
  }
}

function fits(name: string, { extensions, anyCase }: Rule): boolean {
  const extension = extname(name).slice(1);
  return extensions.has(anyCase ? extension.toLowerCase() : extension);
}

/** A link that leads nowhere counts: reading it says so. */
async function leadsToFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? true;
}

/** The order of Python's `sorted`: that of UTF-8. */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
