import type { TripletPicture } from "../contract.js";
import { DatasetError } from "../error.js";

export type PictureType = TripletPicture["type"];

const extensions: Readonly<Record<PictureType, string>> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

/** What a picture's file begins with says what it is; names may lie. */
export function pictureType(bytes: Uint8Array): PictureType | undefined {
  const latin = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (latin(0, 8) === "\u0089PNG\r\n\u001a\n") return "image/png";
  if (latin(0, 3) === "\u00ff\u00d8\u00ff") return "image/jpeg";
  if (latin(0, 4) === "RIFF" && latin(8, 12) === "WEBP") return "image/webp";
  return undefined;
}

/** Without the dot: png, jpg, webp. */
export function pictureExtension(type: PictureType): string {
  return extensions[type];
}

/**
 * A picture of the bytes of a file.
 *
 * @param where the file and entry, for the message
 * @throws DatasetError `format` if it is neither PNG nor JPEG nor WebP
 */
export function pictureOf(where: string, bytes: Uint8Array): TripletPicture {
  const type = pictureType(bytes);
  if (!type) throw new DatasetError("format", `${where}: expected a PNG, JPEG or WebP picture, got ${bytes.length} bytes of something else`);
  return { bytes, type };
}
