import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { ImageFormat } from "./container.js";
import { ImageError } from "./error.js";
import { assertImage, type Image } from "./image.js";

/** The format and what belongs to it; `quality` is 1 to 100. */
export type EncodeOptions =
  | {
      readonly format: "png";
      /** zlib effort, 0 to 9. Default 6. The pixels are the same at any level. */
      readonly compressionLevel?: number;
    }
  | {
      readonly format: "jpeg";
      /** Default 95. */
      readonly quality?: number;
      /** Default "4:4:4": sharp coloured edges, as product pictures have, are kept. */
      readonly chromaSubsampling?: "4:2:0" | "4:4:4";
    }
  | {
      readonly format: "webp" | "avif";
      /** Default 90. */
      readonly quality?: number;
      /** Default false. */
      readonly lossless?: boolean;
    };

/** `EncodeOptions` without the format, which the file's extension gives. */
export interface SaveOptions {
  /** JPEG, WebP, AVIF: 1 to 100. Defaults as in `EncodeOptions`. */
  readonly quality?: number;
  /** WebP, AVIF. */
  readonly lossless?: boolean;
  /** PNG. */
  readonly compressionLevel?: number;
  /** JPEG. */
  readonly chromaSubsampling?: "4:2:0" | "4:4:4";
}

const formatOfExtension: Readonly<Record<string, ImageFormat>> = { ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".avif": "avif" };
const optionsOfFormat: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ["compressionLevel"],
  jpeg: ["quality", "chromaSubsampling"],
  webp: ["quality", "lossless"],
  avif: ["quality", "lossless"],
};

/**
 * Encodes 8-bit pixels. Grey stays grey in PNG and JPEG. Nothing but the picture is written: no EXIF, no profile (the pixels are sRGB).
 *
 * @throws ArgumentError for options that the format does not have, values out of range, or a JPEG of a picture with alpha
 */
export async function encodeImage(image: Image, options: EncodeOptions): Promise<Uint8Array> {
  assertImage("encodeImage", image);
  checkOptions("encodeImage", image, options);
  const { default: sharp } = await import("sharp");
  const { width, height, channels } = image;
  const source = sharp(image.data, { raw: { width, height, channels }, limitInputPixels: false });
  // Without this a grey picture would be written as RGB.
  if (channels < 3 && (options.format === "png" || options.format === "jpeg")) source.toColourspace("b-w");
  try {
    return new Uint8Array(await encoded());
  } catch (error) {
    throw new ImageError(
      "unwritable",
      `encodeImage: cannot encode ${width} × ${height} as ${options.format}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }

  function encoded(): Promise<Buffer> {
    switch (options.format) {
      case "png":
        return source.png({ compressionLevel: options.compressionLevel ?? 6, palette: false }).toBuffer();
      case "jpeg":
        return source.jpeg({ quality: options.quality ?? 95, chromaSubsampling: options.chromaSubsampling ?? "4:4:4" }).toBuffer();
      case "webp":
        // exact: colours under full transparency are pixels too.
        return source.webp({ quality: options.quality ?? 90, lossless: options.lossless ?? false, exact: true }).toBuffer();
      case "avif":
        return source.avif({ quality: options.quality ?? 90, lossless: options.lossless ?? false, chromaSubsampling: "4:4:4" }).toBuffer();
    }
  }
}

/**
 * Encodes by the path's extension (.png .jpg .jpeg .webp .avif) and writes under a temporary name beside it, then renames:
 * a file of that name is either the old one or the whole new one.
 *
 * @throws ImageError `unsupported` for another extension, `unwritable` when the system refuses; `ArgumentError` as `encodeImage`
 */
export async function saveImage(image: Image, path: string, options: SaveOptions = {}): Promise<void> {
  const extension = extname(path).toLowerCase();
  const format = formatOfExtension[extension];
  if (!format) throw new ImageError("unsupported", `saveImage: expected a name ending in ${Object.keys(formatOfExtension).join(" ")}, got ${path}`);
  const bytes = await encodeImage(image, { ...options, format } as EncodeOptions);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the one to report
    throw new ImageError("unwritable", `saveImage: cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function checkOptions(name: string, image: Image, options: EncodeOptions): void {
  const allowed = optionsOfFormat[options?.format];
  if (!allowed) throw new ArgumentError(`${name}: expected format ${Object.keys(optionsOfFormat).join(", ")}, got ${String(options?.format)}`);
  for (const [key, value] of Object.entries(options)) {
    if (key !== "format" && value !== undefined && !allowed.includes(key)) throw new ArgumentError(`${name}: ${options.format} has no option ${key}`);
  }
  if (options.format === "jpeg" && (image.channels === 2 || image.channels === 4)) {
    throw new ArgumentError(`${name}: JPEG has no alpha; expected 1 or 3 channels, got ${image.channels}: use composite or toRgb first`);
  }
  const ranges = { quality: [1, 100], compressionLevel: [0, 9] } as const;
  for (const [key, [least, most]] of Object.entries(ranges)) {
    const value: unknown = Reflect.get(options, key);
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= least && Number(value) <= most)) {
      throw new ArgumentError(`${name}: expected ${key} to be an integer from ${least} to ${most}, got ${String(value)}`);
    }
  }
}
