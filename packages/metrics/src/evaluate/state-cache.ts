import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";

/** Raised when what is kept would be misread, or an algorithm changes a number. */
const version = 1;

/** A key for what follows from `parts` alone. */
export function cacheKey(parts: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([version, parts]))
    .digest("hex");
}

/**
 * Plain values on the disk, each whole or not at all: written to a temporary name, then renamed; with a digest, so that a damaged
 * file counts as absent. Nothing here is fatal: a cache that cannot be written is reported once and done without.
 */
export class StateCache {
  readonly #folder: string | undefined;
  readonly #onFailure: (message: string) => void;
  #failed = false;

  /** @param folder undefined: nothing is kept */
  constructor(folder: string | undefined, onFailure: (message: string) => void) {
    this.#folder = folder;
    this.#onFailure = onFailure;
  }

  async get(key: string): Promise<unknown> {
    if (this.#folder === undefined) return undefined;
    const bytes = await readFile(this.#path(key)).catch(() => undefined);
    if (!bytes || bytes.length < 32) return undefined;
    const content = bytes.subarray(32);
    if (!createHash("sha256").update(content).digest().equals(bytes.subarray(0, 32))) return undefined;
    try {
      return deserialize(content);
    } catch {
      // Written by a newer Node.
      return undefined;
    }
  }

  async put(key: string, value: unknown): Promise<void> {
    if (this.#folder === undefined || this.#failed) return;
    const path = this.#path(key);
    const temporary = `${path}.${randomUUID()}.partial`;
    const content = serialize(value);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, Buffer.concat([createHash("sha256").update(content).digest(), content]));
      await rename(temporary, path);
    } catch (error) {
      this.#failed = true;
      await rm(temporary, { force: true }).catch(() => undefined);
      this.#onFailure(
        `nothing can be kept in the cache folder (${error instanceof Error ? error.message : String(error)}); a stopped run begins anew`,
      );
    }
  }

  #path(key: string): string {
    return join(this.#folder!, "states", key.slice(0, 2), `${key}.state`);
  }
}
