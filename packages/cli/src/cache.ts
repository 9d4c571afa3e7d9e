import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { cacheFolder, cacheUsage } from "@refadgen/graph";
import { hubUsage } from "@refadgen/hub";

/** A file of ours, or a model that was downloaded. */
export interface CachedItem {
  readonly kind: "weights" | "graph" | "hub" | "other";
  readonly path: string;
  /** Of a model its id, else the file's name. */
  readonly name: string;
  readonly bytes: number;
  readonly lastUsed: Date;
  /** A process is fetching it now. */
  readonly busy?: boolean;
}

const shelves: Readonly<Record<string, CachedItem["kind"]>> = { float32: "weights", optimized: "graph", openvino: "graph" };

/** Everything, the largest first. */
export async function listCache(): Promise<CachedItem[]> {
  const own = new Map<string, CachedItem>();
  for (const { path, bytes, lastUsed } of await cacheUsage()) {
    // `SHELF/ENTRY`: an entry is a file, or a folder whose files belong together.
    const [shelf, entry] = path.slice(cacheFolder().length + 1).split(sep) as [string, string | undefined];
    // Notes of digests are many and tiny: one item.
    const place = entry === undefined || shelf === "digests" ? join(cacheFolder(), shelf) : join(cacheFolder(), shelf, entry);
    const sum = own.get(place);
    own.set(place, {
      kind: shelves[shelf] ?? "other",
      path: place,
      name: basename(place),
      bytes: bytes + (sum?.bytes ?? 0),
      lastUsed: sum && sum.lastUsed > lastUsed ? sum.lastUsed : lastUsed,
    });
  }
  const fetched = (await hubUsage()).map(({ path, name, bytes, lastUsed, busy }): CachedItem => ({ kind: "hub", path, name, bytes, lastUsed, busy }));
  return [...own.values(), ...fetched].sort((a, b) => b.bytes - a.bytes);
}

/** Removes items, but for those that a running program has open or mapped. */
export async function clearItems(
  items: readonly CachedItem[],
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<{ readonly removed: readonly CachedItem[]; readonly inUse: readonly CachedItem[] }> {
  const used = await filesInUse();
  const [removed, inUse]: [CachedItem[], CachedItem[]] = [[], []];
  for (const item of items) {
    signal?.throwIfAborted();
    const busy = item.busy === true || [...used].some((path) => path === item.path || path.startsWith(item.path + sep));
    if (busy) {
      inUse.push(item);
      continue;
    }
    try {
      if (!dryRun) await rm(item.path, { recursive: true, force: true });
      removed.push(item);
    } catch (error) {
      // Where the system keeps open files, it says so itself.
      const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
      if (code !== "EBUSY" && code !== "EPERM") throw error;
      inUse.push(item);
    }
  }
  return { removed, inUse };
}

/** What the processes of this user have open or mapped, where the system tells (Linux). */
async function filesInUse(): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  if (process.platform !== "linux") return used;
  for (const pid of (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const maps = await readFile(`/proc/${pid}/maps`, "utf8").catch(() => "");
    for (const line of maps.split("\n")) {
      const start = line.indexOf("/");
      if (start >= 0) used.add(line.slice(start));
    }
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (target.startsWith("/")) used.add(target);
    }
  }
  return used;
}
