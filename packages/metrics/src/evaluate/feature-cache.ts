import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

const digestBytes = 32;
const checksumBytes = 4;

/**
 * Rows of features on the disk, by the sha256 of what they were computed from. Every process appends to a file of its own: records
 * of digest, values and checksum, of one length. Whatever a killed process left half-written, or a disk damaged, counts as absent.
 * Only an index is held in memory.
 */
export class FeatureCache {
  readonly #folder: string;
  readonly #width: number;
  readonly #index = new Map<string, { readonly file: FileHandle; readonly offset: number }>();
  readonly #files: FileHandle[] = [];
  #own: { readonly file: FileHandle; offset: number } | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, width: number) {
    this.#folder = folder;
    this.#width = width;
  }

  /** @param width values per row */
  static async open(folder: string, width: number): Promise<FeatureCache> {
    await mkdir(folder, { recursive: true });
    const cache = new FeatureCache(folder, width);
    for (const name of (await readdir(folder)).sort()) {
      if (name.endsWith(`.${width}.rows`)) await cache.#read(join(folder, name));
    }
    return cache;
  }

  /** The row of a digest (hex); undefined when there is none, or it is damaged. */
  async get(digest: string): Promise<Float32Array | undefined> {
    const found = this.#index.get(digest);
    if (!found) return undefined;
    const record = Buffer.alloc(this.#recordBytes);
    const { bytesRead } = await found.file.read(record, 0, record.length, found.offset);
    const content = record.subarray(0, record.length - checksumBytes);
    if (bytesRead === record.length && crc32(content) === record.readUInt32LE(content.length)) {
      return new Float32Array(new Uint8Array(content.subarray(digestBytes)).buffer);
    }
    this.#index.delete(digest);
    return undefined;
  }

  /** Keeps rows; those that are there already are left as they are. */
  put(rows: ReadonlyMap<string, Float32Array>): Promise<void> {
    this.#writing = this.#writing.then(() => this.#append(rows));
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    this.#index.clear();
    await Promise.all(this.#files.splice(0).map((file) => file.close()));
  }

  get #recordBytes(): number {
    return digestBytes + this.#width * 4 + checksumBytes;
  }

  async #read(path: string): Promise<void> {
    const file = await open(path, "r");
    this.#files.push(file);
    const { size } = await file.stat();
    const digest = Buffer.alloc(digestBytes);
    // What is left over at the end was being written when its process ended.
    for (let offset = 0; offset + this.#recordBytes <= size; offset += this.#recordBytes) {
      await file.read(digest, 0, digestBytes, offset);
      const key = digest.toString("hex");
      if (!this.#index.has(key)) this.#index.set(key, { file, offset });
    }
  }

  async #append(rows: ReadonlyMap<string, Float32Array>): Promise<void> {
    const records: Buffer[] = [];
    const added: string[] = [];
    for (const [digest, row] of rows) {
      if (this.#index.has(digest)) continue;
      const record = Buffer.alloc(this.#recordBytes);
      record.set(Buffer.from(digest, "hex"), 0);
      record.set(new Uint8Array(row.buffer, row.byteOffset, row.byteLength), digestBytes);
      record.writeUInt32LE(crc32(record.subarray(0, record.length - checksumBytes)), record.length - checksumBytes);
      records.push(record);
      added.push(digest);
    }
    if (records.length === 0) return;
    if (!this.#own) {
      const file = await open(join(this.#folder, `${randomUUID()}.${this.#width}.rows`), "wx+");
      this.#files.push(file);
      this.#own = { file, offset: 0 };
    }
    const { file, offset } = this.#own;
    const content = Buffer.concat(records);
    await file.write(content, 0, content.length, offset);
    this.#own.offset += content.length;
    for (const [index, digest] of added.entries()) this.#index.set(digest, { file, offset: offset + index * this.#recordBytes });
  }
}
