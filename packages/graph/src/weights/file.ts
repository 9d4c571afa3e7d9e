import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { WeightsError } from "./error.js";

/** Read in pieces of this size: one system call takes at most 2 GiB. */
const pieceBytes = 64 * 2 ** 20;

/**
 * A file that weights are read from, in ranges, never whole. While it is open one handle serves all reads; after `close` each read opens it
 * again and makes sure that it is still the file that was opened (same inode, size and modification time).
 */
export class WeightFile {
  readonly path: string;
  /** The path without symbolic links. */
  readonly realPath: string;
  /** In bytes. */
  readonly size: number;
  readonly modified: bigint;
  readonly inode: bigint;
  #handle: FileHandle | undefined;

  private constructor(path: string, realPath: string, identity: { size: bigint; mtimeNs: bigint; ino: bigint }, handle: FileHandle) {
    this.path = path;
    this.realPath = realPath;
    this.size = Number(identity.size);
    this.modified = identity.mtimeNs;
    this.inode = identity.ino;
    this.#handle = handle;
  }

  /** Throws a `WeightsError`: `missing-file` when there is none or it may not be read, `unsupported` for what is no regular file. */
  static async open(path: string): Promise<WeightFile> {
    try {
      // Looked at before it is opened: opening a pipe would wait for its other end.
      if (!(await stat(path)).isFile())
        throw new WeightsError("unsupported", `${path}: expected a file, got something else (a folder, device or pipe)`);
      const handle = await open(path, "r");
      try {
        return new WeightFile(path, await realpath(path), await handle.stat({ bigint: true }), handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw readable(error, path);
    }
  }

  /** The bytes `offset` to `offset + length` in memory of their own. Throws a `WeightsError` (`truncated`) when the file ends before. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset + length > this.size) {
      throw new WeightsError("truncated", `${this.path}: expected ${length} bytes at ${offset}, the file ends at ${this.size}`);
    }
    const handle = this.#handle ?? (await this.#reopen());
    try {
      const bytes = Buffer.allocUnsafeSlow(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, pieceBytes), offset + done);
        if (bytesRead === 0) throw new WeightsError("truncated", `${this.path}: the file became shorter while it was read`);
        done += bytesRead;
      }
      return bytes;
    } finally {
      if (handle !== this.#handle) await handle.close();
    }
  }

  /** Throws a `WeightsError` (`mismatch`) when the path no longer leads to the file that was opened, `missing-file` when to none. */
  async verify(): Promise<void> {
    try {
      this.#compare(await stat(this.path, { bigint: true }));
    } catch (error) {
      throw readable(error, this.path);
    }
  }

  /** Gives the handle back; reading goes on to work. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #reopen(): Promise<FileHandle> {
    let handle: FileHandle;
    try {
      handle = await open(this.path, "r");
    } catch (error) {
      throw readable(error, this.path);
    }
    try {
      this.#compare(await handle.stat({ bigint: true }));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #compare({ size, mtimeNs, ino }: { size: bigint; mtimeNs: bigint; ino: bigint }): void {
    if (Number(size) === this.size && mtimeNs === this.modified && ino === this.inode) return;
    throw new WeightsError("mismatch", `${this.path}: the file has changed since it was opened`);
  }
}

function readable(error: unknown, path: string): unknown {
  const code = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return new WeightsError("missing-file", `${path}: there is no such file`, { cause: error });
  if (code === "EACCES" || code === "EPERM" || code === "ELOOP" || code === "ERR_INVALID_ARG_VALUE" || code === "ENAMETOOLONG") {
    return new WeightsError("missing-file", `${path}: the file cannot be opened (${String(code)})`, { cause: error });
  }
  return error;
}
