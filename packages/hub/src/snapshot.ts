import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { HubError } from "./error.js";
import { fits } from "./glob.js";
import { openRepository } from "./open-repository.js";
import type { RepositoryFile } from "./repository.js";
import { type HubOptions, settingsOf } from "./settings.js";
import { parseHubId } from "./source.js";

export interface RepositoryOptions extends HubOptions {
  /** Branch, tag or commit; also after `@` in the name. Default `main`. */
  readonly revision?: string;
  /** Folder in the repository; also after the name. Default: its root. */
  readonly subfolder?: string;
}

export interface SnapshotOptions extends RepositoryOptions {
  /** Exactly these files, as paths below `subfolder`; one that is missing is an error. */
  readonly files?: readonly string[];
  /** Files that fit one of these: `*` and `?` within a level, `**` across levels. At least one file has to fit. Default: all files. */
  readonly patterns?: readonly string[];
  /** Chooses among the files, after `files` or `patterns`; for choices that depend on what else is there. */
  readonly choose?: (files: readonly RepositoryFile[]) => readonly RepositoryFile[];
}

/**
 * A folder of a repository, with the files that were asked for in it; they are fetched into the cache if they have to be.
 *
 * @param repo `org/name[/subfolder][@revision]`
 * @returns the folder of the snapshot, or of `subfolder` in it. Files are links into the cache that Python shares: read them, do not write.
 * @throws ArgumentError, HubError; the signal's reason
 */
export async function snapshot(repo: string, options: SnapshotOptions = {}): Promise<string> {
  const { files: wanted, patterns, choose = (all) => all } = options;
  if (wanted && patterns) throw new ArgumentError("snapshot: expected files or patterns, got both");
  const settings = await settingsOf("snapshot", options);
  const { name, subfolder, revision } = partsOf("snapshot", repo, options);
  const opened = await openRepository(name, revision, settings);
  const below = (path: string) => (subfolder === "" ? path : path.slice(subfolder.length + 1));
  const folder = join(opened.folder, subfolder);
  if (wanted) {
    const missing: string[] = [];
    for (const file of wanted) if ((await opened.cached(subfolder === "" ? file : `${subfolder}/${file}`)) === undefined) missing.push(file);
    if (missing.length === 0) return folder;
    if (settings.offline) throw new HubError("offline", `${repo}: not in the cache, and fetching is switched off: ${missing.join(", ")}`);
  }
  const all = await opened.list(subfolder);
  const found = all.filter(({ path }) =>
    wanted ? wanted.includes(below(path)) : patterns ? patterns.some((pattern) => fits(pattern, below(path))) : true,
  );
  const missing = wanted?.filter((file) => !found.some(({ path }) => below(path) === file)) ?? [];
  if (missing.length > 0) throw new HubError("not-found", `${repo}@${revision} has no ${missing.join(", ")}`);
  if (found.length === 0) throw new HubError("not-found", `${repo}@${revision} has no file that fits ${patterns?.join(", ") ?? "(it is empty)"}`);
  await opened.fetch(choose(found));
  return folder;
}

/**
 * The files of a repository, without fetching them; offline those that are in the cache.
 *
 * @param repo `org/name[/subfolder][@revision]`
 * @throws ArgumentError, HubError; the signal's reason
 */
export async function listFiles(
  repo: string,
  options: RepositoryOptions = {},
): Promise<{ readonly commit: string; readonly files: readonly RepositoryFile[] }> {
  const settings = await settingsOf("listFiles", options);
  const { name, subfolder, revision } = partsOf("listFiles", repo, options);
  const opened = await openRepository(name, revision, settings);
  return { commit: opened.commit, files: await opened.list(subfolder) };
}

function partsOf(
  call: string,
  repo: string,
  options: RepositoryOptions,
): { readonly name: string; readonly subfolder: string; readonly revision: string } {
  const parsed = parseHubId(repo);
  if (!parsed) throw new ArgumentError(`${call}: expected org/name, got "${repo}"`);
  if (parsed.revision !== undefined && options.revision !== undefined && parsed.revision !== options.revision)
    throw new ArgumentError(`${call}: the name says revision ${parsed.revision}, the options say ${options.revision}`);
  if (parsed.path !== "" && options.subfolder)
    throw new ArgumentError(`${call}: the name says folder ${parsed.path}, the options say ${options.subfolder}`);
  const subfolder = (options.subfolder ?? parsed.path).replace(/^\/+|\/+$/g, "");
  if (subfolder !== "" && !parseHubId(`${parsed.repo}/${subfolder}`)) throw new ArgumentError(`${call}: expected a folder, got "${subfolder}"`);
  return { name: parsed.repo, subfolder, revision: options.revision ?? parsed.revision ?? "main" };
}
