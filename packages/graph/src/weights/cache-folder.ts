import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { dirname, join } from "node:path";

/** The folder of everything that can be computed again: `REFADGEN_CACHE`, else `refadgen` in the platform's cache folder. */
export function cacheFolder(): string {
  const { REFADGEN_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (REFADGEN_CACHE) return REFADGEN_CACHE;
  if (process.platform === "win32") return join(LOCALAPPDATA ? LOCALAPPDATA : join(homedir(), "AppData", "Local"), "refadgen");
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "refadgen");
  return join(XDG_CACHE_HOME ? XDG_CACHE_HOME : join(homedir(), ".cache"), "refadgen");
}

/** One file of the cache. */
export interface CacheEntry {
  readonly path: string;
  readonly bytes: number;
  /** When it was last written, or read where the file system keeps that. */
  readonly lastUsed: Date;
}

/** What lies in the cache, largest first. A cache that does not exist is empty. */
export async function cacheUsage({ folder = cacheFolder() }: { readonly folder?: string } = {}): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const path of await filesBelow(folder)) {
    const found = await stat(path).catch(() => undefined);
    if (found) entries.push({ path, bytes: found.size, lastUsed: new Date(Math.max(found.atimeMs, found.mtimeMs)) });
  }
  return entries.sort((a, b) => b.bytes - a.bytes);
}

/** Removes the cache's files, or those not used since `olderThan`. Returns what was removed. */
export async function clearCache({
  folder = cacheFolder(),
  olderThan,
}: {
  readonly folder?: string;
  readonly olderThan?: Date;
} = {}): Promise<CacheEntry[]> {
  const entries = (await cacheUsage({ folder })).filter(({ lastUsed }) => !olderThan || lastUsed < olderThan);
  for (const { path } of entries) await rm(path, { force: true });
  return entries;
}

async function filesBelow(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, "code") === "ENOENT") return [];
    throw error;
  }
}

const host = Buffer.from(hostname()).toString("hex").slice(0, 24);
const abandonedAfterMs = 24 * 3_600_000;

/**
 * Writes a file that is there whole or not at all, whatever happens: to a temporary name beside it, to the disk, then renamed.
 */
export async function writeAtomically(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, "wx");
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** A name beside `path` for what is being written; it says who writes, so that `removeLeftovers` can tell the dead from the living. */
export function temporaryName(path: string): string {
  return `${path}.${host}.${process.pid}.${randomBytes(6).toString("hex")}.partial`;
}

/** Removes temporary files and folders in `folder` whose writers are no more: processes of this machine that have ended, or nothing written for a day. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, writerHost, pid] = /\.([0-9a-f]*)\.(\d+)\.[0-9a-f]{12}\.partial$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if ((writerHost === host && !isRunning(Number(pid))) || age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    return error instanceof Error && Reflect.get(error, "code") === "EPERM";
  }
}

/** Makes a rename last through a power cut, where folders can be synced at all. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch {
    // Some network file systems refuse; the file itself is on the disk.
  } finally {
    await handle.close();
  }
}
