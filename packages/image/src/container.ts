import { ImageError } from "./error.js";

/** The file formats that are read and written. */
export type ImageFormat = "png" | "jpeg" | "webp" | "avif";

/**
 * The mode in which Pillow would open a file. What Pillow does with a picture before it is converted to RGB depends on
 * it: "1" and "P" (palette) are resized by nearest neighbour whatever filter is asked for.
 */
export type PillowMode = "1" | "L" | "LA" | "P" | "RGB" | "RGBA" | "CMYK" | "I;16";

/** What the outside of a file tells without decoding it. */
export interface Container {
  readonly format: ImageFormat;
  /** PNG alone states its mode in the header; for the others it follows from the decoder's answer. */
  readonly pngMode?: PillowMode;
  /** PNG with a palette: its colours, `[n, 3]`. */
  readonly palette?: Uint8Array;
}

/**
 * Recognises a file by its first bytes, never by its name, and refuses one that ends too early. Decoders alone do not
 * suffice for that: libvips takes a PNG whose last chunks are missing.
 *
 * @throws ImageError `unsupported`, `truncated` or `malformed`
 */
export function inspectContainer(bytes: Uint8Array): Container {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 0) throw new ImageError("truncated", "decodeImage: expected an image, got an empty file");
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return inspectPng(bytes, view);
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return { format: "jpeg" };
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") {
    const end = 8 + view.getUint32(4, true);
    if (end > bytes.length) throw truncated("WebP", end, bytes.length);
    return { format: "webp" };
  }
  if (text(bytes, 4, 4) === "ftyp") return inspectAvif(bytes, view);
  throw new ImageError(
    "unsupported",
    `decodeImage: expected PNG, JPEG, WebP or AVIF, got ${bytes.length} bytes beginning with ${hex(bytes.subarray(0, 8))}`,
  );
}

function inspectPng(bytes: Uint8Array, view: DataView): Container {
  let pngMode: PillowMode | undefined;
  let palette: Uint8Array | undefined;
  for (let offset = 8; ; ) {
    if (offset + 12 > bytes.length) throw truncated("PNG", offset + 12, bytes.length);
    const length = view.getUint32(offset);
    const type = text(bytes, offset + 4, 4);
    if (!/^[A-Za-z]{4}$/.test(type))
      throw new ImageError(
        "malformed",
        `decodeImage: expected a PNG chunk at byte ${offset}, got type ${hex(bytes.subarray(offset + 4, offset + 8))}`,
      );
    const end = offset + 12 + length;
    if (end > bytes.length) throw truncated("PNG", end, bytes.length);
    if (offset === 8) {
      if (type !== "IHDR" || length !== 13)
        throw new ImageError("malformed", `decodeImage: expected a PNG to begin with IHDR of 13 bytes, got ${type} of ${length}`);
      pngMode = modeOfPng(bytes[offset + 16]!, bytes[offset + 17]!);
    }
    if (type === "PLTE") palette = bytes.slice(offset + 8, offset + 8 + length);
    if (type === "IEND") break;
    offset = end;
  }
  return { format: "png", ...(pngMode && { pngMode }), ...(pngMode === "P" && palette && { palette }) };
}

/** Pillow, src/PIL/PngImagePlugin.py: the mode by bit depth and colour type. */
function modeOfPng(depth: number, colourType: number): PillowMode {
  switch (colourType) {
    case 0:
      return depth === 1 ? "1" : depth === 16 ? "I;16" : "L";
    case 2:
      return "RGB";
    case 3:
      return "P";
    case 4:
      return depth === 16 ? "RGBA" : "LA";
    case 6:
      return "RGBA";
    default:
      throw new ImageError("malformed", `decodeImage: expected PNG colour type 0, 2, 3, 4 or 6, got ${colourType}`);
  }
}

function inspectAvif(bytes: Uint8Array, view: DataView): Container {
  const brands = [];
  const end = Math.min(view.getUint32(0), bytes.length);
  for (let offset = 8; offset + 4 <= end; offset += 4) if (offset !== 12) brands.push(text(bytes, offset, 4));
  if (!brands.includes("avif") && !brands.includes("avis")) {
    throw new ImageError(
      "unsupported",
      `decodeImage: expected PNG, JPEG, WebP or AVIF, got an ISO media file of brand ${JSON.stringify(brands[0] ?? "")}`,
    );
  }
  let hasData = false;
  for (let offset = 0; offset < bytes.length; ) {
    if (offset + 8 > bytes.length) throw truncated("AVIF", offset + 8, bytes.length);
    const size = view.getUint32(offset);
    if (size === 1 && offset + 16 > bytes.length) throw truncated("AVIF", offset + 16, bytes.length);
    // 0: to the end of the file; 1: the length follows in 64 bits.
    const length = size === 0 ? bytes.length - offset : size === 1 ? Number(view.getBigUint64(offset + 8)) : size;
    if (length < 8) throw new ImageError("malformed", `decodeImage: expected an AVIF box of 8 bytes or more at byte ${offset}, got ${length}`);
    if (offset + length > bytes.length) throw truncated("AVIF", offset + length, bytes.length);
    const type = text(bytes, offset + 4, 4);
    hasData ||= type === "mdat" || (type === "meta" && Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).includes("idat"));
    offset += length;
  }
  if (!hasData) throw new ImageError("truncated", `decodeImage: expected AVIF picture data, got ${bytes.length} bytes without any`);
  return { format: "avif" };
}

function truncated(format: string, expected: number, got: number): ImageError {
  return new ImageError("truncated", `decodeImage: expected ${format} data of at least ${expected} bytes, got ${got}`);
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

function text(bytes: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + length));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
