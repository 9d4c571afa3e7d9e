import type { FileHandle } from "node:fs/promises";

/** A place in a sequence of bytes that only moves forward. */
export interface ByteCursor {
  /** Bytes before this place. */
  readonly position: number;
  /** The next bytes; fewer only where the sequence ends. Not to be changed. */
  take(length: number): Promise<Uint8Array>;
  /** How many of the bytes were there to pass over. */
  skip(length: number): Promise<number>;
}

/** Over a stream; what is skipped is read and dropped. */
export function streamCursor(stream: AsyncIterable<Uint8Array>, signal?: AbortSignal): ByteCursor & { close(): Promise<void> } {
  const chunks = stream[Symbol.asyncIterator]();
  let current: Uint8Array = new Uint8Array(0);
  let position = 0;
  /** False at the end. */
  const more = async (): Promise<boolean> => {
    while (current.length === 0) {
      signal?.throwIfAborted();
      const next = await chunks.next();
      if (next.done) return false;
      current = next.value;
    }
    return true;
  };
  const some = (length: number): Uint8Array => {
    const part = current.subarray(0, length);
    current = current.subarray(part.length);
    position += part.length;
    return part;
  };
  return {
    get position() {
      return position;
    },
    async take(length) {
      const parts: Uint8Array[] = [];
      let missing = length;
      while (missing > 0 && (await more())) {
        const part = some(missing);
        parts.push(part);
        missing -= part.length;
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
    async skip(length) {
      let missing = length;
      while (missing > 0 && (await more())) missing -= some(missing).length;
      return length - missing;
    },
    async close() {
      await chunks.return?.();
    },
  };
}

/** Bytes read at a time: several small entries of an archive come at once. */
const windowBytes = 65_536;

/** Over the part of a file from `start` to `end`; what is skipped is not read. */
export function fileCursor(file: FileHandle, start: number, end: number): ByteCursor {
  let position = start;
  let window: { readonly from: number; readonly bytes: Uint8Array } = { from: start, bytes: new Uint8Array(0) };
  return {
    get position() {
      return position;
    },
    async take(length) {
      const to = Math.min(position + length, end);
      if (position < window.from || to > window.from + window.bytes.length)
        window = { from: position, bytes: await readRange(file, position, Math.min(Math.max(to, position + windowBytes), end)) };
      const bytes = window.bytes.subarray(position - window.from, to - window.from);
      position += bytes.length;
      return bytes;
    },
    async skip(length) {
      const there = Math.max(Math.min(length, end - position), 0);
      position += there;
      return there;
    },
  };
}

/** The bytes from `start` to `end`, fewer if the file ends before. */
export async function readRange(file: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.max(end - start, 0));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
