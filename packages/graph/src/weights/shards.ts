import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { WeightsError } from "./error.js";
import type { WeightFile } from "./file.js";
import type { ReadContext } from "./limits.js";
import type { StoredTensor, WeightSource } from "./source.js";
import { isJsonObject, type Json, parseJsonObject } from "./strict-json.js";

/**
 * Reads a checkpoint in several files by its `….index.json`: `weight_map` says which tensor lies in which file of the same folder.
 * Names that leave the folder are refused (`unsafe`); all missing files (`missing-file`) and tensors (`malformed`) are listed.
 */
export async function readShards(
  file: WeightFile,
  { limits, signal }: ReadContext,
  openShard: (path: string) => Promise<WeightSource>,
): Promise<WeightSource> {
  const { path } = file;
  if (file.size > limits.headerBytes)
    throw new WeightsError("limit", `${path}: expected an index of at most ${limits.headerBytes} bytes, got ${file.size}`);
  const index = new Map(Object.entries(parseJsonObject(await file.read(0, file.size), path)));
  const map = index.get("weight_map");
  if (!isJsonObject(map)) {
    throw new WeightsError(
      "malformed",
      `${path}: expected an index with weight_map, got JSON with ${[...index.keys()].slice(0, 5).join(", ") || "nothing in it"}${errorText(index.get("error"))}`,
    );
  }
  const entries = Object.entries(map);
  if (entries.length > limits.tensors) throw new WeightsError("limit", `${path}: expected at most ${limits.tensors} tensors, got ${entries.length}`);
  const shards = new Set(entries.map(([, name]) => plainName(name, path)));

  const missing: string[] = [];
  for (const name of shards) await access(join(dirname(path), name)).catch(() => missing.push(name));
  if (missing.length > 0) throw new WeightsError("missing-file", `${path}: missing beside it: ${missing.join(", ")}`);

  const opened = new Map<string, WeightSource>();
  for (const name of shards) {
    signal?.throwIfAborted();
    opened.set(name, await openShard(join(dirname(path), name)));
  }
  const absent: string[] = [];
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shard] of entries) {
    const tensor = opened.get(String(shard))?.tensors.get(name);
    if (tensor) tensors.set(name, tensor);
    else absent.push(`${name} (${String(shard)})`);
  }
  if (absent.length > 0)
    throw new WeightsError("malformed", `${path}: ${absent.length} tensors are not in their files:\n  ${absent.slice(0, 100).join("\n  ")}`);
  return { description: path, tensors };
}

function plainName(name: Json, path: string): string {
  if (typeof name !== "string" || name === "")
    throw new WeightsError("malformed", `${path}: expected file names in weight_map, got ${JSON.stringify(name)}`);
  if (/[/\\:\0]/.test(name) || name === "." || name === "..") {
    throw new WeightsError("unsafe", `${path}: expected names of files beside it, got ${JSON.stringify(name)}`);
  }
  return name;
}

function errorText(error: Json | undefined): string {
  return typeof error === "string" ? `: ${error.slice(0, 200)}` : "";
}
