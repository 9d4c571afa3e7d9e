import { isUtf8 } from "node:buffer";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";

/** One entry of a zip file's central directory. Sizes and offsets in bytes. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly checksum: number;
  readonly packedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** Where an entry's bytes lie in the file. */
export interface ZipRecord {
  readonly entry: ZipEntry;
  readonly offset: number;
}

const endSignature = 0x06054b50;
const endLength = 22;
const wideEndSignature = 0x06064b50;
const wideLocatorSignature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const stored = 0;
const deflated = 8;
const directoryLimit = 64 * 2 ** 20;
const packedPiece = 2 ** 20;

/**
 * Reads the central directory of a zip file (PKWARE APPNOTE 6.3, with zip64). Two entries of one name and entries that share bytes are
 * refused, since readers would disagree on what the file holds. Throws a `WeightsError`.
 */
export async function readZipDirectory(file: WeightFile): Promise<Map<string, ZipEntry>> {
  const { offset, size, count } = await findDirectory(file);
  if (size > directoryLimit)
    throw new WeightsError("limit", `${file.path}: expected a zip directory of at most ${directoryLimit} bytes, got ${size}`);
  const directory = await file.read(offset, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  while (at < size) {
    if (at + 46 > size || directory.readUInt32LE(at) !== centralSignature)
      throw new WeightsError("malformed", `${file.path}: the zip directory is damaged at ${at}`);
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const end = extraEnd + directory.readUInt16LE(at + 32);
    if (end > size) throw new WeightsError("malformed", `${file.path}: an entry of the zip directory ends beyond it`);
    const name = decodeName(directory.subarray(at + 46, nameEnd));
    const entry = readEntry(directory.subarray(at, at + 46), directory.subarray(nameEnd, extraEnd), name, file.path);
    if (entries.has(name)) throw new WeightsError("malformed", `${file.path}: two zip entries are named ${JSON.stringify(name)}`);
    entries.set(name, entry);
    at = end;
  }
  if (entries.size !== count) throw new WeightsError("malformed", `${file.path}: the zip directory says ${count} entries and has ${entries.size}`);
  refuseOverlaps([...entries.values()], offset, file.path);
  return entries;
}

/** Finds an entry's bytes by its local header. Throws a `WeightsError`: `unsupported` for encryption and compression other than deflate. */
export async function locateRecord(file: WeightFile, entry: ZipEntry): Promise<ZipRecord> {
  const what = `${file.path}: zip entry ${JSON.stringify(entry.name)}`;
  if (entry.encrypted) throw new WeightsError("unsupported", `${what} is encrypted`);
  if (entry.method !== stored && entry.method !== deflated)
    throw new WeightsError("unsupported", `${what} is compressed by method ${entry.method}; expected none or deflate`);
  if (entry.method === stored && entry.packedSize !== entry.size) throw new WeightsError("malformed", `${what} is stored, yet its two sizes differ`);
  if (entry.headerOffset + 30 > file.size) throw new WeightsError("malformed", `${what} begins beyond the file's end`);
  const header = await file.read(entry.headerOffset, 30);
  if (header.readUInt32LE(0) !== localSignature) throw new WeightsError("malformed", `${what} has no header where the directory says`);
  if (header.readUInt16LE(8) !== entry.method)
    throw new WeightsError("malformed", `${what} has another compression in its header than in the directory`);
  const offset = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (offset + entry.packedSize > file.size) throw new WeightsError("malformed", `${what} ends beyond the file's end`);
  return { entry, offset };
}

/** Whether the record's bytes lie in the file as they are. */
export function isStored({ entry }: ZipRecord): boolean {
  return entry.method === stored;
}

/** A record's bytes, inflated where needed and then checked. `maximum` is in bytes. */
export async function readRecord(file: WeightFile, record: ZipRecord, { maximum }: { readonly maximum: number }): Promise<Buffer> {
  const { entry, offset } = record;
  const what = `${file.path}: zip entry ${JSON.stringify(entry.name)}`;
  if (entry.size > maximum) throw new WeightsError("limit", `${what}: expected at most ${maximum} bytes, got ${entry.size}`);
  if (isStored(record)) return file.read(offset, entry.size);
  // Deflate cannot do better than 1032 : 1.
  if (entry.size > entry.packedSize * 1032 + 64)
    throw new WeightsError("malformed", `${what}: ${entry.packedSize} bytes cannot inflate to ${entry.size}`);

  const bytes = Buffer.allocUnsafeSlow(entry.size);
  let length = 0;
  async function* packed(): AsyncGenerator<Buffer> {
    for (let at = 0; at < entry.packedSize; at += packedPiece) yield await file.read(offset + at, Math.min(packedPiece, entry.packedSize - at));
  }
  try {
    await pipeline(packed, createInflateRaw(), async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        if (length + piece.length > entry.size) throw new WeightsError("malformed", `${what} inflates to more than the ${entry.size} bytes declared`);
        bytes.set(piece, length);
        length += piece.length;
      }
    });
  } catch (error) {
    if (WeightsError.isInstance(error)) throw error;
    const code = error instanceof Error ? String(Reflect.get(error, "code")) : "";
    if (code.startsWith("Z_")) throw new WeightsError("malformed", `${what} does not inflate (${code})`, { cause: error });
    throw error;
  }
  if (length !== entry.size) throw new WeightsError("malformed", `${what} inflates to ${length} bytes, ${entry.size} declared`);
  if (crc32(bytes) !== entry.checksum) throw new WeightsError("malformed", `${what} has another checksum than the directory says`);
  return bytes;
}

