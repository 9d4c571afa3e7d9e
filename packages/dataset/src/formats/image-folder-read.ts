import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { extra, json, object, text, texts, variantIndex, variantKind, wrong } from "./fields.js";
import { createFilePool } from "./file-pool.js";
import { folderFiles, type PathToFile } from "./folder-file.js";
import { readIndex } from "./index-file.js";
import { jsonLines } from "./json-stream.js";
import { isKey } from "./names.js";
import { type ReadOptions, readSource, type StoredTriplet, type StoredVariant, type TripletSource } from "./stored.js";

/**
 * The triplets of an ImageFolder: `metadata.jsonl` in the folder, or in its folders `train`, `test` and others.
 *
 * Lines of other tools need `ad_file_name` (or `file_name`), `mask_file_name` and `product_file_name` or `product_file_names`, relative to the
 * file they stand in, and `category` (or `image_type`, `label`); captions may be called `text`, `caption` or `image_text`; without `key` the ad's name is
 * the key. Several products without further word are variants 0, 1, 2 … that share the mask.
 *
 * @throws DatasetError `format` naming file, line and field; `refused` for names that leave the folder; `unreadable`
 */
export function readImageFolder(folder: string, options: ReadOptions = {}): AsyncGenerator<Triplet, void, void> {
  return readSource(openImageFolder(folder, options), options);
}

interface MetadataFile {
  readonly path: string;
  readonly split?: NonNullable<Triplet["split"]>;
  readonly bytes: number;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly variants: Uint8Array;
}

/** An ImageFolder for access in any order: where each line lies is kept, the lines are not. */
export async function openImageFolder(folder: string, options: ReadOptions = {}): Promise<TripletSource> {
  const lists: MetadataFile[] = [];
  const digest = createHash("sha256");
  for (const path of await metadataFiles(folder)) lists.push(await scanLines(path, (bytes) => digest.update(bytes), options.signal));
  const pool = createFilePool();
  const locate = (index: number): { readonly list: MetadataFile; readonly line: number } => {
    let line = index;
    for (const list of lists) {
      if (line < list.offsets.length) return { list, line };
      line -= list.offsets.length;
    }
    throw new DatasetError("format", `openImageFolder: no triplet ${index}`);
  };
  const runs = lists.map(({ offsets }) => offsets.length);
  return {
    length: runs.reduce((sum, count) => sum + count, 0),
    fingerprint: digest.digest("hex"),
    runs,
    variantCounts: async () => Uint8Array.from(lists.flatMap(({ variants }) => [...variants])),
    splitOf: (index) => locate(index).list.split,
    async get(index) {
      const { list, line } = locate(index);
      const where = `${list.path}: line ${line + 1}`;
      const bytes = await pool.read(list.path, list.offsets[line]!, list.lengths[line]!);
      const row = object(where, json(where, new TextDecoder().decode(bytes)));
      return storedLine(where, row, folderFiles(dirname(list.path), options), list.split);
    },
    dispose: () => pool.dispose(),
  };
}

async function metadataFiles(folder: string): Promise<readonly string[]> {
  const index = await readIndex(folder);
  if (index) {
    if (index.format !== "image-folder")
      throw new DatasetError("format", `openImageFolder: expected an ImageFolder, got ${index.format} in ${folder}`);
    for (const { file, bytes } of index.files) {
      const status = await stat(join(folder, file)).catch(() => undefined);
      if (status?.size !== bytes)
        throw new DatasetError("format", `openImageFolder: expected ${bytes} bytes in ${join(folder, file)}, got ${status?.size ?? "no file"}`);
    }
    return index.files.map(({ file }) => join(folder, file));
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new DatasetError("unreadable", `openImageFolder: cannot read ${folder}: ${String(error)}`, { cause: error });
  });
  const candidates = [folder, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))].sort();
  const found: string[] = [];
  for (const candidate of candidates) {
    const names = await readdir(candidate);
    if (names.includes("metadata.jsonl")) found.push(join(candidate, "metadata.jsonl"));
    else if (names.includes("metadata.csv") || names.includes("metadata.parquet"))
      throw new DatasetError(
        "format",
        `openImageFolder: expected metadata.jsonl, which can hold lists, got another kind of metadata in ${candidate}`,
      );
  }
  if (found.length === 0) throw new DatasetError("unreadable", `openImageFolder: expected metadata.jsonl in ${folder} or a folder in it, got none`);
  return found;
}

