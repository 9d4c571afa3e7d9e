import { createHash } from "node:crypto";
import { mkdir, open, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { elementCount } from "../tensor.js";
import { cacheFolder, removeLeftovers, writeAtomically } from "../weights/cache-folder.js";
import { WeightsError } from "../weights/error.js";
import type { StoredTensor } from "../weights/source.js";
import type { Parameter } from "../weights/weights.js";
import { isFloat, widenToFloat32 } from "../weights/widen.js";

/** A weight in 8 bits: `value ≈ quantized · scale`, one scale for each output channel. */
export interface QuantizedWeight {
  /** int8, as the op wants it: `[C, K]` of a linear layer's `[K, C]`, otherwise as it was. */
  readonly quantized: Parameter;
  /** float32 `[K]`. */
  readonly scale: Parameter;
}

export interface QuantizeRequest {
  readonly parameter: Parameter;
  readonly transposed: boolean;
}

/**
 * Weights reach from -63 to 63: on processors without VNNI two products of 8 bits are added in 16, which overflows with larger ones. Made the
 * same everywhere, so that an image does not depend on the processor.
 */
const largest = 63;
const layoutVersion = 1;
const alignment = 64;
const pieceElements = 2 ** 18;

/** Writes weights in 8 bits into one file of the cache, or finds it there; see `cacheFloat32` for how it appears. */
export async function quantizeWeights(
  requests: readonly QuantizeRequest[],
  {
    signal,
    onProgress,
  }: { readonly signal?: AbortSignal; readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void } = {},
): Promise<QuantizedWeight[]> {
  const hash = createHash("sha256").update(`int8 ${layoutVersion}\n`);
  for (const { parameter, transposed } of requests) {
    const { name, dims, start, stored } = parameter;
    hash.update(`${JSON.stringify([name, dims, start, transposed, await stored.contentKey()])}\n`);
    signal?.throwIfAborted();
  }
  const key = hash.digest("hex").slice(0, 48);
  const shelf = join(cacheFolder(), "int8");
  const path = join(shelf, `${key}.bin`);
  let total = 0;
  const place = (length: number) => {
    const offset = total;
    total = Math.ceil((offset + length) / alignment) * alignment;
    return { path, offset, length };
  };
  const weights = requests.map(({ parameter: { name, dims }, transposed }, index) => {
    const stored = (dtype: "int8" | "float32", sizes: readonly number[], suffix: string): Parameter => {
      const location = place(elementCount(sizes) * (dtype === "int8" ? 1 : 4));
      const tensor: StoredTensor = {
        name: `${name}${suffix}`,
        dtype,
        dims: sizes,
        location,
        read: () => readRange(location),
        contentKey: async () => `int8 ${key} ${index}${suffix}`,
      };
      return { name: tensor.name, dtype, dims: sizes, stored: tensor, start: 0 };
    };
    return { quantized: stored("int8", transposed ? dims.toReversed() : dims, ".int8"), scale: stored("float32", [dims[0]!], ".scale") };
  });
  if ((await stat(path).catch(() => undefined))?.size === total) return weights;
  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  const { bavail, bsize } = await statfs(shelf);
  if (bavail * bsize < total)
    throw new WeightsError(
      "disk-full",
      `int8: ${path} needs ${total} bytes, the disk has ${bavail * bsize} free; REFADGEN_CACHE may name a folder elsewhere`,
    );
  await writeAtomically(path, async (handle) => {
    await handle.truncate(total);
    for (const [index, { parameter, transposed }] of requests.entries()) {
      signal?.throwIfAborted();
      const { quantized, scale } = weights[index]!;
      const values = await valuesOf(parameter);
      const result = await quantize(values, parameter.dims[0]!, transposed);
      await handle.write(result.bytes, 0, result.bytes.length, quantized.stored.location!.offset);
      const scales = new Uint8Array(result.scales.buffer);
      await handle.write(scales, 0, scales.length, scale.stored.location!.offset);
      onProgress?.({ done: scale.stored.location!.offset + scales.length, total });
    }
  });
  return weights;
}

async function valuesOf({ name, stored, start, dims }: Parameter): Promise<Float32Array> {
  const { dtype } = stored;
  if (!isFloat(dtype)) throw new WeightsError("unsupported", `int8: expected floating-point weights, got ${dtype} for ${name}`);
  return widenToFloat32(dtype, await stored.read()).subarray(start, start + elementCount(dims));
}

/** Row by row of `[K, …]`, giving the event loop its turn. */
async function quantize(
  values: Float32Array,
  channels: number,
  transposed: boolean,
): Promise<{ readonly bytes: Int8Array; readonly scales: Float32Array }> {
  const width = values.length / channels;
  const bytes = new Int8Array(values.length);
  const scales = new Float32Array(channels);
  let sinceTurn = 0;
  for (let channel = 0; channel < channels; channel++) {
    const row = values.subarray(channel * width, (channel + 1) * width);
    let most = 0;
    for (const value of row) most = Math.max(most, Math.abs(value));
    const scale = Math.fround(most === 0 ? 1 : most / largest);
    scales[channel] = scale;
    for (let index = 0; index < width; index++) {
      const level = Math.max(-largest, Math.min(largest, Math.round(row[index]! / scale)));
      bytes[transposed ? index * channels + channel : channel * width + index] = level;
    }
    sinceTurn += width;
    if (sinceTurn < pieceElements) continue;
    sinceTurn = 0;
    await nextTurn();
  }
  return { bytes, scales };
}

async function readRange({ path, offset, length }: { readonly path: string; readonly offset: number; readonly length: number }): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const bytes = new Uint8Array(length);
    await handle.read(bytes, 0, length, offset);
    return bytes;
  } finally {
    await handle.close();
  }
}
