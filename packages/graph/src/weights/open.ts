import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { detectFormat, type WeightFormat } from "./detect.js";
import { WeightsError } from "./error.js";
import { WeightFile } from "./file.js";
import { contextOf, type OpenOptions, type ReadContext } from "./limits.js";
import { looksLikeNpz, readNpyFile, readNpz } from "./numpy.js";
import type { PytorchFile } from "./pytorch-file.js";
import { readPytorchLegacy } from "./pytorch-legacy.js";
import { looksLikePytorch, readPytorchZip } from "./pytorch-zip.js";
import { readSafetensors, type SafetensorsFile } from "./safetensors.js";
import { readShards } from "./shards.js";
import type { WeightSource } from "./source.js";
import { readZipDirectory } from "./zip.js";

/** What weights are called in a folder, in the order in which `openWeights` looks for them. */
export const usualNames: readonly string[] = ["diffusion_pytorch_model", "model", "pytorch_model"]
  .flatMap((stem) => [`${stem}.safetensors`, `${stem}.safetensors.index.json`, `${stem}.fp16.safetensors`])
  .concat(["diffusion_pytorch_model.bin", "pytorch_model.bin", "diffusion_pytorch_model.bin.index.json", "pytorch_model.bin.index.json"]);

/**
 * Opens a checkpoint: safetensors, a PyTorch file (zip, legacy, TorchScript), NumPy arrays, an index of shards, or a folder with one of
 * these under a usual name. What a file is tells its content, never its name. Only headers are read; nothing in a file is ever executed.
 * Tensors in nested dicts have dotted names. Throws a `WeightsError`.
 */
export async function openWeights(path: string, options: OpenOptions = {}): Promise<WeightSource> {
  const context = contextOf(options);
  const file = await WeightFile.open(await weightsIn(path));
  try {
    const format = await detectFormat(file);
    if (format !== "json") return await readSingle(file, format, context);
    return await readShards(file, context, (shard) => openSingle(shard, context));
  } finally {
    await file.close();
  }
}

/**
 * Opens a PyTorch file with everything that was saved in it, tensors or not. Throws a `WeightsError`: `unsupported` for other formats.
 */
export async function openPytorchFile(path: string, options: OpenOptions = {}): Promise<PytorchFile> {
  const source = await openSingle(await weightsIn(path), contextOf(options));
  if (!isPytorchFile(source)) throw new WeightsError("unsupported", `${path}: expected a PyTorch file`);
  return source;
}

/** Opens a safetensors file with its metadata. Throws a `WeightsError`: `unsupported` for other formats. */
export async function openSafetensors(path: string, options: OpenOptions = {}): Promise<SafetensorsFile> {
  const file = await WeightFile.open(await weightsIn(path));
  try {
    const format = await detectFormat(file);
    if (format !== "safetensors") throw new WeightsError("unsupported", `${path}: expected a safetensors file, got ${format}`);
    return await readSafetensors(file, contextOf(options));
  } finally {
    await file.close();
  }
}

export function isPytorchFile(source: WeightSource): source is PytorchFile {
  return "container" in source && "object" in source;
}

async function openSingle(path: string, context: ReadContext): Promise<WeightSource> {
  const file = await WeightFile.open(path);
  try {
    return await readSingle(file, await detectFormat(file), context);
  } finally {
    await file.close();
  }
}

async function readSingle(file: WeightFile, format: WeightFormat, context: ReadContext): Promise<WeightSource> {
  context.signal?.throwIfAborted();
  switch (format) {
    case "safetensors":
      return readSafetensors(file, context);
    case "pickle":
      return readPytorchLegacy(file, context);
    case "npy":
      return { description: file.path, tensors: new Map([["", await readNpyFile(file, context)]]) };
    case "zip": {
      const entries = await readZipDirectory(file);
      if (looksLikePytorch(entries)) return readPytorchZip(file, entries, context);
      if (looksLikeNpz(entries)) return readNpz(file, entries, context);
      const names = [...entries.keys()].slice(0, 5);
      throw new WeightsError(
        "unsupported",
        `${file.path}: expected a PyTorch or NumPy archive, got a zip file with ${names.length > 0 ? names.join(", ") : "nothing in it"}`,
      );
    }
    case "json":
      throw new WeightsError("unsupported", `${file.path}: expected weights, got JSON`);
  }
}

/** The path itself, or in a folder the file of a usual name. */
async function weightsIn(path: string): Promise<string> {
  const folder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!folder) return path;
  const names = new Set(await readdir(path));
  const name = usualNames.find((usual) => names.has(usual));
  if (!name) throw new WeightsError("missing-file", `${path}: expected one of ${usualNames.join(", ")} in this folder`);
  return join(path, name);
}
