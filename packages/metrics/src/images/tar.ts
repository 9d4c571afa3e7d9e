import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { MetricError } from "../metrics/error.js";
import type { UnreadImage } from "./source.js";

/** Larger entries are no pictures that anybody would measure. */
const largestEntry = 512 * 2 ** 20;

/**
 * The pictures of a tar shard, one after the other: the next entry is read when it is asked for, so that memory holds one of them.
 *
 * @throws MetricError `bad-image` for an archive that is broken or ends early
 */
export async function* tarPictures(path: string, wanted: (name: string) => boolean): AsyncGenerator<UnreadImage> {
  const entries = extract();
  const file = createReadStream(path);
  const fail = (error: Error) => entries.destroy(error);
  file.on("error", fail);
  if (await isGzip(path)) file.pipe(createGunzip().on("error", fail)).pipe(entries);
  else file.pipe(entries);
  try {
    for await (const entry of entries) {
      const { name, type, size = 0 } = entry.header;
      if (type !== "file" || !wanted(name)) {
        entry.resume();
        continue;
      }
      if (size > largestEntry) throw new Error(`${name} has ${size} bytes`);
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry) chunks.push(chunk as Uint8Array);
      yield { name, content: Buffer.concat(chunks) };
    }
  } catch (cause) {
    throw new MetricError("bad-image", `${path}: expected a whole tar archive: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    file.destroy();
    entries.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(2);
    await file.read(head, 0, 2, 0);
    return head.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}
