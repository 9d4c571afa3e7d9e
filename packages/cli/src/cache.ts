import { readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, sep } from "node:path";
import { cacheFolder, cacheUsage } from "@refadgen/graph";

/** A file of ours, or a model that was downloaded. */
export interface CachedItem {
  readonly kind: "weights" | "graph" | "hub" | "other";
  readonly path: string;
  /** Of a model its id, else the file's name. */
  readonly name: string;
  readonly bytes: number;
  readonly lastUsed: Date;
}

/** Where Python's and our downloads lie: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` in `HF_HOME` (huggingface_hub, constants.py). */
export function hubCacheFolder(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  if (HF_HUB_CACHE) return HF_HUB_CACHE;
  if (HUGGINGFACE_HUB_CACHE) return HUGGINGFACE_HUB_CACHE;
  return join(HF_HOME ? HF_HOME : join(XDG_CACHE_HOME ? XDG_CACHE_HOME : join(homedir(), ".cache"), "huggingface"), "hub");
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
  return [...own.values(), ...(await hubModels())].sort((a, b) => b.bytes - a.bytes);
}

async function hubModels(): Promise<CachedItem[]> {
  const folder = hubCacheFolder();
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith("models--"));
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const blobs = await readdir(join(path, "blobs")).catch(() => []);
      const infos = await Promise.all(blobs.map((blob) => stat(join(path, "blobs", blob)).catch(() => undefined)));
      const latest = infos.reduce((most, info) => Math.max(most, info?.atimeMs ?? 0, info?.mtimeMs ?? 0), 0);
      return {
        kind: "hub" as const,
        path,
        name: name.slice("models--".length).replaceAll("--", "/"),
        bytes: infos.reduce((sum, info) => sum + (info?.size ?? 0), 0),
        lastUsed: new Date(latest),
      };
    }),
  );
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
    const busy = [...used].some((path) => path === item.path || path.startsWith(item.path + sep));
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
