import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Git's sha1 of a file of so many bytes, or sha256, by the length of the digest that is expected. */
export function hashFor(oid: string, bytes: number): Hash {
  return oid.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}

/** Feeds the first `bytes` of a file to a hash. */
export async function hashFile(hash: Hash, path: string, bytes: number, signal?: AbortSignal): Promise<void> {
  if (bytes === 0) return;
  for await (const chunk of createReadStream(path, { end: bytes - 1, highWaterMark: 1 << 20, ...(signal && { signal }) }))
    hash.update(chunk as Buffer);
}

/** sha256 of a whole file, in hex. */
export async function fileSha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
