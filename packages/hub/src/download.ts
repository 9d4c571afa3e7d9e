import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { hashFile, hashFor } from "./digest.js";
import { HubError } from "./error.js";
import { withLock } from "./lock.js";
import { backOff, isTransient, readable, request, statusError } from "./request.js";
import type { Settings } from "./settings.js";

/** What to fetch and where it shall lie. */
export interface Download {
  readonly url: URL;
  /** The finished file. While it comes, its name ends in `.refadgen.incomplete`. */
  readonly path: string;
  readonly lock: string;
  /** What to call it in messages and progress. */
  readonly name: string;
  readonly bytes: number | undefined;
  /** sha256, or git's sha1 (then `bytes` is known). Undefined: the server's length is all there is to check. */
  readonly oid: string | undefined;
  readonly onBytes: (done: number, total: number | undefined) => void;
}

/**
 * Fetches a file, or goes on with what an earlier try left. It has its name only when it is whole and its digest is right.
 *
 * @throws HubError; the signal's reason. What has come is kept for the next try, unless it is wrong.
 */
export async function download(one: Download, settings: Settings): Promise<void> {
  const there = async () => (await stat(one.path).catch(() => undefined)) !== undefined;
  if (await there()) return;
  await mkdir(dirname(one.path), { recursive: true });
  await withLock(
    one.lock,
    async () => {
      if (!(await there())) await fetchWhole(one, settings);
    },
    { signal: settings.signal, until: there },
  );
}

async function fetchWhole(one: Download, settings: Settings): Promise<void> {
  const partial = `${one.path}.refadgen.incomplete`;
  // What an earlier try left may be of another file or damaged: then once more from the beginning.
  for (let fresh = false; ; fresh = true) {
    if (fresh) await rm(partial, { force: true });
    const resumed = ((await stat(partial).catch(() => undefined))?.size ?? 0) > 0;
    const { digest, bytes } = await fetchPartial(one, partial, settings);
    const problem =
      one.bytes !== undefined && bytes !== one.bytes
        ? `expected ${one.bytes} bytes, got ${bytes}`
        : one.oid !== undefined && digest !== one.oid
          ? `expected ${one.oid.length === 64 ? "sha256" : "git's sha1"} ${one.oid}, got ${digest}`
          : undefined;
    if (problem === undefined) {
      await rename(partial, one.path);
      return;
    }
    if (fresh || !resumed) {
      await rm(partial, { force: true });
      throw new HubError("mismatch", `${one.name}: ${problem}. The file was thrown away; try again, and if it stays so do not use this source.`);
    }
  }
}

async function fetchPartial(
  one: Download,
  partial: string,
  settings: Settings,
): Promise<{ readonly digest: string | undefined; readonly bytes: number }> {
  const handle = await open(partial, "a+");
  try {
    let done = (await handle.stat()).size;
    if (one.bytes !== undefined && done > one.bytes) {
      await handle.truncate(0);
      done = 0;
    }
    if (one.bytes !== undefined) await refuseFullDisk(one, partial, one.bytes - done);
    const newHash = () => (one.oid === undefined ? createHash("sha256") : hashFor(one.oid, one.bytes ?? 0));
    const state: Partial = { handle, done, hash: newHash(), total: one.bytes };
    await hashFile(state.hash, partial, done, settings.signal);
    one.onBytes(state.done, state.total);
    for (let failures = 0; state.total === undefined || state.done < state.total; ) {
      const before = state.done;
      let response: Response | undefined;
      try {
        const answer = await request(
          one.url,
          { headers: { "accept-encoding": "identity", ...(state.done > 0 && { range: `bytes=${state.done}-` }) } },
          settings,
        );
        response = answer.response;
        try {
          if (response.status === 416 && state.done > 0) {
            await restart(state, newHash());
          } else if (response.ok) {
            if (await receive(one, response, state, newHash, answer.alive)) break;
          } else if (!isTransient(response.status)) throw statusError(response, one.name);
        } finally {
          answer.end();
        }
        if (!response.ok && failures + 1 >= settings.attempts) throw statusError(response, one.name);
      } catch (caught) {
        const error = diskError(caught, one, partial) ?? readable(caught, one.url, settings);
        if (!HubError.isInstance(error) || error.code !== "unavailable") throw error;
        if (state.done <= before && failures + 1 >= settings.attempts)
          throw new HubError("unavailable", `${one.name}: ${error.message}. ${state.done} bytes are kept; run it again to go on from there.`, {
            cause: error,
          });
      }
      if (state.total !== undefined && state.done >= state.total) break;
      failures = state.done > before ? 1 : failures + 1;
      if (failures > settings.attempts) throw new HubError("unavailable", `${one.name}: the server kept sending nothing`);
      await backOff(failures, response?.ok ? undefined : response, one.name, settings);
    }
    await handle.sync();
    return { digest: state.hash.digest("hex"), bytes: state.done };
  } finally {
    await handle.close();
  }
}

