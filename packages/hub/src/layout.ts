import { randomBytes } from "node:crypto";
import { link, lstat, mkdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** Paths of one repository in the cache, as Python's huggingface_hub lays it out. */
export interface RepositoryFolder {
  readonly root: string;
  blob(oid: string): string;
  snapshot(commit: string): string;
  ref(revision: string): string;
  /** Where a process that writes a blob says so. Python's own lock has another name: it is held by other means. */
  lock(oid: string): string;
}

export function repositoryFolder(cacheDirectory: string, repo: string): RepositoryFolder {
  const name = `models--${repo.replace("/", "--")}`;
  const root = join(cacheDirectory, name);
  return {
    root,
    blob: (oid) => join(root, "blobs", oid),
    snapshot: (commit) => join(root, "snapshots", commit),
    ref: (revision) => join(root, "refs", ...revision.split("/")),
    lock: (oid) => join(cacheDirectory, ".locks", name, `${oid}.refadgen.lock`),
  };
}

export const commitPattern: RegExp = /^[0-9a-f]{40}$/;

/** The commit that the cache knows for a revision, if any. */
export async function knownCommit(folder: RepositoryFolder, revision: string): Promise<string | undefined> {
  if (commitPattern.test(revision)) return revision;
  const text = (await readFile(folder.ref(revision), "utf8").catch(() => ""))?.trim();
  return commitPattern.test(text) ? text : undefined;
}

export async function rememberCommit(folder: RepositoryFolder, revision: string, commit: string): Promise<void> {
  if (revision === commit || (await knownCommit(folder, revision)) === commit) return;
  const path = folder.ref(revision);
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  await writeFile(temporary, commit);
  await rename(temporary, path);
}

/** The path of a file of a snapshot, if it is there whole: a link to nothing is not. */
export async function snapshotFile(folder: RepositoryFolder, commit: string, name: string): Promise<string | undefined> {
  const path = join(folder.snapshot(commit), ...name.split("/"));
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? path : undefined;
}

/** Points a snapshot's name at a blob; a relative link, so that the cache may be moved. Where links are not allowed the file has two names. */
export async function linkSnapshot(folder: RepositoryFolder, commit: string, name: string, oid: string): Promise<string> {
  const path = join(folder.snapshot(commit), ...name.split("/"));
  const target = relative(dirname(path), folder.blob(oid));
  const existing = await lstat(path).catch(() => undefined);
  if (existing?.isSymbolicLink() && (await readlink(path)) === target) return path;
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    await symlink(target, temporary).catch(() => link(folder.blob(oid), temporary));
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return path;
}

export function temporaryName(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString("hex")}.partial`;
}
