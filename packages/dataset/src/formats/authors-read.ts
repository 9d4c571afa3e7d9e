import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { authorsDetails, authorsFolders } from "./authors-write.js";
import { extra, json, object, split as splitField, text, texts, variantIndex, variantKind, wrong } from "./fields.js";
import { createFilePool, type FilePool } from "./file-pool.js";
import { folderFiles, type PathToFile } from "./folder-file.js";
import { readIndex } from "./index-file.js";
import { jsonElements, jsonLines } from "./json-stream.js";
import { isKey } from "./names.js";
import { type ReadOptions, readSource, type StoredFile, type StoredTriplet, type StoredVariant, type TripletSource } from "./stored.js";

export interface ReadAuthorsOptions extends ReadOptions {
  /** The lists of rows. Default: those of the index; else all `.json` files with train or test in their names, in the folder or its folder `jsons`. */
  readonly json?: string | readonly string[];
}

/**
 * The triplets of the authors' layout: rows of one ad come together to one triplet with a variant per row. What `triplets.jsonl` says of an ad
 * is taken from there.
 *
 * Without it: the ad's name is the key, the number that a product's name ends in is the variant's, a row whose mask is `…_gs.npy` is a view with that
 * mask; the first product stands for the product itself, and its mask is that of the rows without `_gs`, or `<stem>.npy`.
 *
 * @throws DatasetError `format` naming file, row and field: rows of one ad that differ in category or captions, an ad in two lists; `refused` for
 *   names that leave the folder; `unreadable`
 */
export function readAuthors(folder: string, options: ReadAuthorsOptions = {}): AsyncGenerator<Triplet, void, void> {
  return readSource(openAuthors(folder, options), options);
}

/** The rows of one ad. */
interface AdRows {
  readonly ad: string;
  readonly list: string;
  readonly split?: NonNullable<Triplet["split"]>;
  readonly category: string;
  readonly captions: readonly string[];
  readonly products: { readonly name: string; readonly mask: string }[];
}

interface Line {
  readonly offset: number;
  readonly length: number;
}

/** The authors' layout for access in any order; names and captions of all rows are kept in memory. */
export async function openAuthors(folder: string, options: ReadAuthorsOptions = {}): Promise<TripletSource> {
  const digest = createHash("sha256");
  const ads = new Map<string, AdRows>();
  const runs: number[] = [];
  for (const path of await listFiles(folder, options.json)) {
    const before = ads.size;
    await addRows(path, ads, (bytes) => digest.update(bytes), options.signal);
    runs.push(ads.size - before);
  }
  const details = await detailLines(join(folder, authorsDetails), options.signal);
  const rows = [...ads.values()];
  const pool = createFilePool();
  return {
    length: rows.length,
    fingerprint: digest.digest("hex"),
    runs,
    variantCounts: async () =>
      // A row of the product itself is not a variant, which its details alone can tell; those that we write name it so.
      Uint8Array.from(rows, ({ ad, products }) => products.filter(({ name }) => !details.has(ad) || !isOriginal(name)).length),
    splitOf: (index) => rows[index]?.split,
    async get(index) {
      const row = rows[index];
      if (!row) throw new DatasetError("format", `openAuthors: no triplet ${index}`);
      const line = details.get(row.ad);
      const detail = line && (await readDetail(pool, join(folder, authorsDetails), line));
      return storedAd(folder, row, detail, options);
    },
    dispose: () => pool.dispose(),
  };
}

function isOriginal(name: string): boolean {
  return /_product\.[a-z]+$/.test(name);
}

async function listFiles(folder: string, given: string | readonly string[] | undefined): Promise<readonly string[]> {
  if (given !== undefined) return typeof given === "string" ? [given] : given;
  const index = await readIndex(folder);
  if (index) {
    if (index.format !== "authors") throw new DatasetError("format", `openAuthors: expected the authors' layout, got ${index.format} in ${folder}`);
    for (const { file, bytes } of index.files) {
      const status = await stat(join(folder, file)).catch(() => undefined);
      // Rows may be taken out by hand, so that other sizes are no fault; a missing list is.
      if (!status) throw new DatasetError("format", `openAuthors: expected ${join(folder, file)} (${bytes} bytes), got no file`);
    }
    return index.files.map(({ file }) => join(folder, file)).filter((path) => basename(path) !== authorsDetails);
  }
  const found: string[] = [];
  for (const place of [folder, join(folder, "jsons")]) {
    const names = await readdir(place).catch(() => []);
    for (const name of names.sort()) if (/(train|test).*\.json$/i.test(name)) found.push(join(place, name));
  }
  if (found.length === 0) throw new DatasetError("unreadable", `openAuthors: expected train_sd.json or another list of rows in ${folder}, got none`);
  return found;
}

