import { isUtf8 } from "node:buffer";
import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";

/** What a weight file is by its first bytes. `pickle` is a legacy PyTorch file, or a bare pickle. */
export type WeightFormat = "safetensors" | "zip" | "pickle" | "npy" | "json";

const sniffed = 512;
const longestHeader = 100_000_000n;
const openBrace = 0x7b;

/**
 * Tells a weight file's format by its content; names play no part. Throws a `WeightsError` that says what was found instead
 * (`unsupported` for another format, `malformed` for none, `truncated` for less than the first bytes of one).
 */
export async function detectFormat(file: WeightFile): Promise<WeightFormat> {
  const { path, size } = file;
  const head = await file.read(0, Math.min(sniffed, size));
  const headerLength = size >= 9 ? head.readBigUInt64LE(0) : 0n;
  // First, since the length of a safetensors header may look like anything: 640 reads 80 02.
  if (head[8] === openBrace && headerLength >= 2n && headerLength <= longestHeader) return "safetensors";
  if (begins(head, "PK\x03\x04") || begins(head, "PK\x05\x06")) return "zip";
  if (begins(head, "\x93NUMPY")) return "npy";
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return "pickle";

  const found = otherContent(head, file);
  if (found) throw new WeightsError("unsupported", `${path}: expected safetensors, a PyTorch checkpoint or NumPy arrays, got ${found}`);
  const text = printable(head);
  if (text !== undefined && /^\s*[{[]/.test(text)) return "json";
  if (text !== undefined && size >= 8) {
    throw new WeightsError(
      "malformed",
      `${path}: expected safetensors, a PyTorch checkpoint or NumPy arrays, got plain text: ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  if (size < 9) throw new WeightsError("truncated", `${path}: expected a weight file, got ${size} bytes`);
  if (head.every((byte) => byte === 0) && (await onlyZeros(file))) {
    throw new WeightsError("malformed", `${path}: expected a weight file, got nothing but zero bytes (an interrupted download?)`);
  }
  if (head[8] === openBrace || headerLength <= longestHeader) return "safetensors";
  throw new WeightsError(
    "malformed",
    `${path}: expected safetensors, a PyTorch checkpoint or NumPy arrays; the first bytes are ${head.subarray(0, 8).toString("hex")}`,
  );
}

function otherContent(head: Buffer, { size }: WeightFile): string | undefined {
  if (size === 0) return "an empty file";
  if (begins(head, "\x1f\x8b")) return "a gzip file (unpack it first)";
  if (begins(head, "\x89PNG")) return "a PNG image";
  if (begins(head, "\xff\xd8\xff")) return "a JPEG image";
  if (begins(head, "GGUF")) return "a GGUF file";
  if (begins(head, "\x89HDF\r\n\x1a\n")) return "an HDF5 file";
  if (begins(head, "BZh") || begins(head, "\xfd7zXZ") || begins(head, "7z\xbc\xaf") || begins(head, "\x28\xb5\x2f\xfd"))
    return "a compressed file (unpack it first)";
  if (head.toString("latin1", 257, 262) === "ustar") return "a tar file (PyTorch 0.1 and packed downloads; not read here)";
  if (begins(head, "version https://git-lfs")) return "a git-lfs pointer, not the file itself (run: git lfs pull)";
  if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(head.toString("latin1"))) return "an HTML page (a failed download?)";
  return undefined;
}

function begins(head: Buffer, text: string): boolean {
  return head.toString("latin1", 0, text.length) === text;
}

/** The text, unless there are control characters in it or it is no UTF-8 (a character cut at the end aside). */
function printable(head: Buffer): string | undefined {
  const cut = [0, 1, 2, 3].find((count) => count < head.length && isUtf8(head.subarray(0, head.length - count)));
  if (cut === undefined) return undefined;
  const text = head.toString("utf8", 0, head.length - cut);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return /[\0-\x08\x0e-\x1f\x7f]/.test(text) ? undefined : text;
}

async function onlyZeros(file: WeightFile): Promise<boolean> {
  const piece = 2 ** 20;
  for (let at = 0; at < file.size; at += piece) {
    if ((await file.read(at, Math.min(piece, file.size - at))).some((byte) => byte !== 0)) return false;
  }
  return true;
}
