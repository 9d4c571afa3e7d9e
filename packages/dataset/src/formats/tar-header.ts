import { DatasetError } from "../error.js";
import type { ByteCursor } from "./byte-cursor.js";

export const tarBlock = 512;

/** What stands before the content of an entry. */
export interface TarHeader {
  /** As in the archive, not checked. */
  readonly path: string;
  /** Of the content, in bytes. */
  readonly size: number;
  readonly kind: "file" | "directory" | "link" | "symbolic link" | "device" | "pipe" | "sparse file" | "entry of unknown type";
  /** Where the first header block of the entry begins. */
  readonly offset: number;
}

/** Names and attributes beyond the classic fields; larger ones are nobody's honest file name. */
const largestAttributes = 1_048_576;

const kinds: Readonly<Record<string, TarHeader["kind"]>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "link",
  "2": "symbolic link",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "pipe",
  S: "sparse file",
};

/**
 * The next header of a tar archive; the cursor then stands at the entry's content, to be taken or skipped together with its padding (`padded`).
 * Classic, USTAR, GNU (long names, sizes beyond 8 GiB) and pax archives are understood. `undefined` at the end marker.
 *
 * Written out rather than taken from a library because reading entries of a shard at random needs headers without the content between them.
 *
 * @throws DatasetError `format` if the archive is cut off, has no end marker, or a header is broken
 */
export async function nextTarHeader(where: string, cursor: ByteCursor, shared: Map<string, string>): Promise<TarHeader | undefined> {
  const offset = cursor.position;
  let attributes: ReadonlyMap<string, string> = shared;
  let longName: string | undefined;
  let described = false;
  while (true) {
    const block = await wholeBlocks(where, cursor, tarBlock, "a header or the end marker");
    if (block.every((byte) => byte === 0)) {
      if (described) throw cutOff(where, "an entry after its attributes");
      return undefined;
    }
    checkSum(where, block, cursor.position - tarBlock);
    const type = String.fromCharCode(block[156]!);
    const size = number(where, block, 124, 12);
    if (type !== "x" && type !== "g" && type !== "L" && type !== "K") {
      const given = attributes.get("size");
      const path = longName ?? attributes.get("path") ?? classicName(block);
      return {
        path,
        size: given === undefined ? size : wholeNumber(where, given),
        kind: kindOf(type, path, attributes),
        offset,
      };
    }
    if (size > largestAttributes)
      throw new DatasetError("too-large", `${where}: expected attributes of at most ${largestAttributes} bytes, got ${size}`);
    const content = (await wholeBlocks(where, cursor, padded(size), "attributes")).slice(0, size);
    described = type !== "g";
    if (type === "L") longName = text(content, 0, size);
    else if (type === "x") attributes = new Map([...shared, ...records(where, content)]);
    else if (type === "g") for (const [name, value] of records(where, content)) shared.set(name, value);
  }
}

/** Content fills whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / tarBlock) * tarBlock;
}

export function cutOff(where: string, expected: string): DatasetError {
  return new DatasetError("format", `${where}: expected ${expected}, got the end of the file: the archive is cut off`);
}

async function wholeBlocks(where: string, cursor: ByteCursor, length: number, expected: string): Promise<Uint8Array> {
  const bytes = await cursor.take(length);
  if (bytes.length < length) throw cutOff(where, expected);
  return bytes;
}

function kindOf(type: string, path: string, attributes: ReadonlyMap<string, string>): TarHeader["kind"] {
  if ([...attributes.keys()].some((name) => name.startsWith("GNU.sparse."))) return "sparse file";
  const kind = Object.hasOwn(kinds, type) ? kinds[type]! : "entry of unknown type";
  // Archives older than USTAR mark folders by a slash.
  return kind === "file" && path.endsWith("/") ? "directory" : kind;
}

function checkSum(where: string, block: Uint8Array, offset: number): void {
  let sum = 8 * 0x20;
  for (let index = 0; index < tarBlock; index++) if (index < 148 || index >= 156) sum += block[index]!;
  if (number(where, block, 148, 8) !== sum)
    throw new DatasetError("format", `${where}: expected a tar header at byte ${offset}, got a wrong checksum`);
}

function classicName(block: Uint8Array): string {
  const name = text(block, 0, 100);
  // GNU archives have times where USTAR has a prefix.
  const prefix = text(block, 257, 263) === "ustar" && block[262] === 0 ? text(block, 345, 500) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  const field = bytes.subarray(start, end);
  const length = field.indexOf(0);
  return new TextDecoder().decode(length === -1 ? field : field.subarray(0, length));
}

/** Octal digits, or base 256 with the first bit set. */
function number(where: string, block: Uint8Array, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  if (field[0]! & 0x80) {
    let value = field[0]! & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new DatasetError("format", `${where}: expected a size in a tar header, got a number beyond 2^53`);
    return value;
  }
  const digits = String.fromCharCode(...field)
    .replace(/\0.*$/s, "")
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw new DatasetError("format", `${where}: expected octal digits in a tar header, got ${JSON.stringify(digits)}`);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function wholeNumber(where: string, digits: string): number {
  const value = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new DatasetError("format", `${where}: expected a whole number as size, got ${JSON.stringify(digits)}`);
  return value;
}

/** pax: `27 path=some/long/name.png\n`, the length counting itself. */
function* records(where: string, content: Uint8Array): Generator<[string, string]> {
  for (let start = 0; start < content.length; ) {
    const space = content.indexOf(0x20, start);
    const length = space === -1 ? Number.NaN : wholeNumber(where, text(content, start, space));
    const end = start + length;
    const equals = content.indexOf(0x3d, space);
    if (!(length > 0) || end > content.length || content[end - 1] !== 0x0a || equals === -1 || equals >= end)
      throw new DatasetError("format", `${where}: expected pax records "length name=value", got ${JSON.stringify(text(content, start, start + 80))}`);
    yield [new TextDecoder().decode(content.subarray(space + 1, equals)), new TextDecoder().decode(content.subarray(equals + 1, end - 1))];
    start = end;
  }
}
