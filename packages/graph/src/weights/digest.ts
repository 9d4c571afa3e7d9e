import { createHash, type Hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, removeLeftovers, writeAtomically } from "./cache-folder.js";
import type { WeightFile } from "./file.js";

const pieceBytes = 4 * 2 ** 20;
/** A file younger than this may still change without its modification time doing so. */
const settledAfterMs = 1000;

const running = new Map<string, Promise<string>>();

/**
 * `sha256:…` over all bytes of a file. Computed once, streaming, and remembered in the cache folder under the file's real path, size,
 * modification time and inode, so that the next start does not read gigabytes again. Throws a `WeightsError` when the file has changed.
 */
export async function fileDigest(file: WeightFile): Promise<string> {
  await file.verify();
  const identity = JSON.stringify([file.realPath, file.size, String(file.modified), String(file.inode)]);
  const known = running.get(identity);
  if (known) return known;
  const digest = rememberedDigest(file, identity);
  running.set(identity, digest);
  try {
    return await digest;
  } catch (error) {
    running.delete(identity);
    throw error;
  }
}

async function rememberedDigest(file: WeightFile, identity: string): Promise<string> {
  const folder = join(cacheFolder(), "digests");
  const path = join(folder, `${createHash("sha256").update(file.realPath).digest("hex").slice(0, 32)}.json`);
  const [rememberedIdentity, remembered] = await readEntry(path);
  if (rememberedIdentity === identity && remembered?.startsWith("sha256:")) return remembered;
  const settled = Date.now() - Number(file.modified / 1_000_000n) > settledAfterMs;
  const digest = await computeDigest(file);
  if (settled) {
    try {
      await removeLeftovers(folder);
      await writeAtomically(path, (handle) => handle.writeFile(JSON.stringify([identity, digest])));
    } catch {
      // A cache folder that cannot be written to costs time at the next start, nothing else.
    }
  }
  return digest;
}

async function computeDigest(file: WeightFile): Promise<string> {
  const hash: Hash = createHash("sha256");
  for (let at = 0; at < file.size; at += pieceBytes) hash.update(await file.read(at, Math.min(pieceBytes, file.size - at)));
  return `sha256:${hash.digest("hex")}`;
}

async function readEntry(path: string): Promise<readonly (string | undefined)[]> {
  try {
    const entry: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(entry) && entry.every((text) => typeof text === "string") ? entry : [];
  } catch {
    return [];
  }
}
