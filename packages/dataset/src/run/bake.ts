import { decodeWithMode, encodeImage, type Image, ImageError, resizeImage, toRgb } from "@refadgen/image";
import type { FileStore, Rejection, StoredFile } from "../contract.js";
import { onWhite, putPng } from "../stages/pictures.js";

/** What may come in. */
export interface BakeLimits {
  /** Default 30 MB. */
  readonly maxBytes?: number | undefined;
  /** Default 64 000 000. */
  readonly maxPixels?: number | undefined;
  /** Larger pictures are made smaller, to this longer side. Default: they stay as they are. */
  readonly maxSide?: number | undefined;
}

export interface Baked {
  readonly picture: StoredFile;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation that was applied. */
  readonly orientation: number;
  readonly format: string;
}

/**
 * Makes a picture upright, sRGB, 8 bits, without anything that its file says besides: once, so that no stage turns it and another does not. Files that are so
 * already keep their compressed pixels to the bit.
 */
export async function bake(
  bytes: Uint8Array,
  files: FileStore,
  limits: BakeLimits = {},
): Promise<Baked | { readonly rejected: readonly Rejection[] }> {
  const { maxBytes = 30e6, maxPixels = 64e6, maxSide = Number.POSITIVE_INFINITY } = limits;
  try {
    // Every picture is decoded to its end: a file that breaks off is found here and not by each stage.
    const { image: whole, format } = await decodeWithMode(bytes, { maxBytes, maxPixels });
    const image = Math.max(whole.width, whole.height) > maxSide ? smaller(whole, maxSide) : whole;
    const { width, height } = image;
    const jpeg = format === "jpeg" ? plainJpeg(bytes) : undefined;
    const picture =
      jpeg?.plain && image === whole
        ? await files.put(jpeg.plain, "image/jpeg")
        : await stored(image, format, image === whole ? bytes : undefined, files);
    return { picture, width, height, orientation: jpeg?.orientation ?? 1, format };
  } catch (error) {
    if (!ImageError.isInstance(error)) throw error;
    return { rejected: [{ code: error.code === "limit" ? "too-large" : error.code, message: error.message }] };
  }
}

function smaller(image: Image, side: number): Image {
  const scale = side / Math.max(image.width, image.height);
  const size = { width: Math.max(1, Math.round(image.width * scale)), height: Math.max(1, Math.round(image.height * scale)) };
  // Means over areas, as img2dataset makes pictures smaller: a third of the time of the sharper filters.
  return resizeImage(image, size, { filter: "box" });
}

async function stored(image: Image, format: string, bytes: Uint8Array | undefined, files: FileStore): Promise<StoredFile> {
  if (format === "jpeg") return files.put(await encodeImage(toRgb(image), { format: "jpeg", quality: 95 }), "image/jpeg");
  if (format === "png" && bytes && isPlainPng(bytes)) return files.put(bytes, "image/png");
  return putPng(files, hasAlpha(image) ? image : onWhite(image));
}

function hasAlpha({ channels, data }: Image): boolean {
  if (channels !== 2 && channels !== 4) return false;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at]! < 255) return channels === 4;
  return false;
}

/** Only what a picture is made of: no profile, gamma, text, orientation, palette or frames; 8 bits RGB. */
function isPlainPng(bytes: Uint8Array): boolean {
  if (bytes[24] !== 8 || bytes[25] !== 2) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!["IHDR", "IDAT", "IEND", "pHYs", "sRGB"].includes(name)) return false;
    at += 12 + view.getUint32(at);
    if (name === "IEND") return at === bytes.length;
  }
  return false;
}

/**
 * A JPEG of three components, upright and without a profile, less its comments and metadata; and the orientation of any. Layout: ITU-T T.81 Annex B, EXIF 2.3 §4.5.
 */
function plainJpeg(bytes: Uint8Array): { readonly orientation: number; readonly plain?: Uint8Array } {
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  let [orientation, components, profile] = [1, 0, false];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    const end = at + 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
    const segment = bytes.subarray(at, end);
    if (marker === 0xe1) orientation = exifOrientation(segment) ?? orientation;
    else if (marker === 0xe2 && ascii(segment, 4, 11) === "ICC_PROFILE") profile = true;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) components = segment[9] ?? 0;
    // JFIF and Adobe's say how colours are to be read.
    if (!((marker >= 0xe1 && marker <= 0xed) || marker === 0xef || marker === 0xfe)) kept.push(segment);
    at = end;
    if (marker !== 0xda) continue;
    kept.push(bytes.subarray(at));
    return { orientation, ...(orientation === 1 && components === 3 && !profile && { plain: new Uint8Array(Buffer.concat(kept)) }) };
  }
  return { orientation };
}

function exifOrientation(segment: Uint8Array): number | undefined {
  if (ascii(segment, 4, 4) !== "Exif" || segment.length < 18) return undefined;
  const view = new DataView(segment.buffer, segment.byteOffset + 10, segment.length - 10);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return undefined;
  const count = view.getUint16(directory, little);
  for (let entry = directory + 2; entry < directory + 2 + count * 12 && entry + 12 <= view.byteLength; entry += 12) {
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

function ascii(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}
