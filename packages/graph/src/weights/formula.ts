import { setImmediate as nextTurn } from "node:timers/promises";
import { type DType, elementCount } from "../tensor.js";
import type { StoredTensor } from "./source.js";
import type { WeightLookup } from "./weights.js";

/** Elements made between two turns of the event loop: a few milliseconds. */
const chunk = 2 ** 20;
const step = 0x9e3779b9;
const sharp: readonly string[] = ["to_q.", "to_k.", "to_k_ref.", "q_proj.", "k_proj.", ".query.", ".key."];

/**
 * Weights that follow from their names (rules in `formulaTensor`), so that a checkpoint of any size needs no file: every key is there, with
 * the sizes asked for. `rename` turns a key that is asked for into the name that the formula takes (the key in the published file).
 */
export function formulaWeights(salt: string, { rename = (key) => key }: { readonly rename?: (key: string) => string } = {}): WeightLookup {
  return {
    description: `formula weights ${JSON.stringify(salt)}`,
    tensor: (key, dims) => ({ ...formulaTensor(salt, rename(key), dims), name: key }),
    keys: () => [],
  };
}

/**
 * The tensor `name` of the network `salt`. With `u` of `formulaValues("salt/name")` and s = 2u - 1, the first that applies:
 * `…num_batches_tracked` 1 and `…position_ids` 0, 1, 2… (both int64) · `…logit_scale` ln 100 · `…running_var` 1 + 0.5u · `…running_mean` 0.1s ·
 * two or more dimensions: s·g·√(3 / (d₁·d₂·…)) over all sizes but the first, g = 2 for queries and keys, else 1 · `…weight` 1 + 0.1s · 0.1s.
 */
export function formulaTensor(salt: string, name: string, dims: readonly number[]): StoredTensor {
  const sizes = [...dims];
  const count = elementCount(sizes);
  const integers = name.endsWith("num_batches_tracked") || name.endsWith("position_ids");
  const dtype: DType = integers ? "int64" : "float32";
  const readRange = async (start: number, end: number): Promise<Uint8Array> => {
    const length = end - start;
    if (integers) {
      const counts = name.endsWith("position_ids");
      return new Uint8Array(BigInt64Array.from({ length }, (_, i) => (counts ? BigInt(start + i) : 1n)).buffer);
    }
    const values = new Float32Array(length);
    const seed = fnv1a(`${salt}/${name}`);
    for (let done = 0; done < length; done += chunk) {
      if (done > 0) await nextTurn();
      fill(values.subarray(done, done + chunk), seed, start + done, rule(name, sizes));
    }
    return new Uint8Array(values.buffer);
  };
  return {
    name,
    dtype,
    dims: sizes,
    read: () => readRange(0, count),
    readRange,
    contentKey: async () => `formula ${JSON.stringify([salt, name, sizes])}`,
  };
}

/** `count` values in [0, 1) that follow from the text alone, from element `start` on. */
export function formulaValues(text: string, count: number, { start = 0 }: { readonly start?: number } = {}): Float64Array {
  const seed = fnv1a(text);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = mix(seed + Math.imul(start + i, step)) * 2 ** -32;
  return values;
}

/** Normally distributed values that follow from the text alone: √(-2 ln(1 - u_r))·cos(2π u_a) with u of `text#r` and `text#a`. For inputs, not for weights. */
export function formulaGaussian(text: string, dims: readonly number[]): Float32Array {
  const radius = fnv1a(`${text}#r`);
  const angle = fnv1a(`${text}#a`);
  const values = new Float32Array(elementCount(dims));
  for (let i = 0; i < values.length; i++) {
    const offset = Math.imul(i, step);
    values[i] = Math.sqrt(-2 * Math.log(1 - mix(radius + offset) * 2 ** -32)) * Math.cos(2 * Math.PI * (mix(angle + offset) * 2 ** -32));
  }
  return values;
}

/** A value is `base + times·s`, or `base + times·u`. */
interface Rule {
  readonly base: number;
  readonly of: "s" | "u";
  readonly times: number;
}

function rule(name: string, dims: readonly number[]): Rule {
  const s = (base: number, times: number): Rule => ({ base, of: "s", times });
  if (name.endsWith("logit_scale")) return s(Math.log(100), 0);
  if (name.endsWith("running_var")) return { base: 1, of: "u", times: 0.5 };
  if (name.endsWith("running_mean")) return s(0, 0.1);
  if (dims.length >= 2) {
    const gain = sharp.some((part) => `.${name}`.includes(part)) ? 2 : 1;
    return s(0, gain * Math.sqrt(3 / elementCount(dims.slice(1))));
  }
  return s(name.endsWith("weight") ? 1 : 0, 0.1);
}

function fill(values: Float32Array, seed: number, start: number, { base, of, times }: Rule): void {
  const scale = of === "s" ? 2 ** -31 : 2 ** -32;
  const shift = of === "s" ? -1 : 0;
  let state = (seed + Math.imul(start, step)) | 0;
  for (let i = 0; i < values.length; i++) {
    let x = state;
    x ^= x >>> 16;
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    x = Math.imul(x, 0xc2b2ae35);
    x ^= x >>> 16;
    // Powers of two and the subtraction are exact, so this is 2u - 1 (or u) as float64 has it.
    values[i] = base + ((x >>> 0) * scale + shift) * times;
    state = (state + step) | 0;
  }
}

/** The finalizer of MurmurHash3. */
function mix(seed: number): number {
  let x = seed | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** FNV-1a, 32 bit, of the UTF-8 text. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
