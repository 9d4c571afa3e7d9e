import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { extra, json, object, split, text, texts, variantIndex, variantKind, wrong } from "./fields.js";
import { isKey } from "./names.js";
import type { StoredFile, StoredTriplet, StoredVariant } from "./stored.js";

/** What the name of an entry says, as Python's webdataset reads it: the key ends at the first dot after the last slash. */
export interface SampleName {
  readonly key: string;
  /** Lower case, without its dot: `ad.png`. */
  readonly suffix: string;
}

/** `undefined` for entries that belong to no sample: hidden ones, `__…__`, and those without a dot. */
export function sampleName(path: string): SampleName | undefined {
  const start = path.lastIndexOf("/") + 1;
  const dot = path.indexOf(".", start);
  if (dot <= start || path.startsWith("__", start)) return undefined;
  return { key: path.slice(0, dot), suffix: path.slice(dot + 1).toLowerCase() };
}

/** `product_00.png` */
export const variantSuffix: RegExp = /^product_(\d\d)\.(png|jpe?g|webp)$/;

/**
 * A sample as a triplet. Files of other names are passed over.
 *
 * Samples of other tools may lack what ours have: without `k.product.*` the variant of the lowest number stands for it; without `variants` in
 * `k.json` those from 03 on are views if there is a `k.mask_gs.*`, as in the authors' files; category and captions may be called as theirs
 * (`image_type`, `image_text`), and captions may stand in `k.txt`, one a line; the split may be that of the shard's name.
 *
 * @throws DatasetError `format` naming the entry that is missing or wrong
 */
export async function storedSample(
  archive: string,
  key: string,
  files: ReadonlyMap<string, StoredFile>,
  splitOfShard: Triplet["split"],
): Promise<StoredTriplet> {
  const where = `${archive}: ${key}`;
  if (!isKey(key)) throw new DatasetError("format", `${where}: expected a key of letters, digits, "_" and "-", got ${JSON.stringify(key)}`);
  const picture = (name: string) => oneOf(where, files, name, ["png", "jpg", "jpeg", "webp"]);
  const maskOf = (name: string) => oneOf(where, files, name, ["png", "npy", "jpg", "jpeg", "webp"]);
  const needed = (file: StoredFile | undefined, name: string): StoredFile => {
    if (!file) throw new DatasetError("format", `${where}: expected an entry ${key}.${name}, got none`);
    return file;
  };
  const rowFile = files.get("json");
  const row = rowFile ? object(rowFile.where, json(rowFile.where, await utf8(rowFile))) : {};
  const captions = row.captions ?? row.image_text ?? row.text ?? row.caption;
  const captionFile = captions === undefined ? files.get("txt") : undefined;
  const listed = row.variants === undefined ? foreignVariants(files, maskOf("mask_gs")) : ourVariants(where, row.variants, maskOf);
  const variants = listed.map(({ index, ...rest }): StoredVariant => {
    const name = `product_${String(index).padStart(2, "0")}`;
    return { index, product: needed(picture(name), `${name}.png`), ...rest };
  });
  const splitNamed = split(`${where}: split`, row.split) ?? splitOfShard;
  const more = extra(`${where}: extra`, row.extra);
  return {
    key,
    category: text(`${where}.json: category`, row.category ?? row.image_type),
    captions: captionFile ? (await utf8(captionFile)).split(/\r?\n/).filter((line) => line !== "") : texts(`${where}.json: captions`, captions ?? []),
    ad: needed(picture("ad"), "ad.png"),
    product: needed(picture("product") ?? variants[0]?.product, "product.png"),
    mask: needed(maskOf("mask"), "mask.png"),
    variants,
    ...(splitNamed && { split: splitNamed }),
    ...(more && { extra: more }),
  };
}

function oneOf(where: string, files: ReadonlyMap<string, StoredFile>, name: string, extensions: readonly string[]): StoredFile | undefined {
  const found = extensions.filter((extension) => files.has(`${name}.${extension}`));
  if (found.length > 1)
    throw new DatasetError("format", `${where}: expected one of ${found.map((extension) => `${name}.${extension}`).join(", ")}, got all`);
  return files.get(`${name}.${found[0]}`);
}

type ListedVariant = Omit<StoredVariant, "product">;

function ourVariants(where: string, value: unknown, maskOf: (name: string) => StoredFile | undefined): readonly ListedVariant[] {
  if (!Array.isArray(value)) throw wrong(`${where}.json: variants`, "a list", value);
  return value.map((element, at): ListedVariant => {
    const place = `${where}.json: variants[${at}]`;
    const { index, kind, mask } = object(place, element);
    const file = mask === undefined || mask === null ? undefined : maskOf(text(`${place}.mask`, mask));
    if (mask !== undefined && mask !== null && !file)
      throw new DatasetError("format", `${place}: expected an entry for its mask ${JSON.stringify(mask)}, got none`);
    return { index: variantIndex(`${place}.index`, index), kind: variantKind(`${place}.kind`, kind), ...(file && { mask: file }) };
  });
}

function foreignVariants(files: ReadonlyMap<string, StoredFile>, moved: StoredFile | undefined): readonly ListedVariant[] {
  const numbers = new Set<number>();
  for (const suffix of files.keys()) {
    const number = variantSuffix.exec(suffix)?.[1];
    if (number !== undefined) numbers.add(Number(number));
  }
  return [...numbers]
    .sort((a, b) => a - b)
    .map((index) => (moved && index >= 3 ? { index, kind: "view", mask: moved } : { index, kind: "degraded" }));
}

async function utf8(file: StoredFile): Promise<string> {
  const bytes = await file.read();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new DatasetError("format", `${file.where}: expected UTF-8`, { cause: error });
  }
}
