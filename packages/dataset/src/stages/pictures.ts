import { decodeImage, encodeImage, type Image, toGrey, toRgb } from "@refadgen/image";
import type { FileStore, StoredFile } from "../contract.js";
import { DatasetError } from "../error.js";

/** A stored picture as it was kept, alpha and all. */
export async function storedPicture(files: FileStore, file: StoredFile): Promise<Image> {
  const bytes = await files.get(file);
  return decodeImage(bytes, { maxPixels: Number.MAX_SAFE_INTEGER });
}

/** Alpha is a product's outline: RGB on white, as everywhere else. */
export function onWhite(image: Image): Image {
  const { channels, data, width, height } = image;
  if (channels === 1 || channels === 3) return toRgb(image);
  const out = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const alpha = data[at + channels - 1]!;
    for (let c = 0; c < 3; c++) {
      const value = data[at + (channels === 2 ? 0 : c)]!;
      out[pixel * 3 + c] = Math.round((value * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { width, height, channels: 3, data: out };
}

/** A mask as its file has it: 1 where the product is. */
export async function storedMask(
  files: FileStore,
  file: StoredFile,
  { width, height }: Pick<Image, "width" | "height">,
  where: string,
): Promise<Image> {
  const grey = toGrey(onWhiteUnlessGrey(await storedPicture(files, file)));
  if (grey.width !== width || grey.height !== height)
    throw new DatasetError("format", `${where}: expected a mask of ${width} × ${height}, got ${grey.width} × ${grey.height}`);
  return { ...grey, data: grey.data.map((value) => (value >= 128 ? 255 : 0)) };
}

function onWhiteUnlessGrey(image: Image): Image {
  return image.channels === 1 ? image : onWhite(image);
}

/**
 * Effort 3 of zlib: a third of the time of the usual 6 for a few percent more bytes, and a run spends much of its time here.
 */
export async function putPng(files: FileStore, image: Image): Promise<StoredFile> {
  return files.put(await encodeImage(image, { format: "png", compressionLevel: 3 }), "image/png");
}
