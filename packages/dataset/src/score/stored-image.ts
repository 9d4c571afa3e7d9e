import { decodeImage, type Image, toRgb } from "@refadgen/image";
import type { FileStore, StoredFile } from "../contract.js";

/** A picture of the store, as its pixels and as its file. */
export async function storedImage(files: FileStore, file: StoredFile): Promise<{ readonly image: Image; readonly bytes: Uint8Array }> {
  const bytes = await files.get(file);
  return { image: await decodeImage(bytes), bytes };
}

/** RGB; alpha, which is a product's outline, on white, as everywhere else. */
export function flattened(image: Image): Image {
  const { channels, data } = image;
  if (channels === 1 || channels === 3) return toRgb(image);
  const out = data.slice();
  for (let at = 0; at < out.length; at += channels) {
    const alpha = data[at + channels - 1]!;
    for (let c = 0; c < channels - 1; c++) out[at + c] = Math.round((data[at + c]! * alpha + 255 * (255 - alpha)) / 255);
  }
  return toRgb({ ...image, data: out });
}