async function findDirectory(file: WeightFile): Promise<{ offset: number; size: number; count: number }> {
  const tailLength = Math.min(file.size, endLength + 0xffff);
  const tailOffset = file.size - tailLength;
  const tail = await file.read(tailOffset, tailLength);
  let end = tailLength - endLength;
  // The comment must reach exactly to the end, else a signature inside a comment would do.
  while (end >= 0 && !(tail.readUInt32LE(end) === endSignature && end + endLength + tail.readUInt16LE(end + 20) === tailLength)) end--;
  if (end < 0) throw new WeightsError("truncated", `${file.path}: a zip file without its end; the download or copy was cut off`);

  const narrow = {
    disks: [tail.readUInt16LE(end + 4), tail.readUInt16LE(end + 6)],
    count: tail.readUInt16LE(end + 10),
    size: tail.readUInt32LE(end + 12),
    offset: tail.readUInt32LE(end + 16),
  };
  let directory: { offset: number; size: number; count: number } = narrow;
  let after = tailOffset + end;
  const locator = after >= 20 ? await file.read(after - 20, 20) : undefined;
  if (locator?.readUInt32LE(0) === wideLocatorSignature) {
    after = wide(locator.readBigUInt64LE(8), file.path);
    if (after + 56 > file.size) throw new WeightsError("malformed", `${file.path}: the zip64 end record lies beyond the file's end`);
    const record = await file.read(after, 56);
    if (record.readUInt32LE(0) !== wideEndSignature)
      throw new WeightsError("malformed", `${file.path}: there is no zip64 end record where the file says`);
    directory = {
      count: wide(record.readBigUInt64LE(32), file.path),
      size: wide(record.readBigUInt64LE(40), file.path),
      offset: wide(record.readBigUInt64LE(48), file.path),
    };
    if (
      (narrow.count !== 0xffff && narrow.count !== directory.count) ||
      (narrow.size !== 0xffffffff && narrow.size !== directory.size) ||
      (narrow.offset !== 0xffffffff && narrow.offset !== directory.offset)
    ) {
      throw new WeightsError("malformed", `${file.path}: the two end records of the zip file contradict each other`);
    }
  }
  if (narrow.disks.some((disk) => disk !== 0 && disk !== 0xffff)) throw new WeightsError("unsupported", `${file.path}: a zip file in several parts`);
  if (directory.offset + directory.size !== after)
    throw new WeightsError("malformed", `${file.path}: the zip directory does not end where its end record begins`);
  return directory;
}

function readEntry(fixed: Buffer, extra: Buffer, name: string, path: string): ZipEntry {
  let size = fixed.readUInt32LE(24);
  let packedSize = fixed.readUInt32LE(20);
  let headerOffset = fixed.readUInt32LE(42);
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) break;
    if (extra.readUInt16LE(at) === 1) {
      let field = at + 4;
      const next = (): number => {
        if (field + 8 > end) throw new WeightsError("malformed", `${path}: the zip64 sizes of ${JSON.stringify(name)} are cut off`);
        field += 8;
        return wide(extra.readBigUInt64LE(field - 8), path);
      };
      if (size === 0xffffffff) size = next();
      if (packedSize === 0xffffffff) packedSize = next();
      if (headerOffset === 0xffffffff) headerOffset = next();
      break;
    }
    at = end;
  }
  // Bits 0, 6 and 13 of the flags: encrypted, strongly encrypted, masked header.
  return {
    name,
    method: fixed.readUInt16LE(10),
    encrypted: (fixed.readUInt16LE(8) & 0x2041) !== 0,
    checksum: fixed.readUInt32LE(16),
    packedSize,
    size,
    headerOffset,
  };
}

function refuseOverlaps(entries: readonly ZipEntry[], directoryOffset: number, path: string): void {
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    if (entry.headerOffset < end) throw new WeightsError("malformed", `${path}: zip entry ${JSON.stringify(entry.name)} shares bytes with another`);
    end = entry.headerOffset + 30 + entry.packedSize;
    if (end > directoryOffset) throw new WeightsError("malformed", `${path}: zip entry ${JSON.stringify(entry.name)} ends beyond the file's data`);
  }
}

function wide(value: bigint, path: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WeightsError("malformed", `${path}: a zip64 field says ${value}`);
  return Number(value);
}

function decodeName(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? "utf8" : "latin1");
}
