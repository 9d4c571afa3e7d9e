import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import sharp, { type Sharp } from "sharp";
import { checkInteger, checkPicture, isFloat, type Picture, toByte, withData } from "./picture.js";

export interface JpegParams {
  /** 1 to 100. */
  readonly quality: number;
  /** Default `"4:2:0"`, as most uploads have. */
  readonly chromaSubsampling?: "4:2:0" | "4:4:4";
  /** How often it is saved again, 1 to 20; default 1. */
  readonly times?: number;
}

/** Saved as JPEG (libjpeg's tables) and opened again; alpha stays. */
export async function jpegCompression<P extends Picture>(picture: P, { quality, chromaSubsampling = "4:2:0", times = 1 }: JpegParams): Promise<P> {
  checkPicture("jpegCompression", picture);
  checkInteger("jpegCompression", "quality", quality, 1, 100);
  checkInteger("jpegCompression", "times", times, 1, 20);
  if (chromaSubsampling !== "4:2:0" && chromaSubsampling !== "4:4:4")
    throw new ArgumentError(`jpegCompression: expected chromaSubsampling 4:2:0 or 4:4:4, got ${String(chromaSubsampling)}`);
  if (Math.max(picture.width, picture.height) > 65_535)
    throw new ArgumentError(
      `jpegCompression: expected at most 65535 pixels a side, which is all JPEG holds, got ${picture.width} × ${picture.height}`,
    );
  // Huffman tables made to measure change the file's size, which nobody sees, and not its pixels.
  return recompressed(picture, times, (source) => source.jpeg({ quality, chromaSubsampling, mozjpeg: false, optimiseCoding: false }).toBuffer());
}

export interface WebpParams {
  /** 1 to 100. */
  readonly quality: number;
  /** How often it is saved again, 1 to 20; default 1. */
  readonly times?: number;
}

/** Saved as lossy WebP and opened again; alpha stays. */
export async function webpCompression<P extends Picture>(picture: P, { quality, times = 1 }: WebpParams): Promise<P> {
  checkPicture("webpCompression", picture);
  checkInteger("webpCompression", "quality", quality, 1, 100);
  checkInteger("webpCompression", "times", times, 1, 20);
  if (Math.max(picture.width, picture.height) > 16_383)
    throw new ArgumentError(
      `webpCompression: expected at most 16383 pixels a side, which is all WebP holds, got ${picture.width} × ${picture.height}`,
    );
  // Effort 2 is what image servers use for uploads, and takes a third of the default's time.
  return recompressed(picture, times, (source) => source.webp({ quality, effort: 2 }).toBuffer());
}

async function recompressed<P extends Picture>(picture: P, times: number, encode: (source: Sharp) => Promise<Buffer>): Promise<P> {
  const { width, height, channels } = picture;
  const bytes = isFloat(picture) ? Uint8Array.from(picture.data, toByte) : picture.data;
  const colours = channels < 3 ? 1 : 3;
  let pixels = coloursOf({ width, height, channels, data: bytes }, colours);
  for (let round = 0; round < times; round++) {
    const source = sharp(pixels, { raw: { width, height, channels: colours }, limitInputPixels: false });
    const file = await encode(colours === 1 ? source.toColourspace("b-w") : source);
    const decoder = sharp(file, { limitInputPixels: false });
    const { data, info } = await (colours === 1 ? decoder.toColourspace("b-w") : decoder.toColourspace("srgb"))
      .raw()
      .toBuffer({ resolveWithObject: true });
    pixels = coloursOf({ width, height, channels: info.channels as Image["channels"], data }, colours);
  }
  const out = picture.data.slice();
  const scale = isFloat(picture) ? 1 / 255 : 1;
  if (colours === channels && !isFloat(picture)) return withData(picture, new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length));
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let c = 0; c < colours; c++) out[pixel * channels + c] = pixels[pixel * colours + c]! * scale;
  return withData(picture, out);
}

/** The first channels of a picture. */
function coloursOf({ channels, data }: Image, colours: number): Uint8Array {
  if (channels === colours) return data;
  const out = new Uint8Array((data.length / channels) * colours);
  for (let from = 0, to = 0; from < data.length; from += channels) for (let c = 0; c < colours; c++) out[to++] = data[from + c]!;
  return out;
}
