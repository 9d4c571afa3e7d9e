import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ArgumentError } from "@refadgen/errors";
import { checkedName, checkedRevision } from "./names.js";
import { isSecure } from "./settings.js";

/** What a source text means. */
export type Source =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "address"; readonly url: URL }
  /** `path` is a file or folder in the repository; empty for its root. */
  | { readonly kind: "hub"; readonly repo: string; readonly path: string; readonly revision: string | undefined };

const repositoryPart = /^(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

/**
 * Reads a source: a path (absolute, or beginning with `./`, `../` or `~/`), a `file:` or https address, or `org/name[/path][@revision]` on
 * the hub. An address of a file on the endpoint is the same as its hub id, so both find one copy.
 *
 * @throws ArgumentError for anything else
 */
export function parseSource(source: string, { endpoint }: { readonly endpoint: string }): Source {
  if (typeof source !== "string" || source.trim() === "")
    throw new ArgumentError(`source: expected a path, an address or org/name, got ${JSON.stringify(source)}`);
  if (source.startsWith("file:")) return { kind: "local", path: fileURLToPath(source) };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return parseAddress(source, endpoint);
  if (/^~[/\\]/.test(source)) return { kind: "local", path: join(homedir(), source.slice(2)) };
  if (isAbsolute(source) || /^\.{1,2}(?:[/\\]|$)/.test(source)) return { kind: "local", path: source };
  const parsed = parseHubId(source);
  if (!parsed) throw new ArgumentError(`source: expected a path, an https address or org/name/path on the hub, got "${source}"`);
  return parsed;
}

/** `org/name[/path][@revision]`, or undefined where the text cannot be one. */
export function parseHubId(text: string): Extract<Source, { kind: "hub" }> | undefined {
  const [, name, revision] = /^([^@]+)(?:@(.+))?$/.exec(text) ?? [];
  const [organisation, repository, ...rest] = (name ?? "").replace(/\/$/, "").split("/");
  if (!organisation || !repository || !repositoryPart.test(organisation) || !repositoryPart.test(repository)) return undefined;
  const path = rest.join("/");
  if (path !== "") checkedName(path, text);
  if (revision !== undefined) checkedRevision(revision);
  return { kind: "hub", repo: `${organisation}/${repository}`, path, revision };
}

function parseAddress(source: string, endpoint: string): Source {
  if (!URL.canParse(source)) throw new ArgumentError(`source: expected an address, got "${source}"`);
  const url = new URL(source);
  if (!isSecure(url)) throw new ArgumentError(`source: expected an https address, got "${source}"`);
  if (url.username !== "" || url.password !== "") throw new ArgumentError("source: expected an address without a name or password in it");
  const base = new URL(`${endpoint}/`);
  const onHub = url.origin === base.origin && url.pathname.startsWith(base.pathname);
  const [, repo, revision, path] =
    (onHub && /^([^/]+\/[^/]+)\/(?:resolve|blob)\/([^/]+)\/(.+)$/.exec(url.pathname.slice(base.pathname.length))) || [];
  if (repo === undefined || revision === undefined || path === undefined) return { kind: "address", url };
  const name = decodeURIComponent(path);
  return { kind: "hub", repo, path: checkedName(name, source), revision: checkedRevision(decodeURIComponent(revision)) };
}
