import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A repository for `startHubServer`: file contents by path; those in `large` are announced as the hub does large files (by sha256). */
export interface FakeRepository {
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly large?: readonly string[];
  /** Needs this token. */
  readonly token?: string;
  /** What names resolve to, beside `main`. Default: 40 times "1". */
  readonly commit?: string;
}

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface HubServer {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Asked before every answer; what it handles (true) the server leaves alone. This is where a test misbehaves. */
  intercept: ((request: IncomingMessage, response: ServerResponse, path: string) => boolean) | undefined;
  close(): Promise<void>;
}

/**
 * A server on this machine that answers as the hub does, as far as models are read: revision, file tree with pages, files with ranges.
 * For tests, without a network.
 */
export async function startHubServer(
  repositories: Readonly<Record<string, FakeRepository>>,
  { pageSize = 1000 }: { readonly pageSize?: number } = {},
): Promise<HubServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = decodeURIComponent(url.pathname);
    const { range, authorization } = request.headers;
    requests.push({ method: request.method ?? "", path, range, authorization });
    if (hub.intercept?.(request, response, path)) return;
    answer(repositories, request, response, { url, path, pageSize, origin: hub.url });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const hub: HubServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    intercept: undefined,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return hub;
}

/** Git's name of a small file: sha1 of `blob SIZE\0CONTENT`. */
export function gitOid(content: Uint8Array | string): string {
  const bytes = Buffer.from(content);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function answer(
  repositories: Readonly<Record<string, FakeRepository>>,
  request: IncomingMessage,
  response: ServerResponse,
  { url, path, pageSize, origin }: { readonly url: URL; readonly path: string; readonly pageSize: number; readonly origin: string },
): ServerResponse {
  const [, api, repo, rest] = /^\/(api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const repository = repositories[repo ?? ""];
  if (!repository) return refuse(response, 401, "RepoNotFound", "Invalid username or password.");
  if (repository.token !== undefined && request.headers.authorization !== `Bearer ${repository.token}`)
    return refuse(response, 401, "GatedRepo", `Access to model ${repo} is restricted.`);
  const commit = repository.commit ?? "1".repeat(40);
  const [kind, revision, ...parts] = (rest ?? "").split("/");
  if (revision !== "main" && revision !== commit) return refuse(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  if (api !== undefined && kind === "revision")
    return json(response, { _id: "1", id: repo, sha: commit, private: false, gated: false, downloads: 0, likes: 0 });
  if (api !== undefined && kind === "tree") {
    const folder = parts.join("/");
    const names = Object.keys(repository.files).filter((name) => folder === "" || name.startsWith(`${folder}/`));
    if (names.length === 0) return refuse(response, 404, "EntryNotFound", `${folder} does not exist`);
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const next = new URL(url.href.replace("http://localhost", origin));
    next.searchParams.set("cursor", String(from + pageSize));
    if (from + pageSize < names.length) response.setHeader("link", `<${next.href}>; rel="next"`);
    return json(
      response,
      names.slice(from, from + pageSize).map((name) => entryOf(name, repository)),
    );
  }
  const content = kind === "resolve" ? repository.files[parts.join("/")] : undefined;
  if (content === undefined) return refuse(response, 404, "EntryNotFound", "Entry not found");
  return sendFile(request, response, Buffer.from(content));
}

/** A file, or the part of it that is asked for. */
export function sendFile(request: IncomingMessage, response: ServerResponse, content: Uint8Array): ServerResponse {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const start = Number(from ?? 0);
  if (start > 0 && start >= content.length) {
    return response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
  }
  const headers = { "content-type": "application/octet-stream", "content-length": content.length - start, "accept-ranges": "bytes" };
  if (from === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${content.length - 1}/${content.length}` });
  return response.end(content.subarray(start));
}

function entryOf(name: string, { files, large = [] }: FakeRepository): object {
  const content = Buffer.from(files[name]!);
  if (!large.includes(name)) return { type: "file", path: name, size: content.length, oid: gitOid(content) };
  const oid = createHash("sha256").update(content).digest("hex");
  return { type: "file", path: name, size: content.length, oid: gitOid(oid), lfs: { oid, size: content.length, pointerSize: 130 } };
}

function json(response: ServerResponse, value: unknown): ServerResponse {
  return response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string, message: string): ServerResponse {
  return response
    .writeHead(status, { "x-error-code": code, "x-error-message": message, "content-type": "application/json" })
    .end(JSON.stringify({ error: message }));
}
