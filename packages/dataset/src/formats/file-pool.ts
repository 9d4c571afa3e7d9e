import { type FileHandle, open } from "node:fs/promises";
import { DatasetError } from "../error.js";
import { readRange } from "./byte-cursor.js";

/** Open files that are read from at many places, a bounded number of them. */
export interface FilePool {
  /** Runs `work` with the file open. */
  use<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T>;
  /** @throws DatasetError `format` if the file is shorter */
  read(path: string, start: number, length: number): Promise<Uint8Array>;
  dispose(): Promise<void>;
}

interface OpenFile {
  readonly opening: Promise<FileHandle>;
  users: number;
}

const mostIdle = 16;

export function createFilePool(): FilePool {
  // In the order of last use.
  const files = new Map<string, OpenFile>();
  const close = async (path: string, file: OpenFile): Promise<void> => {
    files.delete(path);
    await file.opening.then((handle) => handle.close()).catch(() => undefined);
  };
  const use = async <T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> => {
    const file = files.get(path) ?? { opening: open(path, "r"), users: 0 };
    files.delete(path);
    files.set(path, file);
    file.users++;
    try {
      return await work(await file.opening);
    } catch (error) {
      if (typeof Reflect.get(Object(error), "syscall") !== "string") throw error;
      throw new DatasetError("unreadable", `cannot read ${path}: ${(error as Error).message}`, { cause: error });
    } finally {
      file.users--;
      for (const [other, candidate] of files) {
        if (files.size <= mostIdle) break;
        if (candidate.users === 0) await close(other, candidate);
      }
    }
  };
  return {
    use,
    read: (path, start, length) =>
      use(path, async (file) => {
        const bytes = await readRange(file, start, start + length);
        if (bytes.length < length)
          throw new DatasetError("format", `${path}: expected ${start + length} bytes, got ${start + bytes.length}: the file is cut off`);
        return bytes;
      }),
    async dispose() {
      await Promise.all([...files].map(([path, file]) => close(path, file)));
    },
  };
}
