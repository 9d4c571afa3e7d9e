import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { elementCount, openWeights, type WeightSource, WeightsError } from "@refadgen/graph";
import { locate, parseSource } from "@refadgen/hub";
import type { Command } from "commander";
import { type Comparison, recognise, recogniseAdapter } from "./known-models.js";
import { bytesText, columns, print, printJson } from "./print.js";

interface InspectSettings {
  readonly tensors?: boolean;
  readonly json?: boolean;
}

interface Inspected {
  readonly path: string;
  readonly error?: string;
  readonly fileBytes?: number;
  readonly parameters?: number;
  readonly dtypes?: Readonly<Record<string, { readonly tensors: number; readonly parameters: number }>>;
  readonly models?: readonly Comparison[];
  readonly note?: string;
  readonly tensors?: readonly { readonly name: string; readonly dtype: string; readonly dims: readonly number[] }[];
}

/** `refadgen inspect` */
export function addInspectCommand(program: Command, signal: AbortSignal): void {
  program
    .command("inspect")
    .description("Tell what a weight file or a folder of models holds, and what is missing or extra.")
    .argument("<path>", "safetensors, PyTorch or NumPy file, folder with networks in it, or org/name/file on the hub")
    .option("--tensors", "list every tensor")
    .option("--json", "as JSON")
    .option("--debug", "print where an error came from")
    .addHelpText(
      "after",
      `
Examples:
  refadgen inspect mp_rank_00_model_states.pt
  refadgen inspect Realistic_Vision_V5.1_noVAE
  refadgen inspect model.safetensors --tensors --json

Only headers are read, and nothing in a file is ever executed. Exit code 3: something cannot be read, or does not fit its network.`,
    )
    .action((path: string, settings: InspectSettings) => inspect(path, settings, signal));
}

async function inspect(path: string, settings: InspectSettings, signal: AbortSignal): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  const local = info ? path : await fetched(path, signal);
  const files = info?.isDirectory() ? await weightFolders(path) : [local];
  if (files.length === 0) throw new WeightsError("missing-file", `${path}: expected weights in this folder or in folders of it, there are none`);
  const results: Inspected[] = [];
  for (const file of files) {
    signal.throwIfAborted();
    results.push(await inspectOne(file, settings));
  }
  if (settings.json) printJson(results.length === 1 && !info?.isDirectory() ? results[0] : results);
  else print(results.map((result) => describe(result)).join("\n\n"));
  const bad = results.find(({ error, models }) => error !== undefined || models?.some((one) => one.missing.length > 0 || one.misshapen.length > 0));
  if (bad) throw new WeightsError("mismatch", bad.error ?? `${bad.path}: tensors are missing or have other sizes`);
}

async function fetched(path: string, signal: AbortSignal): Promise<string> {
  const endpoint = process.env.HF_ENDPOINT || "https://huggingface.co";
  const parsed = path.includes("/") ? parseSource(path, { endpoint }) : undefined;
  if (!parsed || parsed.kind === "local" || (parsed.kind === "hub" && parsed.path === ""))
    throw new WeightsError("missing-file", `${path}: nothing is there`);
  return locate(path, { signal });
}

/** The folder itself, and folders below it, that hold weights. */
async function weightFolders(path: string): Promise<string[]> {
  const isWeights = (name: string) => /\.(?:safetensors|bin|pt|pth|ckpt|npz)$/i.test(name);
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => !entry.isDirectory() && isWeights(entry.name));
  const index = new Set(entries.filter((entry) => /\.index\.json$/.test(entry.name)).map((entry) => entry.parentPath));
  const found = files
    .filter(({ parentPath, name }) => !(index.has(parentPath) && /-\d{5}-of-\d{5}\./.test(name)))
    .map((entry) => join(entry.parentPath, entry.name));
  return [...found, ...entries.filter((entry) => /\.index\.json$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name))].sort();
}

async function inspectOne(path: string, { tensors }: InspectSettings): Promise<Inspected> {
  let source: WeightSource;
  try {
    source = await openWeights(path);
  } catch (error) {
    if (!WeightsError.isInstance(error)) throw error;
    return { path, error: error.message };
  }
  const dtypes: Record<string, { tensors: number; parameters: number }> = {};
  for (const { dtype, dims } of source.tensors.values()) {
    dtypes[dtype] ??= { tensors: 0, parameters: 0 };
    dtypes[dtype].tensors++;
    dtypes[dtype].parameters += elementCount(dims);
  }
  const models = await recognise(source, await configBeside(path));
  const note = models.length === 0 ? recogniseAdapter(source) : undefined;
  return {
    path,
    fileBytes: (await stat(path)).size,
    parameters: Object.values(dtypes).reduce((sum, one) => sum + one.parameters, 0),
    dtypes,
    models,
    ...(note !== undefined && { note }),
    ...(tensors && { tensors: [...source.tensors.values()].map(({ name, dtype, dims }) => ({ name, dtype, dims })) }),
  };
}

async function configBeside(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(join(dirname(path), "config.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new WeightsError("malformed", `${join(dirname(path), "config.json")} is not JSON`);
  }
}

function describe({ path, error, fileBytes, parameters, dtypes, models = [], note, tensors }: Inspected): string {
  if (error !== undefined) return `${path}\n  cannot be read: ${error}`;
  const types = Object.entries(dtypes!).map(([dtype, one]) => [dtype, `${one.tensors} tensors`, `${one.parameters.toLocaleString("en")} values`]);
  const lines = [`${path}`, `  ${bytesText(fileBytes!)}, ${parameters!.toLocaleString("en")} values`, columns(types)];
  if (models.length === 0) lines.push(`  ${note ?? "not a network that RefAdGen uses"}`);
  for (const one of models) {
    const fits = one.missing.length === 0 && one.misshapen.length === 0;
    lines.push(`  ${one.model}: ${one.matching} tensors fit${fits && one.extra.length === 0 ? ", nothing is missing or extra" : ""}`);
    lines.push(...some("missing", one.missing));
    lines.push(
      ...some(
        "another size",
        one.misshapen.map(({ name, expected, found }) => `${name}: expected [${expected.join(", ")}], found [${found.join(", ")}]`),
      ),
    );
    lines.push(...some("extra", one.extra));
  }
  if (tensors) lines.push(columns(tensors.map(({ name, dtype, dims }) => [name, dtype, `[${dims.join(", ")}]`])));
  return lines.join("\n");
}

function some(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  return [
    `    ${what}: ${names.length}`,
    ...names.slice(0, 5).map((name) => `      ${name}`),
    ...(names.length > 5 ? [`      … (--json lists all)`] : []),
  ];
}
