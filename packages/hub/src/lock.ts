import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const heartbeat = 5_000;
const abandonedAfter = 60_000;

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait without the lock: what it protects may have been done by its holder. */
  readonly until?: () => Promise<boolean>;
  /** How often a taken lock is looked at again, in milliseconds. Default 200. */
  readonly interval?: number;
}

/**
 * Runs `work` while no other process on this cache runs its own under the same lock; false when `until` ended the wait instead.
 *
 * The lock is a file that names its holder. One whose holder has ended (this machine) or has not touched it for a minute (another machine)
 * is taken over. Two that take over at the same moment may both go on in the worst case: the work itself has to survive that.
 */
export async function withLock(path: string, work: () => Promise<void>, { signal, until, interval = 200 }: LockOptions = {}): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const own = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  await writeFile(own, JSON.stringify({ host: hostname(), pid: process.pid }));
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (await taken(own, path)) break;
      if (await until?.()) return false;
      await pause(interval, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    }
  } finally {
    await rm(own, { force: true });
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), heartbeat);
  beat.unref();
  try {
    await work();
    return true;
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

/** Whether a live process holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !(await isAbandoned(path, found.mtimeMs));
}

/** A link is made whole or not at all, with its content: nobody reads a lock without its holder's name. */
async function taken(own: string, path: string): Promise<boolean> {
  if (await linked(own, path)) return true;
  const found = await stat(path).catch(() => undefined);
  if (!found || !(await isAbandoned(path, found.mtimeMs))) return false;
  const aside = `${own}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return false;
  }
  // Somebody else may have taken it over in between: then theirs is put back.
  if (!(await isAbandoned(aside, (await stat(aside)).mtimeMs))) await linked(aside, path);
  await rm(aside, { force: true });
  return linked(own, path);
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && ["EEXIST", "ENOENT"].includes(Reflect.get(error, "code") as string)) return false;
    throw error;
  }
}

async function isAbandoned(path: string, touched: number): Promise<boolean> {
  if (Date.now() - touched > abandonedAfter) return true;
  const holder = JSON.parse(await readFile(path, "utf8").catch(() => "{}")) as { readonly host?: string; readonly pid?: number };
  return holder.host === hostname() && holder.pid !== undefined && !isRunning(holder.pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && Reflect.get(error, "code") === "EPERM";
  }
}