interface Partial {
  readonly handle: FileHandle;
  done: number;
  hash: Hash;
  total: number | undefined;
}

async function restart(state: Partial, hash: Hash): Promise<void> {
  await state.handle.truncate(0);
  state.done = 0;
  state.hash = hash;
}

/** Appends a response's body; true when it ended where it should. */
async function receive(one: Download, response: Response, state: Partial, newHash: () => Hash, alive: () => void): Promise<boolean> {
  const type = response.headers.get("content-type") ?? "";
  if (/^text\/html/i.test(type) && !/\.html?$/i.test(one.url.pathname))
    throw new HubError(
      "unexpected-content",
      `${one.name}: a web page came in place of the file; the address is wrong, or a network login page stands in between`,
    );
  const [, start, whole] = /^bytes (\d+)-\d+\/(\d+|\*)/.exec(response.headers.get("content-range") ?? "") ?? [];
  if (response.status === 206 ? Number(start) !== state.done : state.done > 0) await restart(state, newHash());
  if (response.status === 206 && Number(start) !== state.done) throw new HubError("unavailable", `the server sent another part than was asked for`);
  const length = response.headers.get("content-length");
  const announced =
    response.status === 206 ? (whole === undefined || whole === "*" ? undefined : Number(whole)) : length === null ? undefined : Number(length);
  if (one.bytes !== undefined && announced !== undefined && announced !== one.bytes)
    throw new HubError(
      "mismatch",
      `${one.name}: expected ${one.bytes} bytes, the server announces ${announced}. The source has changed, or something stands in between.`,
    );
  state.total = one.bytes ?? announced;
  for await (const chunk of response.body ?? []) {
    alive();
    const bytes = chunk as Uint8Array;
    for (let written = 0; written < bytes.length; ) written += (await state.handle.write(bytes, written)).bytesWritten;
    state.hash.update(bytes);
    state.done += bytes.length;
    if (state.total !== undefined && state.done > state.total)
      throw new HubError(
        "mismatch",
        `${one.name}: expected ${state.total} bytes, more came. The source has changed, or something stands in between.`,
      );
    one.onBytes(state.done, state.total);
  }
  // Without any length, the end of the body is the end of the file.
  return state.total === undefined || state.done === state.total;
}

async function refuseFullDisk({ name }: Download, partial: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(partial));
  const free = bavail * bsize;
  if (needed > free)
    throw new HubError(
      "disk-full",
      `${name}: ${needed} bytes are needed in ${dirname(partial)}, ${free} are free. Make room, or set HF_HOME to a folder elsewhere.`,
    );
}

function diskError(error: unknown, { name }: Download, partial: string): HubError | undefined {
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code !== "ENOSPC" && code !== "EDQUOT") return undefined;
  return new HubError(
    "disk-full",
    `${name}: the disk of ${dirname(partial)} is full. Make room, or set HF_HOME to a folder elsewhere; what has come is kept.`,
    { cause: error },
  );
}
