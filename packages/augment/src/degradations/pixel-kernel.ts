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
export interface PixelKernel extends PixelFunctions {
  readonly memory: Memory;
}

type Numbers<Count extends number, Taken extends number[] = []> = Taken["length"] extends Count ? Taken : Numbers<Count, [...Taken, number]>;
type Procedure<Count extends number> = (...values: Numbers<Count>) => void;

interface PixelFunctions {
  readonly philox: (out: number, blocks: number, first: number, key0: number, key1: number) => void;
  /** data, count, spread, seed, key, table, scratch, plain, proportional */
  readonly addNormals: Procedure<9>;
  /** data, count, seed, key, table, scratch, linear, deviation, bytes */
  readonly addSensorNoise: Procedure<9>;
  /** data, count, seed, key, scratch, low, high */
  readonly addImpulses: Procedure<7>;
  /** data, count, seed, key, scratch, starts, guides, steps, outcomes */
  readonly addPhotonNoise: Procedure<9>;
  readonly lookUp: (data: number, count: number, table: number, pairs: number) => void;
  readonly lookUpColours: (data: number, pixels: number, tables: number) => void;
  readonly saturate: (data: number, pixels: number, factor: number) => void;
  /** data, pixels, channels, colours, amount, numbers, linear, bytes */
  readonly applyLight: Procedure<8>;
  /** data, pixels, matrix, decoded, encoded, amount */
  readonly mixColours: Procedure<6>;
  /** data, width, height, channels, weights, reach, line, ring, rows */
  readonly convolveSeparably: Procedure<9>;
  /** source, plane, width, height, channels, reachX, reachY */
  readonly padded: Procedure<7>;
  /** plane, rowBytes, target, count, height, middle, offsets, weights, pairs */
  readonly convolveSymmetrically: Procedure<9>;
  /** plane, rowBytes, target, count, height, offsets, weights, taps */
  readonly convolveSparsely: Procedure<8>;
  /** source, target, count, step, taps, tapCount */
  readonly smoothFloats: Procedure<6>;
  /** source, widthIn, channels, target, width, height, firstX, countX, weightsX, strideX, firstY, countY, weightsY, strideY, line */
  readonly shrink: Procedure<15>;
  /** source, widthIn, heightIn, channels, target, width, height, firstX, weightsX, firstY, weightsY, lines */
  readonly stretch: Procedure<12>;
  readonly matrixRow: (xs: number, ys: number, count: number, y: number, matrix: number) => void;
  /** xs, ys, count, y, cx, cy, unit, k1, k2 */
  readonly lensRow: Procedure<9>;
  /** xs, ys, count, y, table, points, scaleX, scaleY */
  readonly splineRow: Procedure<8>;
  /** source, width, height, channels, xs, ys, count, target, border, outside */
  readonly warpRow: Procedure<10>;
  /** source, width, height, xs, ys, count, target, border, outside */
  readonly nearestRow: Procedure<9>;
}

/** Puts values where the kernel finds them. */
export function place(
  { memory: { buffer } }: PixelKernel,
  at: number,
  values: Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array,
): void {
  new Uint8Array(buffer, at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** Bytes of the kernel's memory in an array of their own. */
export function taken({ memory: { buffer } }: PixelKernel, at: number, length: number): Uint8Array {
  // Not filled with zeros first, which takes as long as the copy.
  const out = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  out.set(new Uint8Array(buffer, at, length));
  return out;
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
