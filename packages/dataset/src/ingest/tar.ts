import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import type { IngestSettings, SourceSettings } from "../config/run-config.js";
import { DatasetError } from "../error.js";
import { type RefusedEntry, readTar, type TarEntry } from "../formats/tar-read.js";
import { sampleName } from "../formats/webdataset-sample.js";
import type { IncomingItem, IncomingSource } from "../run/incoming.js";
import { notesOf, type PictureNotes, pictureItem, refusedItem } from "./picture-item.js";

const pictures: ReadonlySet<string> = new Set(["jpg", "jpeg", "png", "webp", "avif"]);
const words: ReadonlySet<string> = new Set(["txt", "json", "caption", "cls"]);

/**
 * Archives of pictures, `.tar` or compressed by gzip: one, or all of a folder. Entries that lie together and share a name up to its first dot belong together, as
 * in a WebDataset: `k.jpg`, `k.txt` with captions, `k.json` with `caption`, `category`, `license`. Nothing is unpacked to disk.
 */
export function tarSource(source: SourceSettings, prefix: string, limits: IngestSettings): IncomingSource {
  return {
    async state() {
      const hash = createHash("sha256");
      for (const path of await archives(source.path)) {
        const { size, mtimeMs, ctimeMs } = await lstat(path);
        hash.update(JSON.stringify([path.slice(source.path.length), size, mtimeMs, ctimeMs]));
      }
      return hash.digest("hex");
    },
    async *items(signal) {
      for (const path of await archives(source.path)) {
        const name = path.slice(source.path.length + 1) || (path.split("/").at(-1) ?? path);
        const refused: RefusedEntry[] = [];
        const taken = function* (): Generator<IncomingItem, void, void> {
          for (const { path: entry, error } of refused.splice(0))
            yield refusedItem(`${name}/${printable(entry)}`, { code: error.code, message: error.message }, prefix);
        };
        let sample: TarEntry[] = [];
        const stream = createReadStream(path);
        const options = {
          name,
          maxEntries: limits.maxEntries ?? 1_000_000,
          maxEntryBytes: limits.maxBytes ?? 30e6,
          onRefused: (entry: RefusedEntry) => void refused.push(entry),
          ...(signal && { signal }),
        };
        const bytes = /\.(tgz|gz)$/i.test(path) ? stream.pipe(createGunzip()) : stream;
        try {
          for await (const entry of readTar(bytes, options)) {
            yield* taken();
            if (sample.length > 0 && stemOf(sample[0]!.path) !== stemOf(entry.path)) {
              yield* itemsOf(sample, name, source, prefix, limits);
              sample = [];
            }
            sample.push(entry);
          }
          yield* taken();
          yield* itemsOf(sample, name, source, prefix, limits);
        } catch (error) {
          signal?.throwIfAborted();
          yield* taken();
          // What stood before the break has come in; the rest is one refusal that says where it ends.
          yield* itemsOf(sample, name, source, prefix, limits);
          const code = DatasetError.isInstance(error) ? error.code : "format";
          yield refusedItem(`${name}/rest`, { code, message: (error as Error).message }, prefix);
        } finally {
          stream.destroy();
        }
      }
    },
  };
}

/** A picture for each entry that is one, with what the others of the sample say of it. */
function* itemsOf(
  sample: readonly TarEntry[],
  archive: string,
  source: SourceSettings,
  prefix: string,
  limits: IngestSettings,
): Generator<IncomingItem> {
  const notes = notesIn(sample);
  for (const { path, bytes } of sample) {
    const extension = extensionOf(path);
    if (words.has(extension) || extension === "" || path.split("/").at(-1)!.startsWith(".")) continue;
    const location = `${archive}/${path}`;
    yield pictures.has(extension) || looksLikePicture(bytes)
      ? pictureItem({ location, bytes, ...notes }, source, prefix, limits)
      : refusedItem(location, { code: "unsupported", message: `expected a picture, got an entry ending in .${extension.slice(0, 20)}` }, prefix);
  }
}

function notesIn(sample: readonly TarEntry[]): PictureNotes {
  let notes: PictureNotes = {};
  for (const { path, bytes } of sample) {
    const extension = extensionOf(path);
    if (!words.has(extension) || bytes.length > 65_536) continue;
    const text = new TextDecoder().decode(bytes);
    if (extension === "json") notes = { ...notes, ...notesOf(objectIn(text)) };
    else if (extension !== "cls") notes = { captions: text.split(/\r?\n/).filter((line) => line.trim() !== ""), ...notes };
  }
  return notes;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const stemOf = (path: string): string => sampleName(path)?.key ?? path;
const extensionOf = (path: string): string => /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase() ?? "";
const printable = (path: string): string => path.replaceAll(/[^ -~]/g, "?").slice(0, 200);

/** By its first bytes: JPEG, PNG, RIFF. */
function looksLikePicture(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, 4));
  return start.startsWith("\xff\xd8\xff") || start === "\x89PNG" || start === "RIFF";
}

/** Archives of a folder, or one. */
export async function archives(path: string): Promise<readonly string[]> {
  const status = await lstat(path).catch((error: Error) => {
    throw new DatasetError("unreadable", `ingest: cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (!status.isDirectory()) return [path];
  const found = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile() && /\.(tar|tar\.gz|tgz)$/i.test(entry.name));
  if (found.length === 0) throw new DatasetError("unreadable", `ingest: expected archives ending in .tar, .tar.gz or .tgz in ${path}, got none`);
  return found.map(({ name }) => join(path, name)).sort();
}
