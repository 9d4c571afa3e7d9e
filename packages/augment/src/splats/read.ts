import { readFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { SplatFileError } from "./error.js";
import { looksLikeKsplat, readKsplat } from "./ksplat.js";
import { defaultSplatLimits, type SplatLimits } from "./limits.js";
import { readPly } from "./ply.js";
import type { SplatScene } from "./scene.js";
import { readSog } from "./sog.js";
import { readSplat } from "./splat.js";
import { looksLikeSpz, readSpz } from "./spz.js";

/** `ply` is both the plain one and PlayCanvas's compressed one. */
export type SplatFormat = "ply" | "splat" | "ksplat" | "spz" | "sog";

export interface ReadSplatsOptions extends Partial<SplatLimits> {
  /** Default: told from the content; `.splat`, which has no mark of its own, also from the name. */
  readonly format?: SplatFormat;
}

const readers: Readonly<Record<SplatFormat, (data: Uint8Array, limits: SplatLimits) => SplatScene | Promise<SplatScene>>> = {
  ply: readPly,
  splat: readSplat,
  ksplat: readKsplat,
  spz: readSpz,
  sog: readSog,
};

const extensions: readonly string[] = Object.keys(readers).map((format) => `.${format}`);

/**
 * Which format bytes are in, by their content; undefined if by none of its own: `.splat` is a list of numbers without a mark, so that any file of a
 * multiple of 32 bytes could be one.
 */
export function detectSplatFormat(data: Uint8Array): SplatFormat | undefined {
  const start = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 5)).toString("latin1");
  if (/^ply[\r\n]/.test(start)) return "ply";
  if (start.startsWith("PK\u0003\u0004")) return "sog";
  if (looksLikeSpz(data)) return "spz";
  return looksLikeKsplat(data) ? "ksplat" : undefined;
}

/**
 * Reads a file of Gaussian splats: INRIA `.ply`, PlayCanvas compressed `.ply`, `.splat`, `.ksplat`, `.spz` of version 2 to 4, `.sog` of version 2.
 *
 * The file is known by its content; a name that says something else is refused. Every count in it is checked against its size before memory is
 * taken, every number must be one that a splat can have. Quaternions come normalised (those of `.spz` as decoded, nearly so), a zero one as the identity; axes are those of a `.ply`.
 *
 * @param input a path or the file's bytes
 * @throws SplatFileError for what is not a whole file of splats within the limits; `ArgumentError` for wrong arguments.
 */
export async function readSplats(input: string | Uint8Array, options: ReadSplatsOptions = {}): Promise<SplatScene> {
  const limits = { ...defaultSplatLimits, ...options };
  const { format } = options;
  if (format !== undefined && !Object.hasOwn(readers, format)) {
    throw new ArgumentError(`readSplats: expected a format of ${Object.keys(readers).join(", ")}, got ${String(format)}`);
  }
  for (const name of ["maxSplats", "maxBytes"] as const) {
    if (!(limits[name] >= 0)) throw new ArgumentError(`readSplats: expected ${name} of at least 0, got ${limits[name]}`);
  }
  if (typeof input !== "string" && !(input instanceof Uint8Array))
    throw new ArgumentError(`readSplats: expected a path or bytes, got ${typeof input}`);
  const data = await bytesOf(input, limits);
  return await readers[format ?? formatOf(input, data)](data, limits);
}

function formatOf(input: string | Uint8Array, data: Uint8Array): SplatFormat {
  const found = detectSplatFormat(data);
  const extension = typeof input === "string" ? extname(input).toLowerCase() : "";
  const named = extensions.includes(extension) ? (extension.slice(1) as SplatFormat) : undefined;
  const content = data.length === 0 ? "no bytes" : JSON.stringify(Buffer.from(data.subarray(0, 8)).toString("latin1"));
  if (named !== undefined && found !== undefined && named !== found) {
    throw new SplatFileError("unknown-format", `readSplats: expected the content of a .${named} file, got that of .${found}`);
  }
  if (found !== undefined) return found;
  // Without a mark: only what may be a list of records, and not what its name says has one.
  if (named === "ksplat" || named === "splat") return named;
  if (named !== undefined) throw new SplatFileError("damaged", `readSplats: expected the content of a .${named} file, got ${content}`);
  if (data.length > 0 && data.length % 32 === 0) return "splat";
  throw new SplatFileError(
    "unknown-format",
    `readSplats: expected .ply, .splat, .ksplat, .spz or .sog, got a file of ${data.length} bytes that begins with ${content}`,
  );
}

async function bytesOf(input: string | Uint8Array, { maxBytes }: SplatLimits): Promise<Uint8Array> {
  const size = typeof input === "string" ? (await stat(input)).size : input.length;
  if (size > maxBytes) throw new SplatFileError("limit", `readSplats: expected at most ${maxBytes} bytes, got ${size}`);
  return typeof input === "string" ? readFile(input) : input;
}
