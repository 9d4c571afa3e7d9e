import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { ArgumentError } from "@refadgen/errors";
import type { FileStore, StoredFile } from "../contract.js";
import { DatasetError } from "../error.js";
import { storageError } from "./system-error.js";

const extensions: Readonly<Record<StoredFile["type"], string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "application/json": "json",
};

/** Where files are written before they get their names; what lies there after a run was killed is rubbish. */
const unfinished = ".writing";

let written = 0;

/**
 * Files in a folder by the sha256 of their content, `ab/abcdef….png`. Several threads, processes and machines may share it: a file appears whole or not
 * at all, and its bytes are on the disk before `put` returns, so that a ledger never names a file that a power cut took away.
 *
 * @throws DatasetError `storage` when the system refuses to write (a full disk says so), when a file is missing, or is not what its name says
 */
export function folderStore(folder: string): FileStore {
  if (typeof folder !== "string" || folder === "") throw new ArgumentError(`folderStore: expected a folder, got ${JSON.stringify(folder)}`);
  return {
    async put(bytes, type) {
      const file: StoredFile = { sha256: digest(bytes), bytes: bytes.length, type };
      const path = pathOf(folder, file);
      if ((await sizeOf(path)) === bytes.length) return file;
      try {
        await mkdir(join(folder, file.sha256.slice(0, 2)), { recursive: true });
        await writeWhole(folder, path, bytes);
      } catch (error) {
        throw storageError(`folderStore: cannot write ${path}`, error);
      }
      return file;
    },
    async get(file) {
      const path = pathOf(folder, file);
      const bytes = await read(path);
      if (bytes.length !== file.bytes || digest(bytes) !== file.sha256)
        throw new DatasetError(
          "storage",
          `folderStore: expected ${path} to hold what its name says, got other bytes. Delete it and start the run again`,
        );
      return bytes;
    },
  };
}

/** Deletes what killed runs left half-written. */
export async function clearUnfinished(folder: string): Promise<void> {
  await rm(join(folder, unfinished), { recursive: true, force: true });
}

/** @throws ArgumentError for what is no stored file: rows come from outside as well */
function pathOf(folder: string, { sha256, type }: StoredFile): string {
  const extension = Object.hasOwn(extensions, type) ? extensions[type] : undefined;
  if (!/^[0-9a-f]{64}$/.test(sha256) || extension === undefined)
    throw new ArgumentError(`folderStore: expected a stored file, got ${JSON.stringify({ sha256, type }).slice(0, 200)}`);
  return join(folder, sha256.slice(0, 2), `${sha256}.${extension}`);
}

async function writeWhole(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(folder, unfinished, `${process.pid}-${threadId}-${++written}`);
  for (let attempt = 1; ; attempt++) {
    try {
      await mkdir(join(folder, unfinished), { recursive: true });
      const handle = await open(temporary, "w");
      try {
        await handle.writeFile(bytes);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
      return;
    } catch (error) {
      // Another run that starts on the same store clears what it takes for rubbish.
      if (attempt < 5 && Reflect.get(Object(error), "code") === "ENOENT") continue;
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    throw new DatasetError("storage", `folderStore: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
