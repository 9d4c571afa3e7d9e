import type { Command } from "commander";
import type { CommandContext } from "../command-context.js";
import { age } from "../option-values.js";
import type { CacheSettings } from "./cache-items.js";

/** `refadgen cache ls`, `refadgen cache clear`. */
export function cacheCommand(program: Command, { signal }: CommandContext): void {
  const cache = program.command("cache").description("What lies in the cache: widened weights, optimised graphs, downloaded models.");
  cache
    .command("ls")
    .description("List what is there, the largest first.")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExamples:\n  refadgen cache ls\n  REFADGEN_CACHE=/data/cache refadgen cache ls --json")
    .action(async (settings: CacheSettings) => (await import("./cache-items.js")).printCache(settings));
  cache
    .command("clear")
    .description("Remove what can be made again. What a running program uses stays.")
    .option("--older-than <time>", "only what has not been used for this long: 30d, 12h, 90m", age)
    .option("--hub [model]", "also downloaded models, or the one named, such as org/name; Python shares them")
    .option("--dry-run", "only say what would go")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExamples:\n  refadgen cache clear --older-than 30d\n  refadgen cache clear --hub h94/IP-Adapter --dry-run")
    .action(async (settings: CacheSettings) => (await import("./cache-items.js")).clearCache(settings, signal));
}
