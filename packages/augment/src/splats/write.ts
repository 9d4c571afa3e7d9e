import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { writeCompressedPly } from "./compressed-ply.js";
import { writePly } from "./ply.js";
import { checkScene, type SplatScene } from "./scene.js";
import { writeSplat } from "./splat.js";
import { writeSpz } from "./spz.js";

/** A format that is written, and what belongs to it. */
export type WriteSplatsOptions =
  | { readonly format: "ply" | "compressed-ply" | "splat" }
  | {
      readonly format: "spz";
      /** Default 4. */
      readonly version?: 3 | 4;
    };

/** Formats that are written. */
export const writableSplatFormats: readonly WriteSplatsOptions["format"][] = ["ply", "compressed-ply", "splat", "spz"];

/**
 * The bytes of a file of splats. Only `ply` is exact (but for quaternions, which are normalised, and opacities of 0 and 1, which have no logit);
 * `splat` has no spherical harmonics above degree 0; `compressed-ply` changes the order.
 *
 * @throws ArgumentError for a scene that is none (see `checkScene`) or an unknown format; SplatFileError if positions do not fit into `.spz`.
 */
export async function writeSplats(scene: SplatScene, options: WriteSplatsOptions): Promise<Uint8Array> {
  checkScene(scene, "writeSplats");
  switch (options.format) {
    case "ply":
      return writePly(scene);
    case "compressed-ply":
      return writeCompressedPly(scene);
    case "splat":
      return writeSplat(scene);
    case "spz":
      return writeSpz(scene, options);
    default:
      throw new ArgumentError(`writeSplats: expected a format of ${writableSplatFormats.join(", ")}, got ${String(Reflect.get(options, "format"))}`);
  }
}

/** The format that a name asks for: `.compressed.ply`, `.ply`, `.splat`, `.spz`; undefined for any other. */
export function splatFormatOfName(path: string): WriteSplatsOptions["format"] | undefined {
  if (path.toLowerCase().endsWith(".compressed.ply")) return "compressed-ply";
  const format = extname(path).slice(1).toLowerCase();
  return writableSplatFormats.find((known) => known === format);
}

/**
 * Writes a scene to a file, whole or not at all.
 *
 * @param options default: the format that the name asks for.
 * @throws as `writeSplats`; ArgumentError if the name asks for no format that is written.
 */
export async function saveSplats(path: string, scene: SplatScene, options?: WriteSplatsOptions): Promise<void> {
  const format = splatFormatOfName(path);
  if (!options && !format) throw new ArgumentError(`saveSplats: expected a name in .ply, .compressed.ply, .splat or .spz, got ${path}`);
  const bytes = await writeSplats(scene, options ?? ({ format } as WriteSplatsOptions));
  await replaceFile(path, bytes);
}

/** Writes beside the file, then renames: a reader never sees half of it. */
export async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
