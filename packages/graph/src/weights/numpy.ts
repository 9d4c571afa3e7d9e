import { bytesPerElement, type DType } from "../tensor.js";
import { checkedElementCount } from "./dims.js";
import { WeightsError } from "./error.js";
import { WeightFile } from "./file.js";
import { fileTensor, tensorKey } from "./file-tensor.js";
import { contextOf, type OpenOptions, type ReadContext, type WeightLimits } from "./limits.js";
import { parseLiteral } from "./python-literal.js";
import type { StoredTensor, WeightSource } from "./source.js";
import { gather, swapBytes } from "./strided.js";
import { isStored, locateRecord, readRecord, readZipDirectory, type ZipEntry } from "./zip.js";

/** An array of a .npy file. */
export interface NumpyArray {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Row-major, little-endian, whatever the order in the file. */
  readonly data: Uint8Array;
}

interface NumpyHeader {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly fortranOrder: boolean;
  readonly bigEndian: boolean;
  readonly count: number;
  /** Where the values begin, in bytes. */
  readonly offset: number;
}

const dtypes: ReadonlyMap<string, DType> = new Map([
  ["f8", "float64"],
  ["f4", "float32"],
  ["f2", "float16"],
  ["i8", "int64"],
  ["i4", "int32"],
  ["i2", "int16"],
  ["i1", "int8"],
  ["u8", "uint64"],
  ["u4", "uint32"],
  ["u2", "uint16"],
  ["u1", "uint8"],
  ["b1", "bool"],
]);

const magicLength = 12;
const longestHeader = 64 * 1024;

/**
 * Reads an array of a .npy file (numpy.lib.format, versions 1 to 3). Throws a `WeightsError`: object arrays are `unsafe` (they are pickles),
 * structured, text and complex ones `unsupported`.
 */
export async function readNpy(path: string, options: OpenOptions = {}): Promise<NumpyArray> {
  const file = await WeightFile.open(path);
  try {
    const tensor = await readNpyFile(file, contextOf(options));
    return { dtype: tensor.dtype, dims: tensor.dims, data: await tensor.read() };
  } finally {
    await file.close();
  }
}

/** The arrays of a .npz file by name (without `.npy`), each read when asked for. Throws a `WeightsError`. */
export async function openNpz(path: string, options: OpenOptions = {}): Promise<WeightSource> {
  const file = await WeightFile.open(path);
  try {
    return await readNpz(file, await readZipDirectory(file), contextOf(options));
  } finally {
    await file.close();
  }
}

/** A .npy file as a tensor without a name. */
export async function readNpyFile(file: WeightFile, { limits }: ReadContext): Promise<StoredTensor> {
  const head = await file.read(0, Math.min(file.size, magicLength + longestHeader));
  const header = parseHeader(head, file.size, file.path, limits);
  return arrayTensor(file, "", header, { offset: 0, read: (offset, length) => file.read(offset, length) });
}

export function looksLikeNpz(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.size > 0 && [...entries.keys()].every((name) => name.endsWith(".npy"));
}

export async function readNpz(file: WeightFile, entries: ReadonlyMap<string, ZipEntry>, { limits, signal }: ReadContext): Promise<WeightSource> {
  if (!looksLikeNpz(entries)) throw new WeightsError("unsupported", `${file.path}: expected a zip file of .npy arrays`);
  const tensors = new Map<string, StoredTensor>();
  for (const [member, entry] of entries) {
    signal?.throwIfAborted();
    const record = await locateRecord(file, entry);
    const name = member.slice(0, -".npy".length);
    const what = `${file.path}: ${JSON.stringify(member)}`;
    const whole = () => readRecord(file, record, { maximum: entry.size });
    const head = isStored(record) ? await file.read(record.offset, Math.min(entry.size, magicLength + longestHeader)) : await whole();
    const header = parseHeader(head, entry.size, what, limits);
    const bytes = isStored(record)
      ? { offset: record.offset, read: (offset: number, length: number) => file.read(record.offset + offset, length) }
      : {
          offset: undefined,
          read: async (offset: number, length: number) => Buffer.from(Uint8Array.from((await whole()).subarray(offset, offset + length)).buffer),
        };
    tensors.set(name, arrayTensor(file, name, header, bytes));
  }
  return { description: file.path, tensors };
}