async function addRows(path: string, ads: Map<string, AdRows>, digest: (bytes: Uint8Array) => void, signal: AbortSignal | undefined): Promise<void> {
  const split = /(?:^|[^a-z])(train|test)(?:[^a-z]|$)/i.exec(basename(path))?.[1]?.toLowerCase() as Triplet["split"];
  let number = 0;
  for await (const { bytes } of jsonElements(path, signal)) {
    digest(bytes);
    const where = `${path}: row ${number++}`;
    const row = object(where, json(where, new TextDecoder().decode(bytes)));
    const ad = text(`${where}: original_image`, row.original_image);
    const category = text(`${where}: image_type`, row.image_type);
    const captions = texts(`${where}: image_text`, row.image_text);
    const product = { name: text(`${where}: mask_image`, row.mask_image), mask: text(`${where}: mask_npy`, row.mask_npy) };
    const known = ads.get(ad);
    if (!known) ads.set(ad, { ad, list: path, ...(split && { split }), category, captions, products: [product] });
    else {
      if (known.list !== path) throw new DatasetError("format", `${where}: expected an ad in one list, got ${ad} also in ${known.list}`);
      if (known.category !== category || JSON.stringify(known.captions) !== JSON.stringify(captions))
        throw new DatasetError("format", `${where}: expected category and captions as in the other rows of ${ad}, got others`);
      if (known.products.some(({ name }) => name === product.name))
        throw new DatasetError("format", `${where}: expected every product once, got ${product.name} twice`);
      known.products.push(product);
    }
  }
}

async function detailLines(path: string, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Line>> {
  const lines = new Map<string, Line>();
  if (!(await stat(path).catch(() => undefined))) return lines;
  for await (const { bytes, offset } of jsonLines(path, signal)) {
    const where = `${path}: byte ${offset}`;
    lines.set(text(where, object(where, json(where, new TextDecoder().decode(bytes))).original_image), { offset, length: bytes.length });
  }
  return lines;
}

async function readDetail(pool: FilePool, path: string, { offset, length }: Line): Promise<Readonly<Record<string, unknown>>> {
  const where = `${path}: byte ${offset}`;
  return object(where, json(where, new TextDecoder().decode(await pool.read(path, offset, length))));
}

function storedAd(folder: string, row: AdRows, detail: Readonly<Record<string, unknown>> | undefined, options: ReadOptions): StoredTriplet {
  const where = `${row.list}: ${row.ad}`;
  const key = detail ? text(`${where}: key`, detail.key) : basename(row.ad, extname(row.ad));
  if (!isKey(key)) throw wrong(`${where}: key`, 'a name of letters, digits, "_" and "-"', key);
  const files = {
    ad: folderFiles(join(folder, authorsFolders.ad), options),
    product: folderFiles(join(folder, authorsFolders.product), options),
    mask: sharing(folderFiles(join(folder, authorsFolders.mask), options)),
  };
  const common = { key, category: row.category, captions: row.captions, ad: files.ad(where, row.ad) };
  if (!detail) return { ...common, ...foreignProducts(where, row, files), ...(row.split && { split: row.split }) };

  const productName = text(`${where}: mask_image`, detail.mask_image);
  const maskName = text(`${where}: mask_npy`, detail.mask_npy);
  const known = new Map(
    (Array.isArray(detail.variants) ? detail.variants : []).map((element, at) => {
      const variant = object(`${where}: variants[${at}]`, element);
      return [variant.mask_image, variant] as const;
    }),
  );
  const variants = row.products
    .filter(({ name }) => name !== productName)
    .map(({ name, mask }): StoredVariant => {
      const variant = known.get(name);
      if (!variant) throw new DatasetError("format", `${where}: expected ${name} in ${authorsDetails}, got a row that is not there`);
      return {
        index: variantIndex(`${where}: ${name}: index`, variant.index),
        kind: variantKind(`${where}: ${name}: kind`, variant.kind),
        product: files.product(where, name),
        ...(mask !== maskName && { mask: files.mask(where, mask) }),
      };
    });
  const split = splitField(`${where}: split`, detail.split);
  const more = extra(`${where}: extra`, detail.extra);
  return {
    ...common,
    product: files.product(where, productName),
    mask: files.mask(where, maskName),
    variants,
    ...(split && { split }),
    ...(more && { extra: more }),
  };
}

/** The same name is the same file, so that it is read once for all variants that share it. */
function sharing(files: PathToFile): PathToFile {
  const known = new Map<string, StoredFile>();
  return (where, name) => {
    const file = known.get(name) ?? files(where, name);
    known.set(name, file);
    return file;
  };
}

function foreignProducts(
  where: string,
  { ad, products }: AdRows,
  files: { readonly product: PathToFile; readonly mask: PathToFile },
): Pick<StoredTriplet, "product" | "mask" | "variants"> {
  const numbered = products.map((product, at) => ({ ...product, index: Number(/_(\d\d)\.[A-Za-z]+$/.exec(product.name)?.[1] ?? at) }));
  numbered.sort((a, b) => a.index - b.index);
  const twice = numbered.find(({ index }, at) => at > 0 && numbered[at - 1]!.index === index);
  if (twice) throw new DatasetError("format", `${where}: expected products of different numbers, got ${twice.index} twice (${twice.name})`);
  const moved = (mask: string) => /_gs\.npy$/i.test(mask);
  const still = new Set(numbered.map(({ mask }) => mask).filter((mask) => !moved(mask)));
  const base = still.values().next().value ?? `${basename(ad, extname(ad))}.npy`;
  const variants = numbered.map(
    ({ name, mask, index }): StoredVariant => ({
      index,
      kind: moved(mask) ? "view" : "degraded",
      product: files.product(where, name),
      ...(mask !== base && { mask: files.mask(where, mask) }),
    }),
  );
  return { product: variants[0]!.product, mask: files.mask(where, base), variants };
}
