import { ArgumentError } from "@refadgen/errors";
import { DatasetError } from "../error.js";

export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** An array of a `.npy` file, in C order: the last dimension runs fastest. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** Booleans as 0 and 1 in a Uint8Array; half precision as Float32Array. */
  readonly data: NpyData;
  /** NumPy's name of the type in the file, without the byte order: `b1`, `u1`, `f4`. */
  readonly type: string;
}

export interface NpyOptions {
  /** Refuse arrays of more elements, before anything is allocated. Default 256 million. */
  readonly maxElements?: number;
}

interface ElementType {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number, little: boolean) => number | bigint;
  readonly make: (length: number) => NpyData;
}

const magic = "\u0093NUMPY";
const longestHeader = 65_536;
const alignment = 64;

const elementTypes: Readonly<Record<string, ElementType>> = {
  b1: { bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1), make: (length) => new Uint8Array(length) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at), make: (length) => new Uint8Array(length) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at), make: (length) => new Int8Array(length) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little), make: (length) => new Uint16Array(length) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little), make: (length) => new Int16Array(length) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little), make: (length) => new Uint32Array(length) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little), make: (length) => new Int32Array(length) },
  u8: { bytes: 8, read: (view, at, little) => view.getBigUint64(at, little), make: (length) => new BigUint64Array(length) },
  i8: { bytes: 8, read: (view, at, little) => view.getBigInt64(at, little), make: (length) => new BigInt64Array(length) },
  f2: { bytes: 2, read: (view, at, little) => half(view.getUint16(at, little)), make: (length) => new Float32Array(length) },
  f4: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little), make: (length) => new Float32Array(length) },
  f8: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little), make: (length) => new Float64Array(length) },
};

/**
 * Reads a `.npy` file: versions 1.0, 2.0 and 3.0, either byte order, C or Fortran order; booleans, integers and floats.
 *
 * Source: numpy/numpy numpy/lib/format.py (the module's description of the format).
 *
 * @throws DatasetError `refused` for object arrays, which are pickled programs; `too-large` beyond the limit; `format` for anything that is not
 *   exactly one whole array
 */
export function decodeNpy(bytes: Uint8Array, options: NpyOptions = {}): NpyArray {
  const { descr, fortranOrder, shape, offset } = parseHeader(bytes);
  const code = /^([<>|=]?)([a-zA-Z]\d*)$/.exec(descr);
  if (!code || /O/.test(descr)) {
    if (/O/.test(descr)) throw new DatasetError("refused", `decodeNpy: expected numbers, got objects (${descr}), which are pickled programs`);
    throw broken(`a plain type, got ${descr}`);
  }
  const type = code[2] === "?" ? "b1" : code[2]!;
  const element = Object.hasOwn(elementTypes, type) ? elementTypes[type]! : undefined;
  if (!element) throw broken(`booleans, integers or floats of up to 8 bytes, got ${descr}`);

  const maxElements = options.maxElements ?? 256_000_000;
  let count = 1;
  for (const side of shape) {
    count *= side;
    if (!(count <= maxElements))
      throw new DatasetError("too-large", `decodeNpy: expected at most ${maxElements} elements, got shape (${shape.join(", ")})`);
  }
  if (bytes.length - offset !== count * element.bytes)
    throw broken(`${count * element.bytes} bytes for ${descr} of shape (${shape.join(", ")}), got ${bytes.length - offset}`);

  const little = code[1] !== ">";
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const data = element.make(count);
  if (type === "u1" && !fortranOrder) (data as Uint8Array).set(bytes.subarray(offset));
  else {
    const sources = fortranOrder ? fortranSources(shape) : undefined;
    for (let index = 0; index < count; index++) data[index] = element.read(view, (sources ? sources(index) : index) * element.bytes, little);
  }
  return { shape, data, type };
}

/** Where the element that is `index` in C order lies in Fortran order. */
function fortranSources(shape: readonly number[]): (index: number) => number {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, side) => product * side, 1));
  return (index) => {
    let rest = index;
    let source = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return source;
  };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  readonly offset: number;
}

