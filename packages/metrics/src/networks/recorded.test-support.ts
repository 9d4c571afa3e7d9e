// What tests of networks share: formula weights, recorded values, and a cache of their own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formulaTensor, openSafetensors, type StoredTensor, type WeightLookup, widenToFloat64 } from "@refadgen/graph";
import { decodeWithMode, type Image } from "@refadgen/image";
import { afterAll, beforeAll } from "vitest";

const fixtures = new URL("../../fixtures/networks/", import.meta.url);

export function fixture(name: string): string {
  return fileURLToPath(new URL(name, fixtures));
}

export async function fixtureImage(name: string): Promise<Image> {
  return (await decodeWithMode(fixture(name), { applyProfile: false, applyOrientation: false })).image;
}

/** Values of a recording by name. */
export async function recorded(file: string): Promise<ReadonlyMap<string, Float64Array>> {
  const { tensors } = await openSafetensors(fixture(file));
  const entries = [...tensors].map(async ([name, tensor]) => [name, widenToFloat64(tensor.dtype as "float32", await tensor.read())] as const);
  return new Map(await Promise.all(entries));
}

/** Formula weights; tensors of two and more dimensions times `gain`, all of them without sign where asked for. */
export function formulaLookup(
  salt: string,
  { gain = 1, absolute = false }: { readonly gain?: number; readonly absolute?: boolean } = {},
): WeightLookup {
  return {
    description: `formula weights "${salt}"`,
    keys: () => [],
    tensor: (key, dims) => scaled(formulaTensor(salt, key, dims), dims.length >= 2 ? gain : 1, absolute),
  };
}

/** The same for a list of keys and sizes, as a file would have them. */
export function formulaFile(salt: string, shapes: Readonly<Record<string, readonly number[]>>): WeightLookup {
  return {
    description: `formula weights "${salt}"`,
    keys: () => Object.keys(shapes),
    tensor: (key) => (Object.hasOwn(shapes, key) ? formulaTensor(salt, key, shapes[key]!) : undefined),
  };
}

function scaled(tensor: StoredTensor, gain: number, absolute: boolean): StoredTensor {
  if (gain === 1 && !absolute) return tensor;
  const { name, dtype, dims } = tensor;
  const read = async () => {
    const bytes = await tensor.read();
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    return new Uint8Array(values.map((value) => (absolute ? Math.abs(value * gain) : value * gain)).buffer);
  };
  return { name, dtype, dims, read, contentKey: async () => `${await tensor.contentKey()} ${gain} ${absolute}` };
}

/** Widened weights and optimised graphs of these tests go to a folder that is removed afterwards. */
export function useOwnCache(): void {
  let folder: string;
  const before = process.env.REFADGEN_CACHE;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "refadgen-metrics-"));
    process.env.REFADGEN_CACHE = folder;
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.REFADGEN_CACHE;
    else process.env.REFADGEN_CACHE = before;
    await rm(folder, { recursive: true, force: true });
  });
}

/** The largest difference. */
export function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++)
    largest = Math.max(largest, Math.abs(actual[i]! - expected[i]!) || (Number.isNaN(actual[i]!) ? Number.POSITIVE_INFINITY : 0));
  return largest;
}

/** A picture without meaning: every pixel another colour. */
export function noise(
  width: number,
  height: number,
  { channels = 3, seed = 1 }: { readonly channels?: 1 | 2 | 3 | 4; readonly seed?: number } = {},
): Image {
  return {
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) => ((i * 7919 + seed * 104729) % 65537) % 256),
  };
}
