import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeWithMode, ImageError } from "@refadgen/image";
import type { RunConfig, SourceSettings } from "../config/run-config.js";
import { DatasetError } from "../error.js";
import { shortHash } from "../ledger/hash.js";
import { putPng } from "../stages/pictures.js";
import type { IncomingItem, IncomingSource } from "./incoming.js";

/** The sources of a config, in its order. */
export function openSources(config: RunConfig): readonly IncomingSource[] {
  return config.sources.map((source, index) => {
    const prefix = source.name ?? (config.sources.length > 1 ? `s${index}` : "");
    if (source.kind !== "folder") throw new DatasetError("invalid-config", `sources[${index}]: ${source.kind} cannot be read yet`);
    return folderSource(source, prefix, config);
  });
}

function folderSource(source: SourceSettings, prefix: string, config: RunConfig): IncomingSource {
  return {
    async state() {
      const hash = createHash("sha256");
      for await (const path of filesOf(source.path)) {
        const { size, mtimeMs } = await stat(join(source.path, path));
        hash.update(JSON.stringify([path, size, mtimeMs]));
      }
      return hash.digest("hex");
    },
    async *items() {
      for await (const path of filesOf(source.path)) {
        const bytes = await readFile(join(source.path, path));
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        const folder = path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined;
        const category = folder ?? source.category;
        const item: IncomingItem = {
          key: keyOf(prefix, path),
          location: path,
          input: sha256,
          async ingest({ files }) {
            try {
              const { image, format } = await decodeWithMode(bytes, { maxPixels: config.ingest?.maxPixels ?? 64_000_000, maxBytes: config.ingest?.maxBytes ?? 30_000_000 });
              return {
                outcome: "done",
                row: {
                  provenance: { kind: "folder", location: path, sha256, orientation: 1, format, ...(source.licence !== undefined && { licence: source.licence }) },
                  picture: await putPng(files, image),
                  width: image.width,
                  height: image.height,
                  ...(category !== undefined && { category }),
                },
              };
            } catch (error) {
              if (!ImageError.isInstance(error)) throw error;
              return { outcome: "rejected", reasons: [{ code: error.code, message: error.message }] };
            }
          },
        };
        yield item;
      }
    },
  };
}

async function* filesOf(folder: string, below = ""): AsyncGenerator<string, void, void> {
  const entries = (await readdir(join(folder, below), { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* filesOf(folder, path);
    else if (entry.isFile() && !entry.name.startsWith(".")) yield path;
  }
}

function keyOf(prefix: string, path: string): string {
  const stem = path.replace(/\.[^./]*$/, "").replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(-60);
  return `${prefix === "" ? "" : `${prefix}-`}${stem}-${shortHash(path).slice(0, 8)}`;
}
