// Manifests of published checkpoints, names and sizes alone, for tests of what the networks ask for.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { StoredTensor, WeightLookup } from "@refadgen/graph";

export type Sizes = Readonly<Record<string, readonly number[]>>;

/** The table of a published checkpoint: `{ key: sizes }`. */
export function manifest(name: "sd15-unet" | "sd21-unet" | "sd-vae-ft-mse" | "refadgen-unet"): Sizes {
  return fixture(`manifests/${name}.json.gz`) as Sizes;
}

export function fixture(name: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(new URL(`../fixtures/${name}`, import.meta.url))).toString("utf8"));
}

/** A checkpoint that has names and sizes, but no values. */
export function sizesOnly(sizes: Sizes): WeightLookup {
  const stored = (name: string, dims: readonly number[]): StoredTensor => {
    const fail = () => Promise.reject(new Error("no values"));
    return { name, dtype: "float32", dims, read: fail, contentKey: fail };
  };
  return {
    description: "a manifest",
    tensor: (key) => (Object.hasOwn(sizes, key) ? stored(key, sizes[key]!) : undefined),
    keys: () => Object.keys(sizes),
  };
}
