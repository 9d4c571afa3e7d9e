import { readFileSync } from "node:fs";
import type { ShDegree, SplatScene } from "./scene.js";

/** Tensors of a `.safetensors` file, recorded with gsplat 1.5.3 (see the conformance kit's README). */
export interface Recorded {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly of: (name: string) => Float32Array;
  readonly shapeOf: (name: string) => readonly number[];
}

export function recorded(name: string): Recorded {
  const bytes = readFileSync(new URL(`../../fixtures/splats/${name}.safetensors`, import.meta.url));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { shape: number[]; data_offsets: [number, number]; dtype: string }>;
  const { settings } = Reflect.get(header, "__metadata__") as unknown as { settings: string };
  const entry = (tensor: string) => {
    const found = header[tensor];
    if (!found) throw new Error(`no tensor ${tensor} in ${name}`);
    return found;
  };
  return {
    settings: JSON.parse(settings),
    of: (tensor) => {
      const { data_offsets, dtype } = entry(tensor);
      const { buffer } = Uint8Array.from(bytes.subarray(start + data_offsets[0], start + data_offsets[1]));
      return dtype === "I32" ? Float32Array.from(new Int32Array(buffer)) : new Float32Array(buffer);
    },
    shapeOf: (tensor) => entry(tensor).shape,
  };
}

export function recordedScene(from: Recorded): SplatScene {
  const [count, coefficients] = from.shapeOf("splats/sh") as [number, number];
  return {
    count,
    shDegree: (Math.sqrt(coefficients) - 1) as ShDegree,
    means: from.of("splats/means"),
    scales: from.of("splats/scales"),
    quaternions: from.of("splats/quats"),
    opacities: from.of("splats/opacities"),
    sh: from.of("splats/sh"),
  };
}

/** Numbers from 0 to below 1, the same on every run (a linear congruence: good enough for inputs of tests). */
export function testNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A scene of random splats before a camera at the origin. */
export function randomScene(count: number, shDegree: ShDegree, seed = 1): SplatScene {
  const next = testNumbers(seed);
  const floats = (length: number, value: () => number): Float32Array => Float32Array.from({ length }, value);
  return {
    count,
    shDegree,
    means: floats(count * 3, () => (next() - 0.5) * 2),
    scales: floats(count * 3, () => Math.exp(-5 + 3 * next())),
    quaternions: floats(count * 4, () => next() - 0.5),
    opacities: floats(count, () => 0.02 + 0.96 * next()),
    sh: floats(count * (shDegree + 1) ** 2 * 3, () => (next() - 0.5) * 1.2),
  };
}

