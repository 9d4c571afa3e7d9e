import { listFiles, modelInfo } from "@huggingface/hub";
import { HubError } from "./error.js";
import { commitPattern, type RepositoryFolder, rememberCommit } from "./layout.js";
import { checkedName } from "./names.js";
import { apiFetch } from "./request.js";
import type { Settings } from "./settings.js";

/** A file of a repository. */
export interface RepositoryFile {
  /** Path in the repository. */
  readonly path: string;
  readonly bytes: number;
  /** Digest of its content, which is its name among the blobs: sha256 of large files, git's sha1 of small ones. */
  readonly oid: string;
}

/** The commit that a revision means now. @throws HubError */
export async function resolveCommit(repo: string, revision: string, folder: RepositoryFolder, settings: Settings): Promise<string> {
  if (commitPattern.test(revision)) return revision;
  const info = await modelInfo({
    name: repo,
    revision,
    additionalFields: ["sha"],
    hubUrl: settings.endpoint,
    fetch: apiFetch(`${repo}@${revision}`, settings),
  });
  if (typeof info.sha !== "string" || !commitPattern.test(info.sha))
    throw new HubError("unexpected-content", `${repo}@${revision}: expected a commit of 40 hex digits, the hub gave ${JSON.stringify(info.sha)}`);
  await rememberCommit(folder, revision, info.sha);
  return info.sha;
}

/** The files of a commit, or of one folder in it. Names that would leave the cache are refused. @throws HubError */
export async function listRepository(repo: string, commit: string, path: string, settings: Settings): Promise<RepositoryFile[]> {
  const what = `${repo}@${commit.slice(0, 8)}${path === "" ? "" : `/${path}`}`;
  const files: RepositoryFile[] = [];
  const parameters = {
    repo: { type: "model", name: repo } as const,
    revision: commit,
    recursive: true,
    ...(path !== "" && { path: encodeURI(path) }),
  };
  for await (const entry of listFiles({ ...parameters, hubUrl: settings.endpoint, fetch: apiFetch(what, settings) })) {
    settings.signal?.throwIfAborted();
    if (entry.type !== "file") continue;
    const oid = entry.lfs?.oid ?? entry.oid;
    const bytes = entry.lfs?.size ?? entry.size;
    const name = checkedName(entry.path, what);
    if (typeof oid !== "string" || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(oid) || !Number.isSafeInteger(bytes) || bytes < 0)
      throw new HubError("unexpected-content", `${what}: expected a digest and a size for ${name}, the hub gave ${JSON.stringify({ oid, bytes })}`);
    files.push({ path: name, bytes, oid });
  }
  return files;
}
