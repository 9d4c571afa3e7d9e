import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import { tripletChecker } from "./check-triplet.js";
import type { DatasetIndex } from "./index-file.js";
import { encodeMask, type MaskEncoding } from "./mask-file.js";
import { zeroPadded } from "./names.js";
import { type Output, type OutputFile, type SplitName, splitName, type WriteOptions, writeDataset } from "./output.js";
import { pictureExtension } from "./picture-type.js";
import type { TarEntry } from "./tar-read.js";
import { tarBytes, tarEnd } from "./tar-write.js";
import { nameVariantMasks } from "./variant-masks.js";

/** When a shard is full: whichever comes first. */
export interface ShardLimits {
  /** Default 1000. */
  readonly maxTriplets?: number;
  /** A shard of more than one triplet is not larger. Default 1 GiB. */
  readonly maxBytes?: number;
}

export interface WriteWebDatasetOptions extends WriteOptions, ShardLimits {
  /** Default "png": a few kilobytes where an array of a 640 × 512 mask takes 320. */
  readonly masks?: MaskEncoding;
}

const shardDigits = 6;

/**
 * Writes shards `train-000000.tar`, `test-000000.tar` (`all-…` for triplets in neither), and at last `index.json` with their sizes and digests.
 * The same triplets give the same bytes.
 *
 * A triplet `k` is `k.ad.png` (or `.jpg`, `.webp`), `k.json`, `k.mask.png`, `k.product.png` and for its variants `k.product_00.png` …, with
 * `k.mask_gs.png` where the outline has moved, in this order. `k.json` holds category, captions, split, what each variant is, and `extra`.
 * Python's webdataset and datasets read them; `index.json` is an index of shards for its wids as well.
 *
 * @throws ArgumentError for a triplet that is not what its type says, or a key that comes twice; DatasetError `storage`
 */
export async function writeWebDataset(folder: string, triplets: AsyncIterable<Triplet>, options: WriteWebDatasetOptions = {}): Promise<DatasetIndex> {
  const { masks = "png", signal, onProgress } = options;
  const limits = shardLimits("writeWebDataset", options);
  return writeDataset(
    folder,
    "webdataset",
    async (output) => {
      const check = tripletChecker("writeWebDataset");
      const shards = shardSeries(output, "tar", limits, tarEnd);
      let count = 0;
      for await (const triplet of triplets) {
        signal?.throwIfAborted();
        const sample = await tarBytes(await sampleEntries(check(triplet), masks));
        await shards.add(splitName(triplet), sample);
        count++;
        onProgress?.({ triplets: count, bytes: output.bytes });
      }
      await shards.finish();
      return count;
    },
    (files) => ({
      __kind__: "wids-shard-index-v1",
      wids_version: 1,
      shardlist: files.map(({ file, triplets: nsamples, bytes: filesize }) => ({ url: file, nsamples, filesize })),
    }),
  );
}

export function shardLimits(where: string, { maxTriplets = 1000, maxBytes = 2 ** 30 }: ShardLimits): Required<ShardLimits> {
  for (const [name, value] of Object.entries({ maxTriplets, maxBytes }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new ArgumentError(`${where}: expected ${name} to be a positive integer, got ${String(value)}`);
  return { maxTriplets, maxBytes };
}

/** The files of a triplet, sorted by name. */
async function sampleEntries(triplet: Triplet, encoding: MaskEncoding): Promise<readonly TarEntry[]> {
  const { key, category, captions, split, extra, ad, product, mask, variants } = triplet;
  const entry = (name: string, bytes: Uint8Array): TarEntry => ({ path: `${key}.${name}`, bytes });
  const picture = (name: string, { bytes, type }: Triplet["ad"]): TarEntry => entry(`${name}.${pictureExtension(type)}`, bytes);
  const own = nameVariantMasks(variants);
  const json = {
    key,
    category,
    captions,
    ...(split && { split }),
    variants: variants.map(({ index, kind }, at) => ({ index, kind, ...(own.names[at] !== undefined && { mask: `mask_${own.names[at]}` }) })),
    // As a text: its fields may differ from triplet to triplet, which readers that want one type per field would refuse.
    ...(extra && { extra: JSON.stringify(extra) }),
  };
  const entries = [
    picture("ad", ad),
    entry("json", Buffer.from(JSON.stringify(json))),
    entry(`mask.${encoding}`, await encodeMask(mask, encoding)),
    picture("product", product),
    ...variants.map((variant) => picture(`product_${zeroPadded(variant.index, 2)}`, variant.product)),
  ];
  for (const [name, values] of own.masks) entries.push(entry(`mask_${name}.${encoding}`, await encodeMask(values, encoding)));
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Shards that are filled one after the other, for each split. */
interface ShardSeries {
  add(split: SplitName, bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
}

function shardSeries(output: Output, extension: string, limits: Required<ShardLimits>, end: Uint8Array): ShardSeries {
  const open = new Map<SplitName, { readonly file: OutputFile; triplets: number }>();
  const counts = new Map<SplitName, number>();
  const close = async (split: SplitName): Promise<void> => {
    const shard = open.get(split);
    if (!shard) return;
    open.delete(split);
    await shard.file.write(end);
    await shard.file.finish({ triplets: shard.triplets, ...(split !== "all" && { split }) });
  };
  return {
    async add(split, bytes) {
      const current = open.get(split);
      if (current && (current.triplets >= limits.maxTriplets || current.file.bytes + bytes.length + end.length > limits.maxBytes)) await close(split);
      let shard = open.get(split);
      if (!shard) {
        const number = counts.get(split) ?? 0;
        counts.set(split, number + 1);
        shard = { file: await output.create(`${split}-${zeroPadded(number, shardDigits)}.${extension}`), triplets: 0 };
        open.set(split, shard);
      }
      await shard.file.write(bytes);
      shard.triplets++;
    },
    async finish() {
      for (const split of [...open.keys()]) await close(split);
    },
  };
}
