import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";

/** How pictures become an animation. */
export interface AnimationOptions {
  readonly format: "gif" | "webp";
  /** Of each picture, 10 to 65535; default 80. */
  readonly frameMilliseconds?: number;
  /** Rounds, 0 for no end (the default) to 65535. */
  readonly loop?: number;
  /** WebP: 1 to 100; default 85. */
  readonly quality?: number;
}

/**
 * An animated GIF or WebP file.
 *
 * @param images all of one size, three or four channels
 * @throws ArgumentError for pictures that differ in size, or options outside what is said here.
 */
export async function encodeAnimation(images: readonly Image[], options: AnimationOptions): Promise<Uint8Array> {
  const [first] = images;
  if (!first) throw new ArgumentError("encodeAnimation: expected at least one picture, got none");
  const { format, frameMilliseconds = 80, loop = 0, quality = 85 } = options;
  if (format !== "gif" && format !== "webp") throw new ArgumentError(`encodeAnimation: expected the format gif or webp, got ${String(format)}`);
  whole("frameMilliseconds", frameMilliseconds, 10, 65_535);
  whole("loop", loop, 0, 65_535);
  whole("quality", quality, 1, 100);
  const { width, height, channels } = first;
  const size = width * height * channels;
  if (channels < 3) throw new ArgumentError(`encodeAnimation: expected pictures of 3 or 4 channels, got ${channels}`);
  const pixels = new Uint8Array(size * images.length);
  for (const [i, image] of images.entries()) {
    if (image.width !== width || image.height !== height || image.channels !== channels) {
      throw new ArgumentError(
        `encodeAnimation: expected pictures of ${width} × ${height} × ${channels}, got ${image.width} × ${image.height} × ${image.channels}`,
      );
    }
    pixels.set(image.data, i * size);
  }
  const { default: sharp } = await import("sharp");
  const pipeline = sharp(pixels, { raw: { width, height: height * images.length, channels, pageHeight: height }, limitInputPixels: false });
  const delay = images.map(() => frameMilliseconds);
  return format === "gif" ? pipeline.gif({ delay, loop, effort: 7 }).toBuffer() : pipeline.webp({ delay, loop, quality }).toBuffer();
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new ArgumentError(`encodeAnimation: expected ${name} of ${least} to ${most}, got ${value}`);
}
