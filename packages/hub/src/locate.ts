import { createHash } from "node:crypto";
import { readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { fileSha256 } from "./digest.js";
import { download } from "./download.js";
import { HubError } from "./error.js";
import { commitPattern, repositoryFolder, snapshotFile, temporaryName } from "./layout.js";
import { checkedRevision } from "./names.js";
import { openRepository } from "./open-repository.js";
import { type HubOptions, type Settings, settingsOf } from "./settings.js";
import { parseSource, type Source } from "./source.js";

export interface LocateOptions extends HubOptions {
  /** What the file's sha256 must be, in hex, or at least how it begins: 8 digits or more, as in the names of PyTorch's files. Files of the hub are checked against its own digests in any case. */
  readonly sha256?: string;
  /** What the file's size must be. */
  readonly bytes?: number;
  /** Branch, tag or commit of a file on the hub; also after `@` in the source. Default `main`. */
  readonly revision?: string;
}

/**
 * The path of a file, fetched into the cache if it has to be.
 *
 * @param source a path, an https address, or `org/name/path/in/repo[@revision]` on the hub. What exists on the disk is taken from there.
 * Files of a commit, and of addresses, that are in the cache are used without asking anybody.
 * @throws ArgumentError for a source or option of another form; HubError; the signal's reason
 */
export async function locate(source: string, options: LocateOptions = {}): Promise<string> {
  const { sha256, bytes } = options;
  if (sha256 !== undefined && !/^[0-9a-f]{8,64}$/i.test(sha256))
    throw new ArgumentError(`locate: expected sha256 to be 64 hex digits, or the first 8 or more, got "${sha256}"`);
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 0))
    throw new ArgumentError(`locate: expected bytes of at least 0, got ${bytes}`);
  const settings = await settingsOf("locate", options);
  settings.signal?.throwIfAborted();
  const expected = { sha256: sha256?.toLowerCase(), bytes };
  if (typeof source === "string" && !/^[a-z][a-z0-9+.-]+:\/\//i.test(source) && (await isFile(source)))
    return checkedLocal(source, expected, settings);
  const parsed = parseSource(source, settings);
  if (parsed.kind === "local") {
    if (!(await isFile(parsed.path))) throw new HubError("not-found", `${source}: expected a file, there is none`);
    return checkedLocal(parsed.path, expected, settings);
  }
  return parsed.kind === "address" ? fromAddress(parsed.url, expected, settings) : fromHub(parsed, options.revision, expected, settings);
}

interface Expected {
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function checkedLocal(path: string, { sha256, bytes }: Expected, { signal }: Settings): Promise<string> {
  await checkSize(path, bytes);
  const found = sha256 === undefined ? undefined : await fileSha256(path, signal);
  if (found !== undefined && !found.startsWith(sha256!))
    throw new HubError("mismatch", `${path}: expected sha256 ${sha256}, the file has ${found}. It is another file, or damaged.`);
  return path;
}

async function checkSize(path: string, bytes: number | undefined): Promise<void> {
  const { size } = await stat(path);
  if (bytes !== undefined && size !== bytes)
    throw new HubError("mismatch", `${path}: expected ${bytes} bytes, the file has ${size}. It is another file, or damaged.`);
}

async function fromHub(
  { repo, path, revision: inSource }: Extract<Source, { kind: "hub" }>,
  given: string | undefined,
  { sha256, bytes }: Expected,
  settings: Settings,
): Promise<string> {
  if (path === "") throw new ArgumentError(`locate: expected org/name/path/in/repo, got "${repo}", which names no file`);
  if (inSource !== undefined && given !== undefined && inSource !== given)
    throw new ArgumentError(`locate: the source says revision ${inSource}, the options say ${given}`);
  const revision = checkedRevision(given ?? inSource ?? "main");
  const folder = repositoryFolder(settings.cacheDirectory, repo);
  const known = commitPattern.test(revision) ? await snapshotFile(folder, revision, path) : undefined;
  const opened = known === undefined ? await openRepository(repo, revision, settings) : undefined;
  const found = known ?? (await opened?.cached(path)) ?? (await fetchOne());
  await checkSize(found, bytes);
  if (sha256 !== undefined) await checkRecorded(found, sha256, settings);
  return found;

  async function fetchOne(): Promise<string> {
    const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
    const file = (await opened!.list(parent)).find((one) => one.path === path);
    if (!file) {
      if (settings.offline)
        throw new HubError("offline", `${repo}/${path} is not in the cache, and fetching is switched off. Run it once with HF_HUB_OFFLINE unset.`);
      throw new HubError("not-found", `${repo}@${revision} has no file ${path}`);
    }
    if (sha256 !== undefined && file.oid.length === 64 && !file.oid.startsWith(sha256))
      throw new HubError("mismatch", `${repo}/${path}: expected sha256 ${sha256}, the hub has ${file.oid}. The file was changed; pin a revision.`);
    if (bytes !== undefined && file.bytes !== bytes)
      throw new HubError("mismatch", `${repo}/${path}: expected ${bytes} bytes, the hub has ${file.bytes}. The file was changed; pin a revision.`);
    return (await opened!.fetch([file]))[0]!;
  }
}

/** Where a file from a plain address lies; its name is kept, since some formats are told by it. */
async function fromAddress(url: URL, { sha256, bytes }: Expected, settings: Settings): Promise<string> {
  const key = createHash("sha256").update(url.href).digest("hex").slice(0, 32);
  const name = decodeURIComponent(basename(url.pathname))
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .replace(/^\.+|\.+$/g, "")
    .slice(-120);
  const path = join(settings.assetsDirectory, "urls", key, name === "" ? "file" : name);
  if (!(await isFile(path))) {
    if (settings.offline)
      throw new HubError("offline", `${url.href} is not in the cache, and fetching is switched off. Run it once with HF_HUB_OFFLINE unset.`);
    const onBytes = (done: number, total: number | undefined) =>
      settings.onProgress?.({ file: url.href, done, ...(total !== undefined && { total }) });
    const oid = sha256?.length === 64 ? sha256 : undefined;
    await download({ url, path, lock: `${path}.lock`, name: url.href, bytes, oid, onBytes }, settings);
    if (sha256 !== undefined) await record(path, oid ?? (await fileSha256(path, settings.signal)));
  }
  await checkSize(path, bytes);
  if (sha256 !== undefined) await checkRecorded(path, sha256, settings);
  return path;
}

/** Compares a cached file's digest with the wanted one; it is computed once and remembered as long as the file stays as it is. */
async function checkRecorded(path: string, sha256: string, { signal }: Settings): Promise<void> {
  const found = (await recorded(path)) ?? (await fileSha256(path, signal));
  if (!found.startsWith(sha256))
    throw new HubError("mismatch", `${path}: expected sha256 ${sha256}, the file has ${found}. Remove it to fetch it anew, or pin a revision.`);
}

/** A digest that is known without reading the file: large files of the hub are named by it, others have a record beside them. */
async function recorded(path: string): Promise<string | undefined> {
  const real = basename(await realpath(path));
  if (/^[0-9a-f]{64}$/.test(real)) return real;
  const [digest, stamp] = (await readFile(`${path}.sha256`, "utf8").catch(() => "")).split(" ");
  return stamp === (await stampOf(path)) ? digest : undefined;
}

async function record(path: string, sha256: string): Promise<void> {
  const temporary = temporaryName(`${path}.sha256`);
  await writeFile(temporary, `${sha256} ${await stampOf(path)}`);
  await rename(temporary, `${path}.sha256`);
}

async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size}:${mtimeMs}`;
}