function parseHeader(bytes: Uint8Array): Header {
  if (String.fromCharCode(...bytes.subarray(0, 6)) !== magic || bytes.length < 10) throw broken(`a file that begins with ${JSON.stringify(magic)}`);
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if (major < 1 || major > 3 || minor !== 0) throw broken(`version 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) throw broken("a header, got the end of the file");
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longestHeader) throw broken(`a header of at most ${longestHeader} bytes, got ${length}`);
  if (bytes.length < start + length) throw broken("a header, got the end of the file");
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, start + length));
  return { ...parseDictionary(text), offset: start + length };
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`: the three names in any order, nothing else. */
function parseDictionary(text: string): Omit<Header, "offset"> {
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined) throw broken(`a dictionary as header, got ${JSON.stringify(text.slice(0, 100))}`);
  const item = /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"\\]*)\3|(True|False)|\(([\d\sL,]*)\)|(\[[\s\S]*\]))\s*(?:,|$)/y;
  const found = new Map<string, RegExpExecArray>();
  let end = 0;
  for (let match = item.exec(body); match; match = item.exec(body)) {
    if (found.has(match[2]!)) throw broken(`${match[2]} once in the header`);
    found.set(match[2]!, match);
    end = item.lastIndex;
  }
  if (body.slice(end).trim() !== "") throw broken(`descr, fortran_order and shape in the header, got ${JSON.stringify(text.slice(0, 200))}`);
  const [descr, order, sides] = ["descr", "fortran_order", "shape"].map((name) => found.get(name));
  if (descr?.[7] !== undefined) {
    const objects = /['"][<>|=]?O/.test(descr[7]);
    throw new DatasetError(objects ? "refused" : "format", `decodeNpy: expected an array of numbers, got records (${descr[7].slice(0, 100)})`);
  }
  if (descr?.[4] === undefined || order?.[5] === undefined || sides?.[6] === undefined)
    throw broken(`descr, fortran_order and shape in the header, got ${JSON.stringify(text.slice(0, 200))}`);
  const parts = sides[6].split(",").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop();
  else if (parts.length === 1) throw broken(`shape as a tuple, got (${sides[6]})`);
  const shape = parts.map((part) => {
    const side = /^\d{1,15}L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN;
    if (!Number.isSafeInteger(side)) throw broken(`whole numbers as shape, got (${sides[6]})`);
    return side;
  });
  if (shape.length > 32) throw broken(`at most 32 dimensions, got ${shape.length}`);
  return { descr: descr[4], fortranOrder: order[5] === "True", shape };
}

function broken(expected: string): DatasetError {
  return new DatasetError("format", `decodeNpy: expected ${expected}`);
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Writes a `.npy` file, version 1.0, little-endian, C order, its header padded to a multiple of 64 bytes as NumPy's.
 *
 * @throws ArgumentError if the shape does not fit the data
 */
export function encodeNpy({ shape, data }: Pick<NpyArray, "shape" | "data">): Uint8Array {
  const sides = [...shape];
  if (!sides.every((side) => Number.isSafeInteger(side) && side >= 0) || sides.reduce((product, side) => product * side, 1) !== data.length)
    throw new ArgumentError(`encodeNpy: expected a shape of ${data.length} elements, got (${sides.join(", ")})`);
  const tuple = sides.length === 1 ? `(${sides[0]},)` : `(${sides.join(", ")})`;
  const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / alignment) * alignment;
  const bytes = new Uint8Array(length + data.byteLength);
  bytes.set(Buffer.from(`${magic}\u0001\u0000`, "latin1"));
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(Buffer.from(`${text.padEnd(length - 11, " ")}\n`, "latin1"), 10);
  // Every platform that Node runs on is little-endian.
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length);
  return bytes;
}

function descrOf(data: NpyData): string {
  const kind = data instanceof Float32Array || data instanceof Float64Array ? "f" : /^(Big)?Uint/.test(data.constructor.name) ? "u" : "i";
  return `${data.BYTES_PER_ELEMENT === 1 ? "|" : "<"}${kind}${data.BYTES_PER_ELEMENT}`;
}
