import {
  centerCrop,
  clipNormalization,
  cropImage,
  decodeImage,
  type Image,
  imageToTensor,
  type Rectangle,
  type Size,
  symmetricNormalization,
  toRgb,
  torchvisionResize,
} from "@refadgen/image";
import { DatasetError } from "../error.js";
import { decodeMask } from "../formats/mask-file.js";

/** Files of a row and what to make of them; goes to a worker thread as it is. */
export interface PrepareJob {
  /** Key of the triplet, for messages. */
  readonly key: string;
  readonly ad: Uint8Array;
  readonly product: Uint8Array;
  readonly mask: Uint8Array;
  /** Short side after the resize, in pixels. */
  readonly shortSide: number;
  readonly crop: Size;
  /** 0 to below 1 of the way; "center" for none. */
  readonly place: { readonly down: number; readonly right: number } | "center";
  /** Side of the square that the image encoder takes. */
  readonly clipSize: number;
  readonly maxPixels: number;
}

/** A row as numbers. H × W is the size of the crop, S that of the encoder's picture. */
export interface PreparedRow {
  /** `[3, H, W]`, -1 to 1. */
  readonly ad: Float32Array<ArrayBuffer>;
  /** `[3, H, W]`, -1 to 1. */
  readonly product: Float32Array<ArrayBuffer>;
  /** `[1, H, W]`, 0 and 1. */
  readonly mask: Float32Array<ArrayBuffer>;
  /** `[3, S, S]`, CLIP's normalisation. */
  readonly clipImage: Float32Array<ArrayBuffer>;
  /** Where the crop lies in the resized pictures. */
  readonly window: Rectangle;
}

/**
 * The authors' preparation of a row: ad, product and mask are resized so that the short side is 640 (bilinear), all three are cropped by the same
 * window, and the mask is made of 0 and 1 again; the image encoder gets the cropped product: short side to 224 (bicubic), the middle square.
 *
 * Pixels are those of the files: neither the EXIF orientation nor a colour profile is applied, as the authors' loader does not.
 *
 * Source: yunsoft2019/RefAdgen data_provider/data_set.py; huggingface/transformers image_processing_clip.py.
 *
 * @throws DatasetError `format` if a file is broken or the three are not of one size
 */
export async function prepareRow(job: PrepareJob): Promise<PreparedRow> {
  const { key, shortSide, crop, clipSize, maxPixels } = job;
  const ad = await decoded(`${key}: ad`, job.ad, maxPixels);
  const product = await decoded(`${key}: product`, job.product, maxPixels);
  const mask = await decodeMask(`${key}: mask`, job.mask, { maxPixels });
  for (const [name, { width, height }] of Object.entries({ product, mask })) {
    if (width !== ad.width || height !== ad.height)
      throw new DatasetError("format", `${key}: expected the ${name} on the ad's canvas of ${ad.width} × ${ad.height}, got ${width} × ${height}`);
  }
  const grey: Image = { width: mask.width, height: mask.height, channels: 1, data: mask.data.map((value) => value * 255) };
  const resized = [ad, product, grey].map((picture) => torchvisionResize(picture, shortSide, { filter: "bilinear" }));
  const window = cropWindow(resized[0]!, crop, job.place);
  const [adCrop, productCrop, maskCrop] = resized.map((picture) => cropImage(picture, window)) as [Image, Image, Image];
  const square = centerCrop(torchvisionResize(productCrop, clipSize), { width: clipSize, height: clipSize }, { rounding: "floor" });
  return {
    ad: own(imageToTensor(adCrop, symmetricNormalization)),
    product: own(imageToTensor(productCrop, symmetricNormalization)),
    mask: Float32Array.from(maskCrop.data, (value) => (value > 127 ? 1 : 0)),
    clipImage: own(imageToTensor(square, { scale: 1 / 255, ...clipNormalization })),
    window,
  };
}

function cropWindow(size: Size, crop: Size, place: PrepareJob["place"]): Rectangle {
  const down = size.height - crop.height;
  const right = size.width - crop.width;
  if (place === "center") return { ...crop, top: Math.round(down / 2), left: Math.round(right / 2) };
  return { ...crop, top: Math.floor(place.down * (down + 1)), left: Math.floor(place.right * (right + 1)) };
}

/** Pixels as Pillow opens them, RGB. */
export async function decoded(where: string, bytes: Uint8Array, maxPixels: number): Promise<Image> {
  try {
    return toRgb(await decodeImage(bytes, { maxPixels, applyOrientation: false, applyProfile: false }));
  } catch (error) {
    throw new DatasetError("format", `${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function own(values: Float32Array): Float32Array<ArrayBuffer> {
  return values as Float32Array<ArrayBuffer>;
}
