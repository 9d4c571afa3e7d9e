import { SplatFileError } from "./error.js";

const sizes = { char: 1, uchar: 1, short: 2, ushort: 2, int: 4, uint: 4, float: 4, double: 8 } as const;
type PlyType = keyof typeof sizes;
const synonyms: Readonly<Record<string, PlyType>> = {
  int8: "char",
  uint8: "uchar",
  int16: "short",
  uint16: "ushort",
  int32: "int",
  uint32: "uint",
  float32: "float",
  float64: "double",
};

export interface PlyProperty {
  readonly name: string;
  readonly type: PlyType;
  /** Bytes from the start of a row. */
  readonly offset: number;
}

/** One element of a `.ply` file: rows of numbers, where they lie in the file. */
export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: ReadonlyMap<string, PlyProperty>;
  /** Bytes of one row. */
  readonly stride: number;
  /** Where the first row begins. */
  readonly start: number;
}

export interface PlyFile {
  readonly elements: ReadonlyMap<string, PlyElement>;
  readonly bytes: DataView;
  readonly littleEndian: boolean;
}

const maxHeaderBytes = 1 << 20;

/** Reads the value of a property in a row. */
export type PlyReader = (row: number) => number;

/**
 * Reads the header of a binary `.ply` file and checks that the body holds what it announces; nothing is taken for the body.
 *
 * @param needed elements that must have rows of fixed length; others may hold lists if they come after.
 * @throws SplatFileError if it is not such a file, cut off, or longer than announced.
 */
export function parsePly(data: Uint8Array, needed: ReadonlySet<string>): PlyFile {
  const { lines, bodyStart } = headerLines(data);
  const [magic, formatLine, ...rest] = lines;
  if (magic !== "ply") throw new SplatFileError("damaged", `ply: expected "ply" in the first line, got ${quote(magic)}`);
  const littleEndian = formatOf(formatLine);
  const bytes = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const elements = new Map<string, PlyElement>();
  let open: { name: string; count: number; properties: Map<string, PlyProperty>; stride: number; list: string | undefined } | undefined;
  let start: number | undefined = bodyStart;

  const close = (): void => {
    if (!open) return;
    const { name, count, properties, stride, list } = open;
    if (list !== undefined && needed.has(name)) {
      throw new SplatFileError("unsupported", `ply: expected numbers in element ${name}, got the list property ${quote(list)}`);
    }
    if (start === undefined && needed.has(name)) {
      throw new SplatFileError("unsupported", `ply: expected element ${name} before any element with lists, got it behind one`);
    }
    if (start === undefined) return;
    if (list !== undefined) {
      start = undefined;
      return;
    }
    const end: number = start + stride * count;
    if (end > data.length) {
      throw new SplatFileError("damaged", `ply: expected ${stride * count} bytes for ${count} rows of element ${name}, got ${data.length - start}`);
    }
    if (elements.has(name)) throw new SplatFileError("damaged", `ply: expected one element ${name}, got two`);
    elements.set(name, { name, count, properties, stride, start });
    start = end;
  };

  for (const line of rest) {
    const words = line.trim().split(/\s+/);
    switch (words[0]) {
      case "comment":
      case "obj_info":
      case "":
        break;
      case "element":
        close();
        open = { name: words[1] ?? "", count: countOf(words, line), properties: new Map(), stride: 0, list: undefined };
        break;
      case "property": {
        if (!open) throw new SplatFileError("damaged", `ply: expected an element before ${quote(line)}, got none`);
        if (words[1] === "list") {
          open.list = words[4] ?? line;
          break;
        }
        const [, typeName = "", name = ""] = words;
        const type = Object.hasOwn(sizes, typeName) ? (typeName as PlyType) : synonyms[typeName];
        if (type === undefined || words.length !== 3) throw new SplatFileError("damaged", `ply: expected "property TYPE NAME", got ${quote(line)}`);
        if (open.properties.has(name)) throw new SplatFileError("damaged", `ply: expected one property ${name} in ${open.name}, got two`);
        open.properties.set(name, { name, type, offset: open.stride });
        open.stride += sizes[type];
        break;
      }
      default:
        throw new SplatFileError("damaged", `ply: expected comment, element or property, got ${quote(line)}`);
    }
  }
  close();
  if (start !== undefined && start !== data.length) {
    throw new SplatFileError("damaged", `ply: expected the file to end after ${start} bytes, as its header says, got ${data.length}`);
  }
  return { elements, bytes, littleEndian };
}

/** A reader of one property; undefined if the element has none of that name. */
export function plyReader({ bytes, littleEndian }: PlyFile, element: PlyElement, name: string): PlyReader | undefined {
  const property = element.properties.get(name);
  if (!property) return undefined;
  const { stride } = element;
  const first = element.start + property.offset;
  switch (property.type) {
    case "char":
      return (row) => bytes.getInt8(first + row * stride);
    case "uchar":
      return (row) => bytes.getUint8(first + row * stride);
    case "short":
      return (row) => bytes.getInt16(first + row * stride, littleEndian);
    case "ushort":
      return (row) => bytes.getUint16(first + row * stride, littleEndian);
    case "int":
      return (row) => bytes.getInt32(first + row * stride, littleEndian);
    case "uint":
      return (row) => bytes.getUint32(first + row * stride, littleEndian);
    case "float":
      return (row) => bytes.getFloat32(first + row * stride, littleEndian);
    case "double":
      return (row) => bytes.getFloat64(first + row * stride, littleEndian);
  }
}

function headerLines(data: Uint8Array): { readonly lines: readonly string[]; readonly bodyStart: number } {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, maxHeaderBytes));
  // The last line of the header may not be confused with a comment that ends in the same word.
  for (let from = 0; ; ) {
    const at = head.indexOf("end_header", from, "latin1");
    if (at < 0) throw new SplatFileError("damaged", `ply: expected "end_header" within ${maxHeaderBytes} bytes, got none in ${head.length}`);
    const lineStart = at === 0 || head[at - 1] === 10 || head[at - 1] === 13;
    const lineEnd = head.indexOf(10, at);
    if (lineStart && lineEnd >= 0 && head.toString("latin1", at, lineEnd).trim() === "end_header") {
      return {
        lines: head
          .toString("latin1", 0, at)
          .split(/\r\n|\n/)
          .slice(0, -1),
        bodyStart: lineEnd + 1,
      };
    }
    from = at + 1;
  }
}

function formatOf(line: string | undefined): boolean {
  const [keyword, format, version] = (line ?? "").trim().split(/\s+/);
  if (keyword !== "format" || version !== "1.0")
    throw new SplatFileError("damaged", `ply: expected "format … 1.0" in the second line, got ${quote(line)}`);
  if (format === "binary_little_endian") return true;
  if (format === "binary_big_endian") return false;
  throw new SplatFileError("unsupported", `ply: expected the format binary_little_endian or binary_big_endian, got ${quote(format)}`);
}

function countOf(words: readonly string[], line: string): number {
  const count = /^\d+$/.test(words[2] ?? "") && words.length === 3 ? Number(words[2]) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new SplatFileError("damaged", `ply: expected "element NAME COUNT", got ${quote(line)}`);
  return count;
}

function quote(text: string | undefined): string {
  return text === undefined ? "nothing" : JSON.stringify(text.slice(0, 80));
}
