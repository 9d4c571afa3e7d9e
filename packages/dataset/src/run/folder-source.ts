import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import { DatasetError } from "../error.js";
import { shortHash } from "../ledger/hash.js";
import { bake } from "./bake.js";
import type { IncomingItem, IncomingSource } from "./incoming.js";

/** Files that lie beside pictures and are none. */
const notPictures = /\.(txt|json|jsonl|csv|md|xml|ya?ml|html?|db|ini|ds_store)$/i;

/**
 * Pictures in a folder and the folders below it, by name; a folder's name is the category of what is in it. Links are not followed: they lead out. A caption lies beside a
 * picture as a `.txt` of its name, one a line.
 */
export function folderSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    async state() {
      const hash = createHash("sha256");
      for await (const path of filesOf(source.path)) {
        const { size, mtimeMs, ctimeMs } = await lstat(join(source.path, path));
        hash.update(JSON.stringify([path, size, mtimeMs, ctimeMs]));
      }
      return hash.digest("hex");
    },
    async *items() {
      for await (const path of filesOf(source.path)) {
        if (notPictures.test(path)) continue;
        const { size } = await lstat(join(source.path, path));
        yield size > (limits.maxBytes ?? 30e6) ? tooLarge(prefix, path, size, limits) : await picture(source, prefix, path, limits);
      }
    },
  };
}

function tooLarge(prefix: string, path: string, size: number, { maxBytes = 30e6 }: IngestSettings): IncomingItem {
  return {
    key: keyOf(prefix, path),
    location: path,
    input: shortHash("too large", String(size)),
    ingest: () =>
      Promise.resolve({
        outcome: "rejected",
        reasons: [{ code: "too-large", message: `expected at most ${maxBytes} bytes, got a file of ${size}` }],
      }),
  };
}

async function picture(source: SourceSettings, prefix: string, path: string, limits: IngestSettings): Promise<IncomingItem> {
  const bytes = await readFile(join(source.path, path));
  const captions = await captionsBeside(join(source.path, path));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const folder = path.includes("/") ? path.split("/").at(-2) : undefined;
  const category = folder ?? source.category;
  return {
    key: keyOf(prefix, path),
    location: path,
    input: shortHash(sha256, JSON.stringify(captions)),
    async ingest({ files }) {
      const baked = await bake(bytes, files, limits);
      if ("rejected" in baked) return { outcome: "rejected", reasons: baked.rejected };
      const { orientation, format, ...rest } = baked;
      return {
        outcome: "done",
        row: {
          provenance: {
            kind: "folder",
            location: path,
            sha256,
            orientation,
            format,
            ...(source.licence !== undefined && { licence: source.licence }),
          },
          ...rest,
          ...(category !== undefined && { category }),
          ...(captions.length > 0 && { captions }),
        },
      };
    },
  };
}

async function captionsBeside(path: string): Promise<readonly string[]> {
  const beside = path.replace(/\.[^./\\]+$/, ".txt");
  if (beside === path) return [];
  try {
    if ((await lstat(beside)).size > 65_536) return [];
    return (await readFile(beside, "utf8"))
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** Regular files by name, in an order that no locale changes. */
async function* filesOf(folder: string, below = ""): AsyncGenerator<string, void, void> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(folder, below), { withFileTypes: true });
  } catch (error) {
    throw new DatasetError("unreadable", `ingest: cannot read the folder ${join(folder, below)}: ${(error as Error).message}`, { cause: error });
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesOf(folder, path);
    else if (entry.isFile()) yield path;
  }
}

/** Readable, of the letters that keys have, and with enough of the path's hash to be its own. */
export function keyOf(prefix: string, path: string): string {
  const stem = path
    .replace(/\.[^./]*$/, "")
    .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
    .slice(-60)
    .replace(/^-+/, "");
  return `${prefix === "" ? "" : `${prefix}-`}${stem === "" ? "item" : stem}-${shortHash(path).slice(0, 10)}`;
}
