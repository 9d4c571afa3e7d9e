import { readFile } from "node:fs/promises";
import type { CaseResult } from "../../case.js";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export interface Recording {
  /** The JSON of the metadata key `settings`. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a `.safetensors` file of the kit. */
export async function readRecording(path: string): Promise<Recording> {
  const bytes = await readFile(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries }: { __metadata__?: { settings?: string } } & Record<string, unknown> = JSON.parse(
    bytes.toString("utf8", 8, start),
  );
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(entries) as [string, Entry][]) {
    const [from, to] = entry.data_offsets;
    // A copy, so that numbers of four bytes are aligned.
    const { buffer } = Uint8Array.from(bytes.subarray(start + from, start + to));
    tensors.set(name, { shape: entry.shape, data: numbers(name, entry.dtype, buffer) });
  }
  return { settings: JSON.parse(metadata?.settings ?? "{}"), tensors };
}

function numbers(name: string, dtype: string, buffer: ArrayBuffer): Tensor["data"] {
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "I32") return new Int32Array(buffer);
  if (dtype === "U8") return new Uint8Array(buffer);
  if (dtype === "F64") return Float32Array.from(new Float64Array(buffer));
  throw new Error(`${name}: expected dtype F32, F64, I32 or U8, got ${dtype}`);
}

/** The tensor of a name, or an error that says what is there. */
export function tensorOf({ tensors }: Recording, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`expected a tensor ${name}, got none`);
  return tensor;
}

export function float32Of(recording: Recording, name: string): Float32Array {
  const { data } = tensorOf(recording, name);
  return data instanceof Float32Array ? data : Float32Array.from(data);
}

/** One comparison: the worst error as a share of what is allowed. */
export interface Comparison {
  readonly what: string;
  /** In units of the tolerance. */
  readonly share: number;
  readonly detail: string;
}

/** The largest difference, as a share of `atol` + `rtol`·|expected|. */
export function compareNumbers(
  what: string,
  answer: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol = 0, rtol = 0, where }: { readonly atol?: number; readonly rtol?: number; readonly where?: (i: number) => boolean },
): Comparison {
  if (answer.length !== expected.length)
    return { what, share: Number.POSITIVE_INFINITY, detail: `${what}: ${answer.length} numbers of ${expected.length}` };
  let share = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (where && !where(i)) continue;
    const difference = Math.abs(answer[i]! - expected[i]!);
    const allowed = atol + rtol * Math.abs(expected[i]!);
    const here = difference === 0 ? 0 : difference / allowed;
    if (!(here <= share)) {
      share = Number.isNaN(here) ? Number.POSITIVE_INFINITY : here;
      worst = difference;
    }
  }
  return { what, share, detail: `${what} ${worst.toExponential(1)}` };
}

/** Bounds on the differences: `most` for all but one pixel in a thousand, `rest` for those. */
export function comparePixels(
  what: string,
  answer: ArrayLike<number>,
  expected: ArrayLike<number>,
  channels: number,
  { most, rest }: { readonly most: number; readonly rest: number },
): Comparison {
  if (answer.length !== expected.length)
    return { what, share: Number.POSITIVE_INFINITY, detail: `${what}: ${answer.length} numbers of ${expected.length}` };
  const pixels = expected.length / channels;
  const errors = new Float64Array(pixels);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(answer[i]! - expected[i]!);
    const at = Math.floor(i / channels);
    errors[at] = Math.max(errors[at]!, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  errors.sort();
  const worst = errors[pixels - 1]!;
  const usual = errors[pixels - 1 - Math.floor(pixels / 1000)] ?? worst;
  return { what, share: Math.max(usual / most, worst / rest), detail: `${what} ${usual.toExponential(1)}, worst pixel ${worst.toExponential(1)}` };
}

export function resultOf(name: string, comparisons: readonly Comparison[]): CaseResult {
  const error = comparisons.reduce((most, { share }) => Math.max(most, share), 0);
  return { name, error, detail: comparisons.map(({ detail }) => detail).join("; "), passed: comparisons.length > 0 && error <= 1 };
}

export function failed(name: string, detail: string): CaseResult {
  return { name, error: Number.POSITIVE_INFINITY, detail, passed: false };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