function arrayTensor(
  file: WeightFile,
  name: string,
  { dtype, dims, fortranOrder, bigEndian, count, offset }: NumpyHeader,
  bytes: { readonly offset: number | undefined; read(offset: number, length: number): Promise<Buffer> },
): StoredTensor {
  const elementBytes = bytesPerElement[dtype];
  const length = count * elementBytes;
  const columnMajor = fortranOrder && dims.length > 1;
  if (bytes.offset !== undefined && !columnMajor && !bigEndian) return fileTensor(file, { name, dtype, dims, offset: bytes.offset + offset, length });
  return {
    name,
    dtype,
    dims,
    read: async () => {
      const data = await bytes.read(offset, length);
      if (bigEndian) swapBytes(data, elementBytes);
      if (!columnMajor) return data;
      const strides = dims.map((_, i) => dims.slice(0, i).reduce((product, size) => product * size, 1));
      return gather(data, { dims, strides, elementBytes });
    },
    contentKey: () => tensorKey(file, name),
  };
}

function parseHeader(head: Buffer, size: number, what: string, limits: WeightLimits): NumpyHeader {
  if (head.toString("latin1", 0, 6) !== "\x93NUMPY")
    throw new WeightsError("malformed", `${what}: expected a NumPy array, it does not begin like one`);
  if (head.length < 10) throw new WeightsError("truncated", `${what}: the array's header is cut off`);
  const version = head[6]!;
  if (version < 1 || version > 3) throw new WeightsError("unsupported", `${what}: expected version 1, 2 or 3 of the .npy format, got ${version}`);
  if (version > 1 && head.length < magicLength) throw new WeightsError("truncated", `${what}: the array's header is cut off`);
  const start = version === 1 ? 10 : magicLength;
  const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  if (length > longestHeader) throw new WeightsError("limit", `${what}: expected a header of at most ${longestHeader} bytes, it says ${length}`);
  const offset = start + length;
  if (offset > size) throw new WeightsError("truncated", `${what}: the header should end at ${offset}, the array ends at ${size}`);

  const fields = parseLiteral(head.toString(version === 3 ? "utf8" : "latin1", start, offset), what);
  const [descr, order, shape] = fields instanceof Map && fields.size === 3 ? ["descr", "fortran_order", "shape"].map((key) => fields.get(key)) : [];
  if (descr === undefined || typeof order !== "boolean" || !Array.isArray(shape)) {
    throw new WeightsError("malformed", `${what}: expected a header with descr, fortran_order (bool) and shape (tuple)`);
  }
  if (typeof descr !== "string") throw new WeightsError("unsupported", `${what}: structured types are not read`);
  const [, byteOrder, code] = /^([<>|=]?)(.*)$/s.exec(descr)!;
  if (code!.startsWith("O")) throw new WeightsError("unsafe", `${what}: an array of Python objects (a pickle); save numbers`);
  const dtype = dtypes.get(code!);
  if (!dtype)
    throw new WeightsError(
      "unsupported",
      `${what}: expected element type ${[...dtypes.keys()].join(" | ")}, got ${JSON.stringify(descr.slice(0, 50))}`,
    );
  const count = checkedElementCount(shape, what, limits);
  const needed = count * bytesPerElement[dtype];
  if (offset + needed > size) throw new WeightsError("truncated", `${what}: the values take ${needed} bytes, ${size - offset} are there`);
  return { dtype, dims: shape as readonly number[], fortranOrder: order, bigEndian: byteOrder === ">", count, offset };
}
