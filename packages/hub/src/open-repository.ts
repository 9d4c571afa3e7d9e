import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { download } from "./download.js";
import { HubError } from "./error.js";
import { knownCommit, linkSnapshot, type RepositoryFolder, repositoryFolder, snapshotFile } from "./layout.js";
import { checkedRepository, checkedRevision } from "./names.js";
import { listRepository, type RepositoryFile, resolveCommit } from "./repository.js";
import type { Settings } from "./settings.js";

/** A repository at one commit, over the network or in the cache alone. */
export interface OpenedRepository {
  readonly repo: string;
  readonly commit: string;
  /** The snapshot's folder in the cache. */
  readonly folder: string;
  /** Files below `path`; without the network those that are in the cache. */
  list(path: string): Promise<readonly RepositoryFile[]>;
  /** Where these files lie, fetched if they have to be. */
  fetch(files: readonly RepositoryFile[]): Promise<string[]>;
  /** Where a file lies in the cache already. */
  cached(path: string): Promise<string | undefined>;
}

/**
 * Finds out what a revision means. Without a connection, what the cache knows of the revision is used, as Python does it.
 *
 * @throws HubError, ArgumentError
 */
export async function openRepository(repo: string, revision: string, settings: Settings): Promise<OpenedRepository> {
  const folder = repositoryFolder(settings.cacheDirectory, checkedRepository(repo));
  const known = await knownCommit(folder, checkedRevision(revision));
  if (settings.offline) {
    if (known === undefined)
      throw new HubError(
        "offline",
        `${repo}@${revision} is not in the cache (${folder.root}), and fetching is switched off. Run it once with HF_HUB_OFFLINE unset.`,
      );
    return cachedRepository(repo, known, folder);
  }
  try {
    return onlineRepository(repo, await resolveCommit(repo, revision, folder, settings), folder, settings);
  } catch (error) {
    if (known !== undefined && HubError.isInstance(error) && error.code === "unavailable") return cachedRepository(repo, known, folder);
    throw error;
  }
}

function onlineRepository(repo: string, commit: string, folder: RepositoryFolder, settings: Settings): OpenedRepository {
  return {
    repo,
    commit,
    folder: folder.snapshot(commit),
    list: (path) => listRepository(repo, commit, path, settings),
    cached: (path) => snapshotFile(folder, commit, path),
    async fetch(files) {
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      const paths: string[] = [];
      let before = 0;
      for (const file of files) {
        settings.signal?.throwIfAborted();
        const there = await snapshotFile(folder, commit, file.path);
        if (there === undefined) {
          const url = new URL(`${settings.endpoint}/${repo}/resolve/${commit}/${file.path.split("/").map(encodeURIComponent).join("/")}`);
          const onBytes = (done: number) => settings.onProgress?.({ file: file.path, done: before + done, total });
          const name = `${repo}/${file.path}`;
          await download(
            { url, path: folder.blob(file.oid), lock: folder.lock(file.oid), name, bytes: file.bytes, oid: file.oid, onBytes },
            settings,
          );
          paths.push(await linkSnapshot(folder, commit, file.path, file.oid));
        } else paths.push(there);
        before += file.bytes;
        settings.onProgress?.({ file: file.path, done: before, total });
      }
      return paths;
    },
  };
}

function cachedRepository(repo: string, commit: string, folder: RepositoryFolder): OpenedRepository {
  const root = folder.snapshot(commit);
  const cached = (path: string) => snapshotFile(folder, commit, path);
  return {
    repo,
    commit,
    folder: root,
    cached,
    async list(path) {
      const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch(() => []);
      const files: RepositoryFile[] = [];
      for (const entry of entries.filter((one) => !one.isDirectory())) {
        const full = join(entry.parentPath, entry.name);
        const found = await stat(full).catch(() => undefined);
        if (found?.isFile()) files.push({ path: relative(root, full).split(sep).join("/"), bytes: found.size, oid: basename(await realpath(full)) });
      }
      return files.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async fetch(files) {
      const paths = await Promise.all(files.map(({ path }) => cached(path)));
      const missing = files.filter((_, index) => paths[index] === undefined);
      if (missing.length > 0)
        throw new HubError("offline", `${repo}: not in the cache, and the hub was not asked: ${missing.map(({ path }) => path).join(", ")}`);
      return paths as string[];
    },
  };
}
