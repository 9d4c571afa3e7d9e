import { composite, encodeImage, fitInside, type Image, resizeImage, toRgb } from "@refadgen/image";

/** 1280 squares of 28 × 28 pixels, what Qwen2.5-VL's authors advise at most. */
export const defaultMaxPixels: number = 1280 * 28 * 28;

export interface SentPicture {
  readonly dataUrl: string;
  /** About what the picture costs: one token for 28 × 28 pixels, as Qwen2.5-VL counts, and some for its frame. */
  readonly tokens: number;
}

/** The picture as a JPEG in a data URL, on white, of at most so many pixels. */
export async function sentPicture(
  image: Image,
  { maxPixels, quality }: { readonly maxPixels: number; readonly quality: number },
): Promise<SentPicture> {
  const flat = image.channels === 2 || image.channels === 4 ? toRgb(composite(image, [255, 255, 255])) : toRgb(image);
  const scale = Math.sqrt(maxPixels / (flat.width * flat.height));
  const box = { width: Math.max(1, Math.floor(flat.width * scale)), height: Math.max(1, Math.floor(flat.height * scale)) };
  const small = scale >= 1 ? flat : resizeImage(flat, fitInside(flat, box), { filter: "bicubic" });
  const bytes = await encodeImage(small, { format: "jpeg", quality });
  return {
    dataUrl: `data:image/jpeg;base64,${Buffer.from(bytes).toString("base64")}`,
    tokens: Math.ceil(small.width / 28) * Math.ceil(small.height / 28) + 16,
  };
}
