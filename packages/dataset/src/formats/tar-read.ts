import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";
import { streamCursor } from "./byte-cursor.js";
import { entryPath } from "./names.js";
import { cutOff, nextTarHeader, padded } from "./tar-header.js";

/** A regular file of an archive. */
export interface TarEntry {
  /** Relative, with forward slashes; checked to stay inside, but meant for naming, not for writing to. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface TarLimits {
  /** Default 1 000 000. */
  readonly maxEntries?: number;
  /** Of one entry. Default 256 MiB. */
  readonly maxEntryBytes?: number;
  /** Of all entries together, padding and headers included. Default 256 GiB. */
  readonly maxTotalBytes?: number;
}

/** An entry that is left out, and why. */
export interface RefusedEntry {
  readonly path: string;
  readonly error: DatasetError;
}

export interface ReadTarOptions extends TarLimits {
  /** Of the archive, for messages. Default "archive". */
  readonly name?: string;
  /** Told of links, devices, paths that leave the folder and entries beyond `maxEntryBytes`, which are passed over. Without it they are thrown. */
  readonly onRefused?: (entry: RefusedEntry) => void;
  readonly signal?: AbortSignal;
}

/**
 * The regular files of a tar archive as they come; folders are passed over. One entry is held in memory at a time, nothing is written anywhere.
 *
 * @param stream the archive's bytes, not compressed: a file's read stream, a response's body
 * @throws DatasetError `format` if the archive is cut off, has no end marker, or is broken; `too-large` beyond a limit; `refused` as `onRefused`
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>, options: ReadTarOptions = {}): AsyncGenerator<TarEntry, void, void> {
  const { name = "archive", signal, onRefused } = options;
  const maxEntries = positive("maxEntries", options.maxEntries ?? 1_000_000);
  const maxEntryBytes = positive("maxEntryBytes", options.maxEntryBytes ?? 256 * 2 ** 20);
  const maxTotalBytes = positive("maxTotalBytes", options.maxTotalBytes ?? 256 * 2 ** 30);
  const cursor = streamCursor(stream, signal);
  const shared = new Map<string, string>();
  try {
    for (let count = 0; ; ) {
      signal?.throwIfAborted();
      const header = await nextTarHeader(name, cursor, shared);
      if (!header) return;
      if (++count > maxEntries) throw new DatasetError("too-large", `${name}: expected at most ${maxEntries} entries, got more`);
      if (cursor.position + header.size > maxTotalBytes)
        throw new DatasetError("too-large", `${name}: expected at most ${maxTotalBytes} bytes, got more`);
      const path = header.kind === "directory" ? undefined : accepted(header.path, () => entryOf(name, header, maxEntryBytes), onRefused);
      const length = padded(header.size);
      if (path === undefined) {
        if ((await cursor.skip(length)) < length) throw cutOff(name, `${length} bytes of ${header.path}`);
        continue;
      }
      const bytes = await cursor.take(length);
      if (bytes.length < length) throw cutOff(name, `${length} bytes of ${header.path}`);
      yield { path, bytes: bytes.subarray(0, header.size) };
    }
  } finally {
    await cursor.close();
  }
}

/** @throws DatasetError unless the entry is a regular file of an allowed size at a path inside the archive */
export function entryOf(
  archive: string,
  header: { readonly path: string; readonly kind: string; readonly size: number },
  maxEntryBytes: number,
): string {
  const path = entryPath(archive, header.path);
  if (header.kind !== "file") throw new DatasetError("refused", `${archive}: expected regular files, got a ${header.kind}: ${path}`);
  if (header.size > maxEntryBytes)
    throw new DatasetError("too-large", `${archive}: expected entries of at most ${maxEntryBytes} bytes, got ${header.size}: ${path}`);
  return path;
}

function accepted(path: string, check: () => string, onRefused: ReadTarOptions["onRefused"]): string | undefined {
  try {
    return check();
  } catch (error) {
    if (!onRefused || !DatasetError.isInstance(error)) throw error;
    onRefused({ path, error });
    return undefined;
  }
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new ArgumentError(`readTar: expected ${name} above 0, got ${String(value)}`);
  return value;
}
