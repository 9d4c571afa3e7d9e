import { encodeImage, type Image } from "@refadgen/image";
import type { Json, Triplet } from "../contract.js";
import { encodeNpy } from "../formats/npy.js";
import { adQuality } from "./faults/inject.js";
import { type MiniMask, type MiniOptions, type MiniPicture, type MiniTriplet, miniTriplet } from "./triplet.js";

export interface MiniFilesOptions extends MiniOptions {
  /** Of the ad; the rest is always PNG. Default `"png"`, which keeps every pixel. */
  readonly adFormat?: "png" | "jpeg";
  /** Depth, mattes and views as files besides the triplet. Default false. */
  readonly details?: boolean;
}

/** A triplet as files. */
export interface MiniFiles {
  readonly triplet: Triplet;
  /** Files by name, for those who train or test on geometry: `depth.npy`, `matte.png`, `view_00.png` …; empty unless asked for. */
  readonly details: Readonly<Record<string, Uint8Array>>;
}

/**
 * Renders and encodes `miniTriplet(index, options)`. The mask is that of the ad; the product's photo with a mask of its own is variant 0, further views follow.
 * Cameras, and what the captions mention, are in `extra`.
 */
export async function miniFiles(index: number, options: MiniFilesOptions): Promise<MiniFiles> {
  const { adFormat = "png", details = false, seed } = options;
  const made = miniTriplet(index, options);
  const { ad, product, views } = made;
  const picture = async (image: Image) => ({ bytes: await encodeImage(image, { format: "png" }), type: "image/png" }) as const;
  const { text, ...mentions } = made.mentions;
  // The product's photo is a variant as well.
  const productPicture = await picture(product.image);
  const cameras = { ad: plain(ad.camera), product: plain(product.camera), views: views.map(({ camera }) => plain(camera)) };
  return {
    triplet: {
      key: made.key,
      category: made.category,
      ad:
        adFormat === "png"
          ? await picture(ad.image)
          : { bytes: await encodeImage(ad.image, { format: "jpeg", quality: adQuality }), type: "image/jpeg" },
      product: productPicture,
      mask: ad.mask,
      captions: made.captions,
      variants: await Promise.all(
        [product, ...views].map(async ({ image, mask }, place) => ({
          index: place,
          kind: "view" as const,
          product: place === 0 ? productPicture : await picture(image),
          mask,
        })),
      ),
      extra: { seed, index, cameras, mentions: { ...mentions, ...(text !== undefined && { text }) } },
    },
    details: details ? await detailFiles(made) : {},
  };
}

async function detailFiles({ ad, product, views }: MiniTriplet): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const add = async (prefix: string, { image, mask, matte, depth }: MiniPicture, withPicture: boolean) => {
    const { width, height } = image;
    const grey = (data: Uint8Array) => encodeImage({ width, height, channels: 1, data }, { format: "png" });
    if (withPicture) files[`${prefix}picture.png`] = await encodeImage(image, { format: "png" });
    files[`${prefix}mask.png`] = await grey(visible(mask));
    files[`${prefix}matte.png`] = await grey(matte);
    files[`${prefix}depth.npy`] = encodeNpy({ shape: [height, width], data: depth });
  };
  await add("ad_", ad, false);
  await add("product_", product, false);
  for (const [index, view] of views.entries()) await add(`view_${String(index).padStart(2, "0")}_`, view, true);
  return files;
}

function visible({ data }: MiniMask): Uint8Array {
  return data.map((inside) => inside * 255);
}

/** Numbers and lists alone, as JSON holds them. */
function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
