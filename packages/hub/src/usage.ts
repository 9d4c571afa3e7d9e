import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isLocked } from "./lock.js";
import { assetsDirectory, hubCacheDirectory } from "./settings.js";

/** One repository, or one file from a plain address, in the cache. */
export interface CachedItem {
  readonly kind: "repository" | "address";
  /** `org/name`, or the file's name. */
  readonly name: string;
  readonly path: string;
  /** On the disk, downloads that have not ended included. */
  readonly bytes: number;
  /** Of these, bytes of downloads that have not ended. */
  readonly incompleteBytes: number;
  readonly lastUsed: Date;
  /** The files that hold the bytes. */
  readonly files: readonly string[];
  /** Whether a process is fetching into it now. */
  readonly busy: boolean;
}

export interface UsageOptions {
  /** Default: as `HubOptions.cacheDirectory`. */
  readonly cacheDirectory?: string;
}

/** What the cache holds, largest first: model repositories (Python's too, since it is one cache) and files from plain addresses. */
export async function hubUsage({ cacheDirectory }: UsageOptions = {}): Promise<CachedItem[]> {
  const cache = cacheDirectory ?? hubCacheDirectory();
  const items: CachedItem[] = [];
  for (const entry of await readdir(cache).catch(() => [])) {
    const [, organisation, name] = /^models--([^-].*?)--(.+)$/.exec(entry) ?? [];
    if (name === undefined) continue;
    const path = join(cache, entry);
    const locks = await filesBelow(join(cache, ".locks", entry));
    items.push(await itemOf({ kind: "repository", name: `${organisation}/${name}`, path }, join(path, "blobs"), locks));
  }
  const urls = cacheDirectory === undefined ? join(assetsDirectory(), "urls") : join(cacheDirectory, ".urls", "urls");
  for (const entry of await readdir(urls).catch(() => [])) {
    const path = join(urls, entry);
    const files = await filesBelow(path);
    const name = files.map((file) => file.slice(path.length + 1)).find((file) => !/\.(?:sha256|lock|incomplete|partial)$/.test(file));
    items.push(
      await itemOf(
        { kind: "address", name: name ?? entry, path },
        path,
        files.filter((file) => file.endsWith(".lock")),
      ),
    );
  }
  return items.sort((a, b) => b.bytes - a.bytes);
}

/** Removes an item of `hubUsage`. Nothing happens to one that is being fetched: false. */
export async function removeCached(item: CachedItem): Promise<boolean> {
  if (item.busy) return false;
  await rm(item.path, { recursive: true, force: true });
  return true;
}

async function itemOf(what: Pick<CachedItem, "kind" | "name" | "path">, folder: string, locks: readonly string[]): Promise<CachedItem> {
  let [bytes, incompleteBytes, last] = [0, 0, 0];
  const files = await filesBelow(folder);
  for (const file of files) {
    const found = await stat(file).catch(() => undefined);
    if (!found) continue;
    bytes += found.size;
    if (file.endsWith(".incomplete")) incompleteBytes += found.size;
    last = Math.max(last, found.atimeMs, found.mtimeMs);
  }
  const busy = (await Promise.all(locks.filter((file) => file.endsWith(".lock")).map(isLocked))).some(Boolean);
  return { ...what, bytes, incompleteBytes, lastUsed: new Date(last), files, busy };
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
