import { encodeImage, type Image } from "@refadgen/image";
import type { Triplet, TripletPicture } from "../contract.js";
import { writeAuthors } from "../formats/authors-write.js";
import { writeImageFolder } from "../formats/image-folder-write.js";
import type { DatasetFormat, DatasetIndex } from "../formats/index-file.js";
import type { WriteOptions } from "../formats/output.js";
import { writeParquet } from "../formats/parquet-write.js";
import { writeWebDataset } from "../formats/webdataset-write.js";
import { splitItems } from "../split/split-items.js";
import { type MiniMask, type MiniOptions, miniTriplet } from "./triplet.js";

export interface WriteMiniOptions extends MiniOptions, WriteOptions {
  readonly count: number;
  /** Default "webdataset". */
  readonly format?: DatasetFormat;
  /** Share of tests. Default 0.1. */
  readonly test?: number;
}

/**
 * Writes AdProd-Mini as a data set: triplets of drawn scenes, split into training and test, in any of the formats. The same options give the same bytes.
 *
 * @throws ArgumentError for options out of range; DatasetError `storage`
 */
export async function writeMini(folder: string, options: WriteMiniOptions): Promise<DatasetIndex> {
  const { count, format = "webdataset", test = 0.1, signal, onProgress, ...mini } = options;
  const triplets = async function* (): AsyncGenerator<Triplet, void, void> {
    const keys = Array.from({ length: count }, (_, index) => ({ key: String(index), category: "", cluster: String(index) }));
    const sides = splitItems(keys, { test, seed: mini.seed });
    for (let index = 0; index < count; index++) yield tripletOf(index, mini, sides.get(String(index)));
  };
  const write = { webdataset: writeWebDataset, parquet: writeParquet, "image-folder": writeImageFolder, authors: writeAuthors }[format];
  return write(folder, triplets(), { ...(signal && { signal }), ...(onProgress && { onProgress }) });
}

async function tripletOf(index: number, options: MiniOptions, split: Triplet["split"]): Promise<Triplet> {
  const { key, category, ad, product, views, captions } = miniTriplet(index, options);
  return {
    key,
    category,
    ad: await png(ad.image),
    // The ad's own pixels on white: a photo of the product in another place would not share its canvas with the mask.
    product: await png(cutOut(ad.image, ad.mask)),
    mask: ad.mask,
    captions,
    variants: await Promise.all(
      [product, ...views].map(async ({ image, mask }, at) => ({ index: at, kind: "view" as const, product: await png(image), mask })),
    ),
    ...(split && { split }),
  };
}

async function png(image: Image): Promise<TripletPicture> {
  return { bytes: await encodeImage(image, { format: "png" }), type: "image/png" };
}

function cutOut({ width, height, channels, data }: Image, mask: MiniMask): Image {
  const out = new Uint8Array(data.length).fill(255);
  for (let pixel = 0; pixel < mask.data.length; pixel++)
    if (mask.data[pixel]) out.set(data.subarray(pixel * channels, (pixel + 1) * channels), pixel * channels);
  return { width, height, channels, data: out };
}
