import { pack } from "tar-stream";
import { entryPath } from "./names.js";
import { tarBlock } from "./tar-header.js";
import type { TarEntry } from "./tar-read.js";

/** What ends an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * tarBlock);

/**
 * A tar archive of regular files, in the order given. The same entries give the same bytes, anywhere and at any time: time 0, mode 0444, owner 0,
 * no names of owners. USTAR; names that it has no room for go into pax headers.
 *
 * @throws DatasetError `refused` for paths that are not relative or leave the archive
 */
export async function* writeTar(entries: Iterable<TarEntry> | AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array, void, void> {
  for await (const entry of entries) yield await tarBytes([entry]);
  yield tarEnd;
}

/** Headers, contents and padding of some entries, without the archive's end. */
export async function tarBytes(entries: readonly TarEntry[]): Promise<Uint8Array> {
  const archive = pack();
  for (const { path, bytes } of entries) {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    archive.entry({ name: entryPath("writeTar", path), mode: 0o444, mtime: new Date(0), uid: 0, gid: 0, size: bytes.length }, content);
  }
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive) parts.push(part as Uint8Array);
  return Buffer.concat(parts).subarray(0, -tarEnd.length);
}