async function scanLines(path: string, digest: (bytes: Uint8Array) => void, signal: AbortSignal | undefined): Promise<MetadataFile> {
  const offsets: number[] = [];
  const lengths: number[] = [];
  const variants: number[] = [];
  let size = 0;
  for await (const { bytes, offset } of jsonLines(path, signal)) {
    digest(bytes);
    offsets.push(offset);
    lengths.push(bytes.length);
    variants.push(variantCount(bytes));
    size = offset + bytes.length;
  }
  const name = basename(dirname(path));
  return {
    path,
    ...((name === "train" || name === "test") && { split: name }),
    bytes: size,
    offsets: Float64Array.from(offsets),
    lengths: Uint32Array.from(lengths),
    variants: Uint8Array.from(variants),
  };
}

/** A line that cannot be read says so when it is its turn. */
function variantCount(bytes: Uint8Array): number {
  try {
    const row: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const names: unknown = Reflect.get(Object(row), "variant_file_names") ?? Reflect.get(Object(row), "product_file_names");
    return Array.isArray(names) ? names.length : 0;
  } catch {
    return 0;
  }
}

function storedLine(where: string, row: Readonly<Record<string, unknown>>, file: PathToFile, split: Triplet["split"]): StoredTriplet {
  const adName = text(`${where}: ad_file_name`, row.ad_file_name ?? row.file_name);
  const key = row.key === undefined ? basename(adName, extname(adName)) : text(`${where}: key`, row.key);
  if (!isKey(key)) throw wrong(`${where}: key`, 'letters, digits, "_" and "-"', key);
  const at = `${where} (${key})`;
  const named = (name: string, value: unknown) => file(`${at}: ${name}`, text(`${at}: ${name}`, value));
  const mask = named("mask_file_name", row.mask_file_name);
  const names = texts(`${at}: variant_file_names`, row.variant_file_names ?? row.product_file_names ?? []);
  const [masks, indices, kinds] = ["variant_mask_file_names", "variant_index", "variant_kind"].map((name) => {
    const values = row[name] ?? [];
    if (!Array.isArray(values) || (values.length !== 0 && values.length !== names.length))
      throw wrong(`${at}: ${name}`, `a list of ${names.length}, one per variant`, values);
    return values as readonly unknown[];
  });
  const own = new Map<unknown, ReturnType<typeof named>>();
  const seen = new Set<number>();
  const variants = names.map((name, number): StoredVariant => {
    const index = indices![number] === undefined ? number : variantIndex(`${at}: variant_index`, indices![number]);
    if (seen.has(index)) throw wrong(`${at}: variant_index`, "every number once", index);
    seen.add(index);
    const maskName = masks![number] ?? undefined;
    const moved = maskName !== undefined && maskName !== row.mask_file_name;
    if (moved && !own.has(maskName)) own.set(maskName, named(`variant_mask_file_names[${number}]`, maskName));
    const kind = kinds![number] === undefined ? (moved ? "view" : "degraded") : variantKind(`${at}: variant_kind`, kinds![number]);
    return { index, kind, product: named(`variant_file_names[${number}]`, name), ...(moved && { mask: own.get(maskName)! }) };
  });
  const product = row.product_file_name === undefined ? variants[0]?.product : named("product_file_name", row.product_file_name);
  if (!product) throw wrong(`${at}: product_file_name`, "the name of a picture", undefined);
  const more = extra(`${at}: extra`, row.extra);
  return {
    key,
    category: text(`${at}: category`, row.category ?? row.image_type ?? row.label),
    captions: texts(`${at}: captions`, row.captions ?? row.text ?? row.caption ?? row.image_text ?? []),
    ad: file(`${at}: ad_file_name`, adName),
    product,
    mask,
    variants,
    ...(split && { split }),
    ...(more && { extra: more }),
  };
}
