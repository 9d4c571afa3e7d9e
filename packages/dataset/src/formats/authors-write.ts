import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import { tripletChecker } from "./check-triplet.js";
import type { DatasetIndex } from "./index-file.js";
import { encodeMask } from "./mask-file.js";
import { zeroPadded } from "./names.js";
import { type Output, type OutputFile, type SplitName, splitName, type WriteOptions, writeDataset } from "./output.js";
import { pictureExtension } from "./picture-type.js";
import { nameVariantMasks } from "./variant-masks.js";

export interface WriteAuthorsOptions extends WriteOptions {
  /** Whether the product itself has a row beside those of its variants. Default "without-variants": as in the authors' files, where rows are variants. */
  readonly originals?: "without-variants" | "always";
}

/** A row of the authors' JSON. */
export interface AuthorsRow {
  readonly image_type: string;
  readonly original_image: string;
  readonly mask_image: string;
  readonly mask_npy: string;
  readonly image_text: readonly string[];
}

export const authorsFolders = { ad: "Ad Image", product: "Product Image", mask: "mask_npy" } as const;
export const authorsDetails = "triplets.jsonl";

/** What the authors' rows have no place for, one ad a line. */
export interface AuthorsDetails {
  readonly original_image: string;
  readonly key: string;
  readonly split?: Triplet["split"];
  /** Of the product itself. */
  readonly mask_image: string;
  readonly mask_npy: string;
  readonly variants: readonly { readonly mask_image: string; readonly index: number; readonly kind: string }[];
  readonly extra?: Triplet["extra"];
}

/**
 * Writes the layout of the authors' data: `Ad Image/k.png`, `Product Image/k_00.png` … `k_04.png`, `mask_npy/k.npy` and, where the outline has
 * moved, `mask_npy/k_gs.npy` (two-dimensional, 0 and 1); `train_sd.json` and `test_sd.json` (`all_sd.json` for triplets in neither), one row per
 * variant. The product itself is `Product Image/k_product.png`. What the rows have no place for stands in `triplets.jsonl`; at last comes `index.json`.
 *
 * @throws ArgumentError for a triplet that is not what its type says, a key that comes twice or ends like the name of a mask (`_gs`);
 *   DatasetError `storage`
 */
export async function writeAuthors(folder: string, triplets: AsyncIterable<Triplet>, options: WriteAuthorsOptions = {}): Promise<DatasetIndex> {
  const { originals = "without-variants", signal, onProgress } = options;
  if (originals !== "without-variants" && originals !== "always")
    throw new ArgumentError(`writeAuthors: expected originals "without-variants" or "always", got ${JSON.stringify(originals)}`);
  return writeDataset(folder, "authors", async (output) => {
    const check = tripletChecker("writeAuthors");
    const details = await output.create(authorsDetails);
    const lists = new Map<SplitName, { readonly file: OutputFile; triplets: number; rows: number }>();
    let count = 0;
    for await (const triplet of triplets) {
      signal?.throwIfAborted();
      const name = splitName(triplet);
      const list = lists.get(name) ?? { file: await output.create(`${name}_sd.json`), triplets: 0, rows: 0 };
      lists.set(name, list);
      const { rows, line } = await putTriplet(output, check(triplet), originals);
      for (const row of rows) await list.file.write(Buffer.from(`${list.rows++ === 0 ? "[" : ","}\n${JSON.stringify(row)}`));
      await details.write(Buffer.from(`${JSON.stringify(line)}\n`));
      list.triplets++;
      count++;
      onProgress?.({ triplets: count, bytes: output.bytes });
    }
    for (const [name, { file, triplets: number }] of lists) {
      await file.write(Buffer.from("\n]\n"));
      await file.finish({ triplets: number, ...(name !== "all" && { split: name }) });
    }
    await details.finish({ triplets: count });
    return count;
  });
}

async function putTriplet(
  output: Output,
  triplet: Triplet,
  originals: NonNullable<WriteAuthorsOptions["originals"]>,
): Promise<{ readonly rows: readonly AuthorsRow[]; readonly line: AuthorsDetails }> {
  const { key, category, captions, split, ad, product, mask, variants, extra } = triplet;
  // Its mask would have the name of another triplet's.
  if (/_gs(_\d\d)?$/.test(key)) throw new ArgumentError(`writeAuthors: expected a key that does not end in "_gs", got ${key}`);
  const put = async (folder: keyof typeof authorsFolders, name: string, bytes: Uint8Array): Promise<string> => {
    await output.put(`${authorsFolders[folder]}/${name}`, bytes);
    return name;
  };
  const picture = (folder: "ad" | "product", { bytes, type }: Triplet["ad"], name: string) => put(folder, `${name}.${pictureExtension(type)}`, bytes);
  const own = nameVariantMasks(variants);
  for (const [name, values] of own.masks) await put("mask", `${key}_${name}.npy`, await encodeMask(values, "npy"));
  const adName = await picture("ad", ad, key);
  const maskName = await put("mask", `${key}.npy`, await encodeMask(mask, "npy"));
  const productName = await picture("product", product, `${key}_product`);
  const row = (productFile: string, maskFile: string): AuthorsRow => ({
    image_type: category,
    original_image: adName,
    mask_image: productFile,
    mask_npy: maskFile,
    image_text: captions,
  });
  const rows: AuthorsRow[] = variants.length === 0 || originals === "always" ? [row(productName, maskName)] : [];
  const listed: { mask_image: string; index: number; kind: string }[] = [];
  for (const [at, { index, kind, product: varied }] of variants.entries()) {
    const name = await picture("product", varied, `${key}_${zeroPadded(index, 2)}`);
    rows.push(row(name, own.names[at] === undefined ? maskName : `${key}_${own.names[at]}.npy`));
    listed.push({ mask_image: name, index, kind });
  }
  const line: AuthorsDetails = {
    original_image: adName,
    key,
    ...(split && { split }),
    mask_image: productName,
    mask_npy: maskName,
    variants: listed,
    ...(extra && { extra }),
  };
  return { rows, line };
}
