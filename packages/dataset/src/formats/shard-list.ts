import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import type { Triplet } from "../contract.js";
import { DatasetError } from "../error.js";
import { type DatasetFormat, indexName, readIndex } from "./index-file.js";

export interface Shard {
  readonly path: string;
  readonly bytes: number;
  /** By the index, or by what the file's name begins with. */
  readonly split?: NonNullable<Triplet["split"]>;
}

/**
 * The shards of a folder, by its index or else all files of these endings; or those listed. Sorted by name.
 *
 * @throws DatasetError `format` if a file of the index is missing or of another size, or there are none; `refused` for `pipe:` and addresses
 */
export async function listShards(
  where: string,
  source: string | readonly string[],
  format: DatasetFormat,
  endings: readonly string[],
): Promise<readonly Shard[]> {
  const paths = typeof source === "string" ? [source] : source;
  if (paths.length === 0) throw new ArgumentError(`${where}: expected shards, got an empty list`);
  for (const path of paths)
    if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(path))
      throw new DatasetError("refused", `${where}: expected files of this machine, got ${JSON.stringify(path)}`);
  if (typeof source === "string" && (await fileStatus(source)).isDirectory()) return folderShards(where, source, format, endings);
  const shards = await Promise.all(
    paths.map(async (path): Promise<Shard> => {
      const status = await fileStatus(path);
      if (!status.isFile()) throw new DatasetError("unreadable", `${where}: expected a file, got something else: ${path}`);
      return { path, bytes: status.size, ...splitOfName(path) };
    }),
  );
  return shards.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function folderShards(where: string, folder: string, format: DatasetFormat, endings: readonly string[]): Promise<readonly Shard[]> {
  const index = await readIndex(folder);
  if (index) {
    if (index.format !== format) throw new DatasetError("format", `${where}: expected ${format}, got ${index.format} in ${join(folder, indexName)}`);
    return Promise.all(
      index.files.map(async ({ file, bytes, split }) => {
        const path = join(folder, file);
        const { size } = await fileStatus(path);
        if (size !== bytes) throw new DatasetError("format", `${where}: expected ${bytes} bytes by ${indexName}, got ${size}: ${path}`);
        return { path, bytes, ...(split && { split }) };
      }),
    );
  }
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".") && endings.some((ending) => name.toLowerCase().endsWith(ending)));
  if (names.length === 0) throw new DatasetError("unreadable", `${where}: expected files ending in ${endings.join(", ")}, got none in ${folder}`);
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      return { path, bytes: (await fileStatus(path)).size, ...splitOfName(name) };
    }),
  );
}

function splitOfName(path: string): Pick<Shard, "split"> {
  const split = /(?:^|[-_.])(train|test)(?=[-_.])/.exec(basename(path))?.[1] as Shard["split"];
  return split ? { split } : {};
}

/** @throws DatasetError `unreadable` */
async function fileStatus(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw new DatasetError("unreadable", `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Digest of names and sizes: the same for a copy of the data set at another place. */
export function fingerprintOf(format: DatasetFormat, files: readonly { readonly path: string; readonly bytes: number }[]): string {
  const list = files.map(({ path, bytes }) => [basename(path), bytes]);
  return createHash("sha256")
    .update(JSON.stringify([format, list]))
    .digest("hex");
}
