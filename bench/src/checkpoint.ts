import { copyFile, mkdir, readdir, stat, statfs, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attentionLayers } from "@refadgen/afm";
import { formulaTensor, type WeightLookup, Weights } from "@refadgen/graph";
import {
  contextGraph,
  decodeGraph,
  encodeGraph,
  generationConfig,
  generationGraph,
  type PipelineSources,
  productTokensGraph,
  referenceGraph,
  textGraph,
} from "@refadgen/pipeline";
import { type FormulaEntry, formulaFileBytes, writeFormulaFile } from "./safetensors-file.js";
import type { BenchSettings } from "./settings.js";

const assets = fileURLToPath(new URL("../../assets/micro/base/", import.meta.url));

/** Where the benchmark keeps its checkpoint: `REFADGEN_BENCH_DIR`, else `refadgen-bench` in the user's cache folder. */
export function benchFolder(): string {
  return process.env.REFADGEN_BENCH_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "refadgen-bench");
}

/**
 * Writes a whole checkpoint of formula weights in the published layouts, or finds the one written before: a diffusers folder, and
 * RefAdGen's own tensors under the names of its DeepSpeed file. Values follow from the names, so every machine has the same.
 *
 * @throws Error when the disk has no room
 */
export async function benchCheckpoint(settings: BenchSettings, onProgress: (text: string) => void): Promise<PipelineSources> {
  const folder = join(benchFolder(), settings.name);
  const base = join(folder, "base");
  const files = checkpointFiles(settings).map((file) => ({ ...file, path: join(folder, file.path) }));
  await checkRoom(folder, files);
  let [done, told] = [0, 0];
  const total = files.reduce((sum, { entries }) => sum + formulaFileBytes(entries), 0);
  const count = (bytes: number) => {
    done += bytes;
    if (total < 1e9 || done - told < total / 20) return;
    told = done;
    onProgress(`writing formula weights to ${folder}: ${(done / 1e9).toFixed(1)} of ${(total / 1e9).toFixed(1)} GB`);
  };
  for (const file of files) await writeFormulaFile(file.path, { ...file, onProgress: count });
  for (const name of ["tokenizer", "scheduler", "feature_extractor"]) await copyFolder(join(assets, name), join(base, name));
  const configs = { unet: settings.unet, vae: settings.vae, text_encoder: settings.text, image_encoder: settings.vision };
  for (const [name, config] of Object.entries(configs)) {
    await mkdir(join(base, name), { recursive: true });
    await writeFile(join(base, name, "config.json"), JSON.stringify(config, undefined, 2));
  }
  return { base, checkpoint: join(folder, "refadgen.safetensors") };
}

interface CheckpointFile {
  readonly path: string;
  readonly salt: string;
  readonly entries: readonly FormulaEntry[];
}

/** What every network asks for, found by building it: names and sizes come from the networks themselves. */
function checkpointFiles({ unet, vae, text, vision, resampler }: BenchSettings): CheckpointFile[] {
  const size = { batch: 1, height: 8, width: 8 };
  const asked = <Names extends string>(names: readonly Names[], build: (weights: Record<Names, Weights>) => void): Record<Names, FormulaEntry[]> => {
    const collected = Object.fromEntries(names.map((name) => [name, collector()])) as Record<Names, ReturnType<typeof collector>>;
    build(Object.fromEntries(names.map((name) => [name, collected[name].weights])) as Record<Names, Weights>);
    return Object.fromEntries(names.map((name) => [name, collected[name].entries()])) as Record<Names, FormulaEntry[]>;
  };
  const nets = asked(["text", "vision", "proj", "vae", "unet", "ref_unet", "fusion"], (weights) => {
    textGraph(weights.text, text);
    productTokensGraph(weights.vision, vision, weights.proj, resampler);
    encodeGraph(weights.vae, vae, { height: 64, width: 64 });
    decodeGraph(weights.vae, vae, size);
    generationGraph(weights.unet, generationConfig(unet), { ...size, tokens: 77 });
    contextGraph(weights.unet, unet, { batch: 1, tokens: 77 });
    referenceGraph(weights.ref_unet, weights.fusion, unet, { ...size, tokens: 16 });
  });
  const layers = attentionLayers(nets.unet.map(({ name }) => name));
  const adapters = nets.fusion.map(({ name, dims }) => {
    const layer = layers.findIndex((candidate) => name.startsWith(`${candidate}.`));
    return { name: `adapter_modules.${layer * 2}.${name.slice(layers[layer]!.length + 1)}`, dims };
  });
  const under = (prefix: "unet" | "ref_unet" | "proj") => nets[prefix].map(({ name, dims }) => ({ name: `${prefix}.${name}`, dims }));
  return [
    { path: "base/text_encoder/model.safetensors", salt: "clip-text", entries: nets.text },
    { path: "base/image_encoder/model.safetensors", salt: "clip-vision", entries: nets.vision },
    { path: "base/vae/diffusion_pytorch_model.safetensors", salt: "vae", entries: nets.vae },
    { path: "refadgen.safetensors", salt: "refadgen", entries: [...under("unet"), ...under("ref_unet"), ...under("proj"), ...adapters] },
  ];
}

/** Weights that have every key and remember which were asked for. */
function collector(): { readonly weights: Weights; readonly entries: () => FormulaEntry[] } {
  const dimsOf = new Map<string, readonly number[]>();
  const lookup: WeightLookup = {
    description: "what the network asks for",
    keys: () => [],
    tensor: (key, dims) => {
      if (key === "text_projection.weight") return undefined; // Stable Diffusion's text encoder has none
      dimsOf.set(key, dims);
      return formulaTensor("", key, dims);
    },
  };
  return { weights: Weights.from(lookup), entries: () => [...dimsOf].map(([name, dims]) => ({ name, dims })) };
}

async function checkRoom(folder: string, files: readonly CheckpointFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  let needed = 0;
  for (const { path, entries } of files) {
    const size = formulaFileBytes(entries);
    if ((await stat(path).catch(() => undefined))?.size !== size) needed += size;
  }
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < needed + 1e9) {
    throw new Error(
      `benchCheckpoint: expected ${((needed + 1e9) / 1e9).toFixed(1)} GB free at ${folder} (REFADGEN_BENCH_DIR), got ${((bavail * bsize) / 1e9).toFixed(1)} GB`,
    );
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await copyFile(join(from, name), join(to, name));
}
