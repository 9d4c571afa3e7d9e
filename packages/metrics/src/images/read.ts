import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { ArgumentError } from "@refadgen/errors";
import { readNpy } from "@refadgen/graph";
import { decodeWithMode, ImageError, loadImage } from "@refadgen/image";
import type { SkippedImage } from "../metrics/contract.js";
import { MetricError } from "../metrics/error.js";
import type { Picture } from "../networks/contract.js";
import { rememberDigest } from "./digest.js";
import type { ListOptions } from "./listing.js";
import { type ImageSource, openSource, type UnreadImage } from "./source.js";

export interface ReadOptions extends ListOptions {
  /** A picture that cannot be read ends the run (`error`, the default), or is listed in the result (`skip`). */
  readonly onBadImage?: "error" | "skip";
  /** Refuse pictures of more pixels. Default 64 000 000. */
  readonly maxPixels?: number;
  /** Refuse files of more bytes. Default 512 MiB. */
  readonly maxBytes?: number;
  /** How many pictures are decoded at once, ahead of use. Default twice the processors. */
  readonly decodeAhead?: number;
  readonly signal?: AbortSignal;
}

/** A picture, or why there is none. */
export type ReadImage = { readonly name: string; readonly picture: Picture } | { readonly name: string; readonly skipped: SkippedImage };

/** The pictures of a source, in order, decoded a bounded number ahead. */
export interface ImageStream extends AsyncIterable<ReadImage> {
  /** Absent when it shows at the end only. */
  readonly count?: number;
}

/**
 * Opens a source. Pixels are as Python's packages see them: neither colour profile nor EXIF orientation is applied, animations give their
 * first frame, 16 bits their upper 8, CMYK is converted.
 *
 * @param role what the source is, for messages
 * @throws ArgumentError for what is no source; MetricError `no-images`; while iterating MetricError `bad-image`, with the picture's ImageError
 * as its cause
 */
export async function readImages(role: string, source: ImageSource, options: ReadOptions = {}): Promise<ImageStream> {
  const { onBadImage = "error", decodeAhead = 2 * availableParallelism(), signal } = options;
  if (onBadImage !== "error" && onBadImage !== "skip")
    throw new ArgumentError(`${role}: expected onBadImage "error" or "skip", got "${String(onBadImage)}"`);
  if (!Number.isInteger(decodeAhead) || decodeAhead < 1) throw new ArgumentError(`${role}: expected decodeAhead of at least 1, got ${decodeAhead}`);
  signal?.throwIfAborted();
  const { count, images } = await openSource(role, source, options);
  return {
    ...(count !== undefined && { count }),
    async *[Symbol.asyncIterator]() {
      const coming: Promise<ReadImage>[] = [];
      for await (const image of images) {
        signal?.throwIfAborted();
        const reading = readOne(role, image, options);
        // A failure is met when its turn comes.
        reading.catch(() => undefined);
        coming.push(reading);
        if (coming.length >= decodeAhead) yield await coming.shift()!;
      }
      for (const reading of coming) yield await reading;
    },
  };
}

/** Reads one picture. */
export async function readOne(role: string, { name, content }: UnreadImage, options: ReadOptions): Promise<ReadImage> {
  try {
    return { name, picture: await decode(content, options) };
  } catch (error) {
    options.signal?.throwIfAborted();
    const code: unknown = ImageError.isInstance(error)
      ? error.code
      : ArgumentError.isInstance(error)
        ? error.code
        : Reflect.get(Object(error), "code");
    if (typeof code !== "string") throw error;
    const reason = error instanceof Error ? error.message : String(error);
    if (options.onBadImage === "skip") return { name, skipped: { name, code, reason } };
    throw new MetricError("bad-image", `${role}: ${name} cannot be read (${code}): ${reason}`, { cause: error });
  }
}

async function decode(content: string | Uint8Array | Picture, { maxPixels, maxBytes, signal }: ReadOptions): Promise<Picture> {
  const limits = { ...(maxPixels !== undefined && { maxPixels }), ...(maxBytes !== undefined && { maxBytes }), ...(signal && { signal }) };
  if (typeof content === "string" && content.endsWith(".npy")) return fromNumpy(content);
  if (typeof content === "string" || content instanceof Uint8Array) {
    // Checks the file's size before it is read.
    const bytes = typeof content === "string" ? await fileBytes(content, maxBytes) : content;
    const { image, mode } = await decodeWithMode(bytes, { ...limits, applyProfile: false, applyOrientation: false });
    const picture = { image, mode };
    rememberDigest(picture, createHash("sha256").update(bytes).digest("hex"));
    return picture;
  }
  await loadImage("image" in content ? content.image : content, limits);
  return content;
}

const defaultMaxBytes = 512 * 2 ** 20;

async function fileBytes(path: string, maxBytes = defaultMaxBytes): Promise<Uint8Array> {
  const status = await stat(path).catch((cause: unknown) => {
    throw new ImageError("missing-file", `no such file: ${path}`, { cause });
  });
  if (!status.isFile()) throw new ImageError("unreadable", `expected a file: ${path}`);
  if (status.size > maxBytes) throw new ImageError("limit", `expected at most ${maxBytes} bytes, got ${status.size}: ${path}`);
  return readFile(path).catch((cause: unknown) => {
    throw new ImageError("unreadable", `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
}

/** clean-fid also takes arrays `[H, W, 3]` of bytes. */
async function fromNumpy(path: string): Promise<Picture> {
  const { dtype, dims, data } = await readNpy(path);
  const [height, width, channels] = dims;
  if (dtype !== "uint8" || dims.length !== 3 || channels !== 3)
    throw new ImageError("unsupported", `expected an array of uint8 [H, W, 3], got ${dtype} [${dims.join(", ")}]: ${path}`);
  const picture: Picture = { width: width!, height: height!, channels: 3, data };
  rememberDigest(picture, createHash("sha256").update(`${height} ${width} `).update(data).digest("hex"));
  return picture;
}
