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

/** kernel/blend.ts with its memory, which this thread owns and lays out. */
export interface Kernel {
  readonly memory: Memory;
  /** See kernel/blend.ts. All addresses are in bytes. */
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

/** Below are the constants of the kernel. Where the planes of the tile in hand lie, and where free memory begins. */
export const planesAddress: number = 4096;
export const freeAddress: number = 16_384;

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
  return { memory, blend: exports.blend as Kernel["blend"] };
}
