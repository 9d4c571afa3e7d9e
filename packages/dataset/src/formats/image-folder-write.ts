import type { Triplet } from "../contract.js";
import { tripletChecker } from "./check-triplet.js";
import type { DatasetIndex } from "./index-file.js";
import { encodeMask } from "./mask-file.js";
import { zeroPadded } from "./names.js";
import { type Output, type OutputFile, type SplitName, splitName, type WriteOptions, writeDataset } from "./output.js";
import { pictureExtension } from "./picture-type.js";
import { nameVariantMasks } from "./variant-masks.js";

export interface WriteImageFolderOptions extends WriteOptions {}

/**
 * Writes Hugging Face's ImageFolder: folders `train`, `test` (`all` for triplets in neither) with `ad/`, `product/`, `mask/`, `variant/` and a
 * `metadata.jsonl` each, one triplet a line, whose `*_file_name` and `*_file_names` become columns of pictures; at last `index.json`. Good up to
 * some thousand triplets; beyond that take shards.
 *
 * @throws ArgumentError for a triplet that is not what its type says, or a key that comes twice; DatasetError `storage`
 */
export async function writeImageFolder(
  folder: string,
  triplets: AsyncIterable<Triplet>,
  options: WriteImageFolderOptions = {},
): Promise<DatasetIndex> {
  const { signal, onProgress } = options;
  return writeDataset(folder, "image-folder", async (output) => {
    const check = tripletChecker("writeImageFolder");
    const lists = new Map<SplitName, { readonly file: OutputFile; triplets: number }>();
    let count = 0;
    for await (const triplet of triplets) {
      signal?.throwIfAborted();
      const name = splitName(triplet);
      const list = lists.get(name) ?? { file: await output.create(`${name}/metadata.jsonl`), triplets: 0 };
      lists.set(name, list);
      const row = await putTriplet(output, name, check(triplet));
      await list.file.write(Buffer.from(`${JSON.stringify(row)}\n`));
      list.triplets++;
      count++;
      onProgress?.({ triplets: count, bytes: output.bytes });
    }
    for (const [name, { file, triplets: number }] of lists) await file.finish({ triplets: number, ...(name !== "all" && { split: name }) });
    return count;
  });
}

/** Writes the pictures of a triplet and returns its line. */
async function putTriplet(output: Output, folder: string, triplet: Triplet): Promise<object> {
  const { key, category, captions, ad, product, mask, variants, extra } = triplet;
  const put = async (name: string, bytes: Uint8Array): Promise<string> => {
    await output.put(`${folder}/${name}`, bytes);
    return name;
  };
  const picture = ({ bytes, type }: Triplet["ad"], name: string) => put(`${name}.${pictureExtension(type)}`, bytes);
  const own = nameVariantMasks(variants);
  for (const [name, values] of own.masks) await put(`mask/${key}_${name}.png`, await encodeMask(values, "png"));
  const maskName = `mask/${key}.png`;
  const variantNames: string[] = [];
  for (const variant of variants) variantNames.push(await picture(variant.product, `variant/${key}_${zeroPadded(variant.index, 2)}`));
  return {
    key,
    category,
    captions,
    ad_file_name: await picture(ad, `ad/${key}`),
    product_file_name: await picture(product, `product/${key}`),
    mask_file_name: await put(maskName, await encodeMask(mask, "png")),
    variant_file_names: variantNames,
    // One for each variant; the triplet's own where the outline has stayed.
    variant_mask_file_names: own.names.map((name) => (name === undefined ? maskName : `mask/${key}_${name}.png`)),
    variant_index: variants.map(({ index }) => index),
    variant_kind: variants.map(({ kind }) => kind),
    // As a text: its fields may differ from triplet to triplet, which readers that want one type per column would refuse.
    extra: extra ? JSON.stringify(extra) : null,
  };
}
