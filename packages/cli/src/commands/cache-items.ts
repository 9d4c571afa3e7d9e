import { homedir } from "node:os";
import { relative, sep } from "node:path";
import { cacheFolder } from "@refadgen/graph";
import { hubCacheDirectory } from "@refadgen/hub";
import { bytesText, tableText } from "../amounts.js";
import { type CachedItem, clearItems, listCache } from "../cache.js";

/** The options of `refadgen cache`, as commander gives them. */
export interface CacheSettings {
  readonly olderThan?: number;
  readonly hub?: string | true;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `refadgen cache ls`. */
export async function printCache({ json }: CacheSettings): Promise<void> {
  const items = await listCache();
  process.stdout.write(
    json ? `${JSON.stringify({ folder: cacheFolder(), hubFolder: hubCacheDirectory(), items }, null, 2)}\n` : `${listText(items)}\n`,
  );
}

/** `refadgen cache clear`. */
export async function clearCache({ olderThan, hub, dryRun, json }: CacheSettings, signal: AbortSignal): Promise<void> {
  const wanted = (await listCache()).filter(
    (item) =>
      (item.kind !== "hub" || hub === true || hub === item.name) && (olderThan === undefined || Date.now() - item.lastUsed.getTime() > olderThan),
  );
  const { removed, inUse } = await clearItems(wanted, { dryRun: dryRun ?? false, signal });
  if (json) process.stdout.write(`${JSON.stringify({ dryRun: dryRun ?? false, removed, inUse }, null, 2)}\n`);
  else process.stdout.write(`${clearedText(removed, inUse, dryRun ?? false)}\n`);
}

const kinds: Readonly<Record<CachedItem["kind"], string>> = {
  weights: "widened weights",
  graph: "optimised graph",
  hub: "downloaded model",
  other: "other",
};

function listText(items: readonly CachedItem[]): string {
  if (items.length === 0) return `The cache is empty (${shortPath(cacheFolder())}).`;
  const rows = items.map((item) => [
    bytesText(item.bytes).padStart(9),
    kinds[item.kind],
    item.lastUsed.toISOString().slice(0, 10),
    shortPath(item.kind === "hub" ? item.name : item.path),
  ]);
  return `${tableText([["     size", "what", "last used", "which"], ...rows])}\n\n${bytesText(total(items))} in all, in ${shortPath(cacheFolder())} and ${shortPath(hubCacheDirectory())}`;
}

function clearedText(removed: readonly CachedItem[], inUse: readonly CachedItem[], dryRun: boolean): string {
  const lines = removed.map(
    (item) =>
      `${dryRun ? "would remove" : "removed"} ${bytesText(item.bytes).padStart(9)}  ${shortPath(item.kind === "hub" ? item.name : item.path)}`,
  );
  lines.push(...inUse.map((item) => `in use, stays ${bytesText(item.bytes).padStart(9)}  ${shortPath(item.path)}`));
  lines.push(`${dryRun ? "Would free" : "Freed"} ${bytesText(total(removed))}.`);
  return lines.join("\n");
}

function total(items: readonly CachedItem[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}

function shortPath(path: string): string {
  const below = relative(homedir(), path);
  return path.startsWith(homedir() + sep) ? `~${sep}${below}` : path;
}
