import { homedir } from "node:os";
import { relative, sep } from "node:path";
import { cacheFolder } from "@refadgen/graph";
import type { Command } from "commander";
import { bytesText, tableText } from "../amounts.js";
import { type CachedItem, clearItems, hubCacheFolder, listCache } from "../cache.js";
import type { CommandContext } from "../command-context.js";
import { age } from "../option-values.js";

interface CacheSettings {
  readonly olderThan?: number;
  readonly hub?: string | true;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `refadgen cache ls`, `refadgen cache clear`. */
export function cacheCommand(program: Command, { signal }: CommandContext): void {
  const cache = program.command("cache").description("What lies in the cache: widened weights, optimised graphs, downloaded models.");
  cache
    .command("ls")
    .description("List what is there, the largest first.")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExamples:\n  refadgen cache ls\n  REFADGEN_CACHE=/data/cache refadgen cache ls --json")
    .action(async ({ json }: CacheSettings) => {
      const items = await listCache();
      process.stdout.write(
        json ? `${JSON.stringify({ folder: cacheFolder(), hubFolder: hubCacheFolder(), items }, null, 2)}\n` : `${listText(items)}\n`,
      );
    });
  cache
    .command("clear")
    .description("Remove what can be made again. What a running program uses stays.")
    .option("--older-than <time>", "only what has not been used for this long: 30d, 12h, 90m", age)
    .option("--hub [model]", "also downloaded models, or the one named, such as org/name; Python shares them")
    .option("--dry-run", "only say what would go")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExamples:\n  refadgen cache clear --older-than 30d\n  refadgen cache clear --hub h94/IP-Adapter --dry-run")
    .action(async ({ olderThan, hub, dryRun, json }: CacheSettings) => {
      const wanted = (await listCache()).filter(
        (item) =>
          (item.kind !== "hub" || hub === true || hub === item.name) && (olderThan === undefined || Date.now() - item.lastUsed.getTime() > olderThan),
      );
      const { removed, inUse } = await clearItems(wanted, { dryRun: dryRun ?? false, signal });
      if (json) process.stdout.write(`${JSON.stringify({ dryRun: dryRun ?? false, removed, inUse }, null, 2)}\n`);
      else process.stdout.write(`${clearedText(removed, inUse, dryRun ?? false)}\n`);
    });
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
  return `${tableText([["     size", "what", "last used", "which"], ...rows])}\n\n${bytesText(total(items))} in all, in ${shortPath(cacheFolder())} and ${shortPath(hubCacheFolder())}`;
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
