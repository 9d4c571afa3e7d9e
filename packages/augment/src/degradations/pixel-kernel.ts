import { pixelKernelBinary } from "./pixel-kernel-binary.js";

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

/** kernel/pixels.ts, which says what each does, with memory that this thread owns. Addresses are in bytes. */
export interface PixelKernel {
  readonly memory: Memory;
  readonly philox: (out: number, blocks: number, first: number, key0: number, key1: number) => void;
  readonly addNormals: (data: number, count: number, words: number, table: number, scale: number) => void;
  readonly symmetricPass: (source: number, target: number, length: number, step: number, weights: number, reach: number) => void;
  readonly widen: (source: number, target: number, count: number, bits: number) => void;
  readonly narrow: (source: number, target: number, count: number, bits: number) => void;
  readonly sparsePass: (source: number, target: number, length: number, offsets: number, weights: number, taps: number) => void;
  readonly warpRow3: (source: number, width: number, height: number, xs: number, ys: number, count: number, target: number, misses: number) => number;
}

const pageSize = 65_536;
const keptBytes = 1 << 27;

let compiled: object | undefined;
let kept: PixelKernel | undefined;

/**
 * Does `work` with the kernel and the addresses of areas of the given sizes in bytes, each aligned to 16 and followed by at least 64 more
 * that may be read and written over.
 */
export function withKernel<T, const Sizes extends readonly number[]>(
  sizes: Sizes,
  work: (kernel: PixelKernel, ...areas: { readonly [I in keyof Sizes]: number }) => T,
): T {
  let end = 1024;
  const areas = sizes.map((size) => {
    const start = end + 64;
    end = Math.ceil((start + size + 64) / 16) * 16;
    return start - (start % 16) + (start % 16 === 0 ? 0 : 16);
  });
  end += 64;
  kept ??= newKernel();
  const missing = end - kept.memory.buffer.byteLength;
  if (missing > 0) kept.memory.grow(Math.ceil(missing / pageSize));
  try {
    return work(kept, ...(areas as unknown as { readonly [I in keyof Sizes]: number }));
  } finally {
    // An unusually large picture does not keep its memory.
    if (kept.memory.buffer.byteLength > keptBytes) kept = undefined;
  }
}

function newKernel(): PixelKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(pixelKernelBinary, "base64"));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { ...(exports as unknown as PixelKernel), memory };
}
