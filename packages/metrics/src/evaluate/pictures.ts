import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { decodeWithMode, ImageError, type ResizeFilter, resizeImage, type Size } from "@refadgen/image";
import { digestOf, rememberDigest } from "../images/digest.js";
import type { PictureWithMode } from "../networks/contract.js";

/** A file as an evaluation sees it: pixels, or why there are none. */
export type ReadPicture = { readonly picture: PictureWithMode; readonly digest: string } | { readonly code: string; readonly reason: string };

/** Larger files are no pictures that anybody wants judged; they are not read. */
const mostBytes = 512 * 2 ** 20;

/**
 * Reads files for one evaluation. Pixels are as Python's packages see them: neither colour profile nor orientation is applied.
 * Of every file the digest is remembered, and the reason if it cannot be read, so that all metrics agree on what is skipped.
 */
export class PictureReader {
  readonly #digests = new Map<string, string>();
  readonly #failures = new Map<string, { readonly code: string; readonly reason: string }>();

  /** sha256 of the file's bytes; a text that no file has when it cannot be read. */
  async digest(path: string): Promise<string> {
    const known = this.#digests.get(path);
    if (known !== undefined) return known;
    try {
      return this.#remember(path, await fileBytes(path));
    } catch {
      return "unreadable";
    }
  }

  /** The picture of a file; given a size, resized to it. Never throws for what is wrong with the file. */
  async read(path: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ReadPicture> {
    const failure = this.#failures.get(path);
    if (failure) return failure;
    try {
      const bytes = await fileBytes(path);
      const digest = this.#remember(path, bytes);
      const { image, mode } = await decodeWithMode(bytes, {
        applyProfile: false,
        applyOrientation: false,
        ...(options.signal && { signal: options.signal }),
      });
      const picture = { image, mode };
      rememberDigest(picture, digest);
      return { picture, digest };
    } catch (error) {
      options.signal?.throwIfAborted();
      const reason = failureOf(error);
      this.#failures.set(path, reason);
      return reason;
    }
  }

  #remember(path: string, bytes: Uint8Array): string {
    const digest = createHash("sha256").update(bytes).digest("hex");
    this.#digests.set(path, digest);
    return digest;
  }
}

/** A picture in another size; the same one when it has it already. */
export function resized(picture: PictureWithMode, { width, height }: Size, filter: ResizeFilter): PictureWithMode {
  if (picture.image.width === width && picture.image.height === height) return picture;
  const result = { ...picture, image: resizeImage(picture.image, { width, height }, { filter }) };
  const digest = digestOf(picture);
  if (digest !== undefined) rememberDigest(result, `${digest}/${filter}-${width}x${height}`);
  return result;
}

async function fileBytes(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > mostBytes) throw new ImageError("limit", `expected a file of at most ${mostBytes} bytes, got ${size}`);
  return readFile(path);
}

function failureOf(error: unknown): { readonly code: string; readonly reason: string } {
  const reason = error instanceof Error ? error.message : String(error);
  if (ImageError.isInstance(error)) return { code: error.code, reason };
  const code: unknown = Reflect.get(Object(error), "code");
  if (code === "ENOENT") return { code: "missing-file", reason: "there is no such file" };
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return { code: "unreadable", reason };
  throw error;
}
