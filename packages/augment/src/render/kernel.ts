import { kernelBinary } from "./kernel-binary.js";

interface Memory {
  /** Another one after each `grow`. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What is used of it; its types come with browsers' only. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object;
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => Memory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** kernel/render.ts with its memory, which this thread owns and lays out. All addresses are in bytes; its source says what each argument is. */
export interface Kernel {
  readonly memory: Memory;
  readonly project: (
    chunk: number,
    count: number,
    base: number,
    parameters: number,
    records: number,
    ranges: number,
    index: number,
    kept: number,
  ) => number;
  readonly sortByDepth: (records: number, count: number, keys: number, otherKeys: number, from: number, to: number, histograms: number) => void;
  readonly countTiles: (
    records: number,
    ranges: number,
    count: number,
    left: number,
    right: number,
    top: number,
    bottom: number,
    counts: number,
  ) => number;
  readonly listTiles: (
    records: number,
    ranges: number,
    order: number,
    count: number,
    left: number,
    right: number,
    top: number,
    bottom: number,
    offsets: number,
    next: number,
    lists: number,
  ) => void;
  readonly blend: (
    records: number,
    list: number,
    count: number,
    planes: number,
    left: number,
    top: number,
    extras: number,
    originX: number,
    originY: number,
    alphaCap: number,
  ) => void;
}

/** Below are the constants of the kernel. Where the planes of the tile in hand lie. */
export const planesAddress: number = 4096;
/** float64: what `project` is told of camera and settings. */
export const parametersAddress: number = 12_288;
/** Counts of the three passes of `sortByDepth`. */
const histogramsAddress = 16_384;
/** Splats that `project` takes at once; also in kernel/render/project.ts. */
export const chunkLength: number = 4096;
/** Where a chunk lies, and in it the areas of its fields, each with room to round up. */
export const chunkAddress: number = histogramsAddress + 3 * 2048 * 4;
export const chunkFields: {
  readonly means: number;
  readonly scales: number;
  readonly quaternions: number;
  readonly opacities: number;
  readonly colours: number;
} = {
  means: chunkAddress,
  scales: chunkAddress + (chunkLength + 4) * 12,
  quaternions: chunkAddress + (chunkLength + 4) * 24,
  opacities: chunkAddress + (chunkLength + 4) * 40,
  colours: chunkAddress + (chunkLength + 4) * 44,
};
const freeAddress = chunkAddress + (chunkLength + 4) * 56;

/** Where the projected splats of a picture lie. */
export interface Layout {
  readonly records: number;
  readonly ranges: number;
  readonly index: number;
  readonly order: number;
  /** From here on memory is free again once the order is known. */
  readonly free: number;
  readonly end: number;
}

/** @param recordBytes of one record. */
export function layoutFor(count: number, recordBytes: number): Layout {
  const ranges = freeAddress + count * recordBytes;
  const index = ranges + count * 8;
  const order = index + count * 4;
  const free = order + count * 4;
  return { records: freeAddress, ranges, index, order, free, end: free + count * 12 };
}

/** Sorts the records by depth; the order stands where the layout says. */
export function sortRecords(kernel: Kernel, { records, order, free }: Layout, count: number): void {
  kernel.sortByDepth(records, count, free, free + count * 4, free + count * 8, order, histogramsAddress);
}

const pageSize = 65_536;
const keptBytes = 1 << 28;

let compiled: object | undefined;
let kept: Kernel | undefined;

/** This thread's kernel with at least `bytes` of memory; it must not be used by two callers at once. */
export function kernelWith(bytes: number): Kernel {
  kept ??= newKernel();
  const { memory } = kept;
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageSize));
  return kept;
}

/** Gives back the memory that an unusually large picture needed. */
export function releaseKernel(): void {
  if (kept !== undefined && kept.memory.buffer.byteLength > keptBytes) kept = undefined;
}

function newKernel(): Kernel {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelBinary, "base64"));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { ...(exports as unknown as Kernel), memory };
}
