import { readFile, stat } from "node:fs/promises";
import { ArgumentError } from "@refadgen/errors";
import type { Metadata, Sharp, SharpOptions } from "sharp";
import { type Container, type ImageFormat, inspectContainer, type PillowMode } from "./container.js";
import { ImageError } from "./error.js";
import { assertImage, type Channels, type Image } from "./image.js";

/** A path, an encoded file in memory (a Buffer is a Uint8Array), or pixels. */
export type ImageInput = string | Uint8Array | Image;

export interface DecodeOptions {
  /** Refuse pictures of more pixels, judged by the header before anything is decoded. Default 64 000 000. */
  readonly maxPixels?: number;
  /** Refuse files of more bytes, before they are read. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Turn the picture as its EXIF orientation says. Default true; Pillow's `Image.open` does not. */
  readonly applyOrientation?: boolean;
  /** Convert from the embedded colour profile to sRGB. Default true; Pillow's `convert("RGB")` does not. CMYK is always converted. */
  readonly applyProfile?: boolean;
  /** Checked before reading and before decoding; the decoder itself cannot be interrupted. */
  readonly signal?: AbortSignal;
}

/** A decoded picture with what its file said about itself. */
export interface DecodedImage {
  readonly image: Image;
  readonly format: ImageFormat;
  /** The mode in which Pillow would have opened the file. */
  readonly mode: PillowMode;
  /** Mode "P": the palette's colours, `[n, 3]`. */
  readonly palette?: Uint8Array;
}

const defaultMaxPixels = 64_000_000;
const defaultMaxBytes = 512 * 2 ** 20;

/**
 * Reads a PNG, JPEG, WebP or AVIF file as 8-bit sRGB: grey stays grey, alpha is kept, palettes are expanded, 16 bits become
 * the upper 8, CMYK and colour profiles are converted, the EXIF orientation is applied, animations give their first frame.
 *
 * @param input a path or the file's bytes
 * @throws ImageError for anything that is not a whole picture within the limits; `ArgumentError` for wrong arguments
 */
export async function decodeImage(input: string | Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  return (await decodeWithMode(input, options)).image;
}

/**
 * `decodeImage`, and the mode in which Pillow would have opened the file: needed to repeat code that resizes *before* it
 * converts to RGB (OpenAI's CLIP, ImageReward). See `pillowFilter`.
 */
export async function decodeWithMode(input: string | Uint8Array, options: DecodeOptions = {}): Promise<DecodedImage> {
  const maxPixels = positive("maxPixels", options.maxPixels ?? defaultMaxPixels);
  const maxBytes = positive("maxBytes", options.maxBytes ?? defaultMaxBytes);
  options.signal?.throwIfAborted();
  const bytes = await readBytes(input, maxBytes);
  options.signal?.throwIfAborted();
  const container = inspectContainer(bytes);
  const { default: sharp } = await import("sharp");

  const metadata = await attempt(container, () => sharp(bytes, { limitInputPixels: false }).metadata());
  const { width, height } = metadata;
  if (width * height > maxPixels)
    throw new ImageError("limit", `decodeImage: expected at most ${maxPixels} pixels, got ${width} × ${height} = ${width * height}`);

  const settings: SharpOptions = {
    limitInputPixels: maxPixels,
    failOn: "warning",
    autoOrient: options.applyOrientation ?? true,
    ignoreIcc: options.applyProfile === false,
  };
  const image = await attempt(container, () => rawPixels(sharp(bytes, settings), metadata));
  return {
    image,
    format: container.format,
    mode: container.pngMode ?? modeOf(container.format, metadata),
    ...(container.palette && { palette: container.palette }),
  };
}

/**
 * Pixels from whatever the caller has. Files and bytes are decoded; pixels are checked and handed back as they are, not copied.
 *
 * @throws as `decodeImage`; `ArgumentError` for pixels that are not what their width, height and channels say
 */
export async function loadImage(input: ImageInput, options: DecodeOptions = {}): Promise<Image> {
  if (typeof input === "string" || input instanceof Uint8Array) return decodeImage(input, options);
  assertImage("loadImage", input);
  const maxPixels = positive("maxPixels", options.maxPixels ?? defaultMaxPixels);
  if (input.width * input.height > maxPixels)
    throw new ImageError("limit", `loadImage: expected at most ${maxPixels} pixels, got ${input.width} × ${input.height}`);
  return input;
}

async function readBytes(input: string | Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (input instanceof Uint8Array) {
    if (input.length > maxBytes) throw new ImageError("limit", `decodeImage: expected at most ${maxBytes} bytes, got ${input.length}`);
    return input;
  }
  if (typeof input !== "string") throw new ArgumentError(`decodeImage: expected a path or bytes, got ${input === null ? "null" : typeof input}`);
  try {
    const status = await stat(input);
    if (!status.isFile())
      throw new ImageError("unreadable", `decodeImage: expected a file, got ${status.isDirectory() ? "a folder" : "a special file"}: ${input}`);
    if (status.size > maxBytes) throw new ImageError("limit", `decodeImage: expected at most ${maxBytes} bytes, got ${status.size}: ${input}`);
    return await readFile(input);
  } catch (error) {
    if (ImageError.isInstance(error)) throw error;
    const code = Reflect.get(Object(error), "code");
    if (code === "ENOENT" || code === "ENOTDIR") throw new ImageError("missing-file", `decodeImage: no such file: ${input}`, { cause: error });
    throw new ImageError("unreadable", `decodeImage: cannot read ${input}: ${messageOf(error)}`, { cause: error });
  }
}

async function rawPixels(source: Sharp, metadata: Metadata): Promise<Image> {
  const { data, info } = await source.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  // sharp's raw output of grey + alpha loses the alpha, so that everything is taken as RGB(A) and grey picked out here.
  const grey = metadata.space === "b-w" || metadata.space === "grey16";
  if (!grey || info.channels < 3) return { width, height, channels: info.channels as Channels, data: bytes };
  const channels = info.channels === 4 ? 2 : 1;
  const picked = new Uint8Array(width * height * channels);
  for (let pixel = 0, from = 0; pixel < width * height; pixel++, from += info.channels) {
    picked[pixel * channels] = bytes[from]!;
    if (channels === 2) picked[pixel * 2 + 1] = bytes[from + 3]!;
  }
  return { width, height, channels, data: picked };
}

function modeOf(format: ImageFormat, metadata: Metadata): PillowMode {
  if (format !== "jpeg") return metadata.hasAlpha ? "RGBA" : "RGB";
  return metadata.space === "cmyk" ? "CMYK" : metadata.space === "b-w" ? "L" : "RGB";
}

/** Runs the decoder and tells apart what its messages mean. */
async function attempt<T>(container: Container, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    const message = messageOf(error).trim().split("\n")[0]!;
    const name = container.format.toUpperCase();
    if (/exceeds pixel limit/i.test(message)) throw new ImageError("limit", `decodeImage: ${message}`, { cause: error });
    if (/premature end|truncat/i.test(message))
      throw new ImageError("truncated", `decodeImage: the ${name} data end too early (${message})`, { cause: error });
    if (/unsupported|not supported/i.test(message))
      throw new ImageError("unsupported", `decodeImage: this kind of ${name} cannot be decoded (${message})`, { cause: error });
    throw new ImageError("malformed", `decodeImage: expected well-formed ${name} data (${message})`, { cause: error });
  }
}

function positive(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new ArgumentError(`decodeImage: expected ${name} to be a positive integer, got ${String(value)}`);
  return value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
