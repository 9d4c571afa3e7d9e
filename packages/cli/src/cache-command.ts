import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { type CacheEntry, cacheFolder, cacheUsage } from "@refadgen/graph";
import { type CachedItem, hubCacheDirectory, hubUsage, removeCached } from "@refadgen/hub";
import { ArgumentError } from "@refadgen/pipeline";
import { type Command, InvalidArgumentError } from "commander";
import { bytesText, columns, print, printJson } from "./print.js";

interface ClearSettings {
  readonly kept?: boolean;
  readonly repo: readonly string[];
  readonly downloads?: boolean;
  readonly olderThan?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `refadgen cache ls` and `refadgen cache clear` */
export function addCacheCommand(program: Command, _signal: AbortSignal): void {
  const cache = program
    .command("cache")
    .description("Show or clear what is kept on the disk: optimised graphs, widened weights, files from the hub.");
  cache
    .command("ls")
    .description("List what is kept, largest first.")
    .option("--json", "as JSON")
    .addHelpText("after", "\nExamples:\n  refadgen cache ls\n  refadgen cache ls --json")
    .action(list);
  cache
    .command("clear")
    .description("Remove what can be made or fetched again; what a process is using stays.")
    .option("--kept", "optimised graphs and widened weights")
    .option("--downloads", "files from plain addresses")
    .option(
      "--repo <org/name>",
      "a repository of the hub's cache, which Python shares; may be given more than once",
      (one: string, all: readonly string[]) => [...all, one],
      [],
    )
    .option("--older-than <days>", "only what has not been used for so many days", days)
    .option("--dry-run", "only tell what would be removed")
    .option("--json", "as JSON")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Examples:
  refadgen cache clear --kept --dry-run
  refadgen cache clear --kept --older-than 30
  refadgen cache clear --repo SG161222/Realistic_Vision_V5.1_noVAE`,
    )
    .action(clear);
}

function days(text: string): number {
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError(`Expected a number of days, got "${text}".`);
  return Number(text);
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const [kept, fetched] = [await cacheUsage(), await hubUsage()];
  const used = await filesInUse();
  if (json) {
    printJson({
      kept: { folder: cacheFolder(), entries: kept.map((entry) => ({ ...entry, inUse: used.has(entry.path) })) },
      fetched: {
        folder: hubCacheDirectory(),
        entries: fetched.map(({ files, ...item }) => ({ ...item, inUse: item.busy || files.some((file) => used.has(file)) })),
      },
    });
    return;
  }
  const day = (date: Date) => date.toISOString().slice(0, 10);
  print(`Kept graphs and widened weights: ${bytesText(sum(kept))} in ${cacheFolder()}`);
  if (kept.length > 0)
    print(
      columns(
        kept.map((entry) => [
          bytesText(entry.bytes),
          day(entry.lastUsed),
          relative(cacheFolder(), entry.path) + (used.has(entry.path) ? "  (in use)" : ""),
        ]),
      ),
    );
  print(`\nFetched, shared with Python: ${bytesText(sum(fetched))} in ${hubCacheDirectory()}`);
  if (fetched.length > 0) {
    print(
      columns(
        fetched.map((item) => {
          const notes = [
            ...(item.busy ? ["being fetched"] : []),
            ...(item.incompleteBytes > 0 ? [`${bytesText(item.incompleteBytes)} not whole yet`] : []),
          ];
          return [bytesText(item.bytes), day(item.lastUsed), item.name + (notes.length > 0 ? `  (${notes.join(", ")})` : "")];
        }),
      ),
    );
  }
}

async function clear({ kept, repo, downloads, olderThan, dryRun, json }: ClearSettings): Promise<void> {
  if (!kept && !downloads && repo.length === 0)
    throw new ArgumentError("cache clear: expected --kept, --downloads or --repo org/name, got none of them");
  const before = olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan * 86_400_000;
  const used = await filesInUse();
  const fetched = await hubUsage();
  const unknown = repo.filter((name) => !fetched.some((item) => item.kind === "repository" && item.name === name));
  if (unknown.length > 0) throw new ArgumentError(`cache clear: the cache has no ${unknown.join(", ")}; refadgen cache ls lists what it has`);
  const old = ({ lastUsed }: { readonly lastUsed: Date }) => lastUsed.getTime() < before;
  const chosen: (CacheEntry | CachedItem)[] = [
    ...(kept ? (await cacheUsage()).filter(old) : []),
    ...fetched.filter((item) => old(item) && (item.kind === "repository" ? repo.includes(item.name) : downloads === true)),
  ];
  const isUsed = (entry: CacheEntry | CachedItem) =>
    "files" in entry ? entry.busy || entry.files.some((file) => used.has(file)) : used.has(entry.path) || entry.path.endsWith(".partial");
  const [left, removed] = [chosen.filter(isUsed), chosen.filter((entry) => !isUsed(entry))];
  if (!dryRun) {
    for (const entry of removed) {
      if ("files" in entry) await removeCached(entry);
      else await rm(entry.path, { force: true });
    }
  }
  if (json) {
    printJson({
      dryRun: dryRun ?? false,
      bytes: sum(removed),
      removed: removed.map(({ path, bytes }) => ({ path, bytes })),
      inUse: left.map(({ path }) => path),
    });
    return;
  }
  if (removed.length > 0) print(columns(removed.map((entry) => [bytesText(entry.bytes), "name" in entry ? entry.name : entry.path])));
  print(`${dryRun ? "Would remove" : "Removed"} ${bytesText(sum(removed))}${dryRun ? "; nothing was changed." : "."}`);
  for (const entry of left) print(`In use, left alone: ${entry.path}`);
}

function sum(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0);
}

/** Files that processes of this machine have open or mapped, where the system tells (Linux). Elsewhere the system itself refuses, or keeps the bytes until they are let go. */
async function filesInUse(): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  if (process.platform !== "linux") return used;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(join("/proc", pid, "fd", descriptor)).catch(() => "");
      if (target.startsWith("/")) used.add(target);
    }
    const maps = await readFile(`/proc/${pid}/maps`, "utf8").catch(() => "");
    for (const [, path] of maps.matchAll(/^\S+ \S+ \S+ \S+ \d+ +(\/.*)$/gm)) used.add(path!);
  }
  return used;
}