/** Bytes of a `.ksplat` file of one section, by its published layout; mode 0 is exact. */
export function ksplatBytes(scene: SplatScene, mode: 0 | 1 | 2): { readonly bytes: Uint8Array; readonly expected: SplatScene } {
  const { count, shDegree } = scene;
  const rest = ((shDegree + 1) ** 2 - 1) * 3;
  const stride = (mode === 0 ? 44 : 24) + rest * [4, 2, 1][mode]!;
  const bucketSize = 8;
  const full = Math.floor(count / bucketSize) - 1;
  // All full buckets but one, then two partial ones.
  const partial = [3, count - full * bucketSize - 3];
  const buckets = full + 2;
  const bytes = Buffer.alloc(4096 + 1024 + 8 + buckets * 12 + count * stride);
  bytes[1] = 1;
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(1, 8);
  bytes.writeUInt32LE(count, 12);
  bytes.writeUInt32LE(count, 16);
  bytes.writeUInt16LE(mode, 20);
  bytes.writeFloatLE(-1, 36);
  bytes.writeFloatLE(1, 40);
  const blockSize = 4;
  const section = 4096;
  bytes.writeUInt32LE(count, section);
  bytes.writeUInt32LE(count, section + 4);
  bytes.writeUInt32LE(bucketSize, section + 8);
  bytes.writeUInt32LE(buckets, section + 12);
  bytes.writeFloatLE(blockSize, section + 16);
  bytes.writeUInt16LE(12, section + 20);
  bytes.writeUInt32LE(mode === 0 ? 1 : 32_767, section + 24);
  bytes.writeUInt32LE(full, section + 32);
  bytes.writeUInt32LE(2, section + 36);
  bytes.writeUInt16LE(shDegree, section + 40);
  const start = section + 1024;
  for (const [i, size] of partial.entries()) bytes.writeUInt32LE(size, start + i * 4);
  const centreOf = (bucket: number, axis: number): number => Math.fround(0.1 * (bucket % 3) - 0.05 * axis);
  for (let bucket = 0; bucket < buckets; bucket++)
    for (let axis = 0; axis < 3; axis++) bytes.writeFloatLE(centreOf(bucket, axis), start + 8 + bucket * 12 + axis * 4);

  const expected = {
    ...scene,
    means: scene.means.slice(),
    scales: scene.scales.slice(),
    quaternions: scene.quaternions.slice(),
    opacities: scene.opacities.slice(),
    sh: scene.sh.slice(),
  };
  const half = (value: number, at: number): number => {
    const bits = toHalf(value);
    bytes.writeUInt16LE(bits, at);
    return fromHalf(bits);
  };
  for (let i = 0; i < count; i++) {
    const at = start + 8 + buckets * 12 + i * stride;
    const bucket = i < full * bucketSize ? Math.floor(i / bucketSize) : i < full * bucketSize + 3 ? full : full + 1;
    for (let axis = 0; axis < 3; axis++) {
      if (mode === 0) {
        bytes.writeFloatLE(scene.means[i * 3 + axis]!, at + axis * 4);
        bytes.writeFloatLE(scene.scales[i * 3 + axis]!, at + 12 + axis * 4);
      } else {
        const step = blockSize / 2 / 32_767;
        const fixed = Math.round((scene.means[i * 3 + axis]! - centreOf(bucket, axis)) / step) + 32_767;
        bytes.writeUInt16LE(fixed, at + axis * 2);
        expected.means[i * 3 + axis] = (fixed - 32_767) * step + centreOf(bucket, axis);
        expected.scales[i * 3 + axis] = half(scene.scales[i * 3 + axis]!, at + 6 + axis * 2);
      }
    }
    for (let k = 0; k < 4; k++) {
      if (mode === 0) bytes.writeFloatLE(scene.quaternions[i * 4 + k]!, at + 24 + k * 4);
      else expected.quaternions[i * 4 + k] = half(scene.quaternions[i * 4 + k]!, at + 12 + k * 2);
    }
    const colors = at + (mode === 0 ? 40 : 20);
    for (let channel = 0; channel < 3; channel++) {
      const byte = Math.min(Math.max(Math.round((0.5 + 0.28209479177387814 * scene.sh[(i * (rest + 3)) / 1 + channel]!) * 255), 0), 255);
      bytes[colors + channel] = byte;
      expected.sh[i * (rest + 3) + channel] = (byte / 255 - 0.5) / 0.28209479177387814;
    }
    bytes[colors + 3] = Math.round(255 * scene.opacities[i]!);
    expected.opacities[i] = bytes[colors + 3]! / 255;
    let component = 0;
    for (const [first, size] of [
      [1, 3],
      [4, 5],
      [9, 7],
    ].slice(0, shDegree) as [number, number][]) {
      for (let channel = 0; channel < 3; channel++) {
        for (let k = 0; k < size; k++, component++) {
          const where = i * (rest + 3) + (first + k) * 3 + channel;
          if (mode === 0) bytes.writeFloatLE(scene.sh[where]!, colors + 4 + component * 4);
          else if (mode === 1) expected.sh[where] = half(scene.sh[where]!, colors + 4 + component * 2);
          else {
            const byte = Math.min(Math.max(Math.round(((scene.sh[where]! + 1) / 2) * 255), 0), 255);
            bytes[colors + 4 + component] = byte;
            expected.sh[where] = -1 + (byte / 255) * 2;
          }
        }
      }
    }
  }
  return { bytes, expected };
}

function toHalf(value: number): number {
  const magnitude = Math.abs(value);
  const sign = value < 0 ? 0x8000 : 0;
  if (magnitude < 2 ** -14) return sign | Math.round(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  return sign | ((exponent + 15) * 1024 + Math.round((magnitude / 2 ** exponent - 1) * 1024));
}

/** By the definition, one bit at a time. */
function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  let fraction = exponent === 0 ? 0 : 1;
  for (let bit = 1; bit <= 10; bit++) if (bits & (1 << (10 - bit))) fraction += 2 ** -bit;
  return (bits & 0x8000 ? -1 : 1) * fraction * 2 ** ((exponent === 0 ? 1 : exponent) - 15);
}
