import { ArgumentError } from "@refadgen/errors";
import { HubError } from "./error.js";

/** Names that become paths below the cache's folder: none may leave it, on any system. @throws HubError `unsafe-name` */
export function checkedName(name: unknown, where: string): string {
  if (typeof name !== "string" || !isSafe(name))
    throw new HubError("unsafe-name", `${where}: expected the name of a file below its folder, got ${JSON.stringify(name)}; nothing was written`);
  return name;
}

/** @throws ArgumentError */
export function checkedRevision(revision: string): string {
  if (!isSafe(revision)) throw new ArgumentError(`revision: expected a branch, tag or commit, got ${JSON.stringify(revision)}`);
  return revision;
}

/** @throws ArgumentError */
export function checkedRepository(repo: string): string {
  if (!/^[^/\\\0:]+\/[^/\\\0:]+$/.test(repo) || !isSafe(repo) || repo.includes("--"))
    throw new ArgumentError(`repo: expected org/name, got ${JSON.stringify(repo)}`);
  return repo;
}

function isSafe(name: string): boolean {
  if (name.length === 0 || name.length > 1000) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are refused
  if (/[\u0000-\u001f\\:*?"<>|]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !/[. ]$/.test(part));
}
