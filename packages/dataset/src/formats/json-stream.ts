import { createReadStream } from "node:fs";
import { DatasetError } from "../error.js";

/** A line or an element, and where it lies in its file. */
export interface JsonPart {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

const largestPart = 64 * 2 ** 20;
const newline = 0x0a;
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const opening = new Set([0x7b, 0x5b]);
const closing = new Set([0x7d, 0x5d]);
const blank = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The lines of a file that are not empty, one in memory at a time. */
export async function* jsonLines(path: string, signal?: AbortSignal): AsyncGenerator<JsonPart, void, void> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for await (const chunk of chunks(path, signal)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if (!isBlank(bytes.subarray(start, end))) yield { bytes: bytes.subarray(start, end), offset: offset + start };
      start = end + 1;
    }
    rest = bytes.subarray(start);
    offset += start;
    bounded(path, rest.length);
  }
  if (!isBlank(rest)) yield { bytes: rest, offset };
}

/**
 * The elements of a file that is one JSON array, one in memory at a time: lists of a million rows are longer than a text may be.
 *
 * @throws DatasetError `format` unless the file is one whole array
 */
export async function* jsonElements(path: string, signal?: AbortSignal): AsyncGenerator<JsonPart, void, void> {
  const broken = (what: string) => new DatasetError("format", `${path}: expected one JSON array, got ${what}`);
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let [depth, offset, start] = [0, 0, 0];
  let [text, escaped, ended, afterComma] = [false, false, false, false];
  let empty = true;
  for await (const chunk of chunks(path, signal)) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (text) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) text = false;
        continue;
      }
      if (depth === 0) {
        if (blank.has(byte) || (offset + at === 0 && byte === 0xef) || (offset + at < 3 && (byte === 0xbb || byte === 0xbf))) continue;
        if (ended) throw broken("more after it");
        if (byte !== 0x5b) throw broken("something else");
        depth = 1;
        from = at + 1;
        start = offset + from;
        continue;
      }
      const ends = depth === 1 && (byte === comma || byte === 0x5d);
      if (ends) {
        const bytes = Buffer.concat([...held, chunk.subarray(from, at)]);
        held = [];
        heldBytes = 0;
        if (!empty) yield { bytes, offset: start };
        else if (byte === comma || afterComma) throw broken("an empty element");
        afterComma = byte === comma;
        empty = true;
        from = at + 1;
        start = offset + from;
        if (byte === 0x5d) {
          depth = 0;
          ended = true;
        }
        continue;
      }
      if (byte === quote) text = true;
      else if (opening.has(byte)) depth++;
      else if (closing.has(byte)) depth--;
      if (!blank.has(byte)) empty = false;
    }
    if (depth > 0) {
      held.push(chunk.subarray(from));
      heldBytes += chunk.length - from;
      bounded(path, heldBytes);
    }
    offset += chunk.length;
  }
  if (!ended) throw broken("the end of the file before that of the array");
}

async function* chunks(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* createReadStream(path, { highWaterMark: 2 ** 18, ...(signal && { signal }) }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new DatasetError("unreadable", `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => blank.has(byte));
}

function bounded(path: string, length: number): void {
  if (length > largestPart) throw new DatasetError("too-large", `${path}: expected rows of at most ${largestPart} bytes, got more`);
}
