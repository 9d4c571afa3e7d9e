import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { ArgumentError } from "@refadgen/errors";

/** A product photo found in a folder. */
export interface ProductFile {
  /** Path below the folder, `/` between its parts, without extension: names the product and its outputs. */
  readonly id: string;
  readonly image: string;
  /** Beside it as NAME_mask.EXT, or of the same name in the folder of masks. */
  readonly mask?: string;
}

/** What lies in a folder. */
export interface FoundProducts {
  readonly products: readonly ProductFile[];
  /** Files that cannot be told apart from another one by their names, each with what is wrong. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

const extensions = new Set([".png", ".jpg", ".jpeg", ".webp", ".avif"]);

/**
 * All pictures below a folder, in the order of their names; hidden files and the folder of outputs are left out.
 *
 * @param options.masks a folder of masks laid out as the pictures are
 * @param options.out not looked into
 * @throws ArgumentError if `folder` or `masks` is no folder
 */
export async function findProducts(folder: string, { masks, out }: { readonly masks?: string; readonly out?: string } = {}): Promise<FoundProducts> {
  for (const place of masks === undefined ? [folder] : [folder, masks]) {
    const status = await stat(place).catch(() => undefined);
    if (!status?.isDirectory()) throw new ArgumentError(`findProducts: expected a folder, got ${status ? "a file" : "nothing"} at ${place}`);
  }
  const outside = new Set<string>();
  for (const place of [out, masks]) if (place !== undefined) outside.add(await realpath(place).catch(() => place));
  const pictures = await picturesBelow(folder, outside);
  const maskFiles = masks === undefined ? pictures.filter((path) => /_mask$/i.test(withoutExtension(path))) : await picturesBelow(masks, new Set());
  const maskOf = new Map<string, string>();
  for (const path of maskFiles) {
    const id = idOf(masks ?? folder, path);
    maskOf.set(masks === undefined ? id.replace(/_mask$/i, "") : id, path);
    if (masks !== undefined) maskOf.set(id.replace(/_mask$/i, ""), path);
  }
  const isMask = new Set(masks === undefined ? maskFiles : []);
  const products: ProductFile[] = [];
  const refused: { id: string; reason: string }[] = [];
  const seen = new Map<string, string>();
  for (const image of pictures) {
    if (isMask.has(image)) continue;
    const id = idOf(folder, image);
    // Outputs of both would have one name; on some systems also where only capitals differ.
    const other = seen.get(id.toLowerCase());
    if (other !== undefined) {
      refused.push({
        id: relative(folder, image),
        reason: `expected one picture of a name, got ${relative(folder, other)} and ${relative(folder, image)}`,
      });
      continue;
    }
    seen.set(id.toLowerCase(), image);
    const mask = maskOf.get(id);
    products.push({ id, image, ...(mask !== undefined && { mask }) });
  }
  return { products, refused };
}

async function picturesBelow(folder: string, outside: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  const visit = async (place: string, depth: number): Promise<void> => {
    if (depth > 64) throw new ArgumentError(`findProducts: expected at most 64 folders inside each other, got more at ${place}`);
    const entries = await readdir(place);
    for (const name of entries.sort((a, b) => (a < b ? -1 : 1))) {
      if (name.startsWith(".")) continue;
      const path = join(place, name);
      const status = await lstat(path);
      if (status.isDirectory()) {
        if (!outside.has(await realpath(path))) await visit(path, depth + 1);
      } else if (extensions.has(extname(name).toLowerCase())) found.push(path);
    }
  };
  await visit(folder, 0);
  return found;
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

function idOf(folder: string, path: string): string {
  return withoutExtension(relative(folder, path)).split(sep).join("/");
}
