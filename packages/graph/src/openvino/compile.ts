import { createHash } from "node:crypto";
import { link, mkdir, readdir, readFile, realpath, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { SessionError } from "../session/error.js";
import type { PreparedModel } from "../session/prepare.js";
import { cacheFolder, removeLeftovers, temporaryName } from "../weights/cache-folder.js";
import type { Handle, OpenVinoApi } from "./api.js";

/** A compiled graph. `release` frees it and what it needed on the disk. */
export interface CompiledModel {
  readonly compiled: Handle;
  /** Whether it comes from the cache, or is there now. */
  readonly kept: boolean;
  readonly release: () => Promise<void>;
}

export interface CompileOptions {
  readonly precision: "fp32" | "bf16";
  readonly threads: number;
  readonly keep: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Reads and compiles a graph. OpenVINO maps weights that lie below the folder of the graph, so the graph is written into a folder beside hard
 * links to the files of weights; nothing is copied.
 */
export async function compileModel(api: OpenVinoApi, prepared: PreparedModel, options: CompileOptions): Promise<CompiledModel> {
  const properties = propertiesOf(options);
  const workplace = await makeWorkplace(prepared);
  try {
    const compile = async (cache?: string): Promise<Handle> => {
      options.signal?.throwIfAborted();
      const model = await api.readModel(workplace.model);
      try {
        options.signal?.throwIfAborted();
        return await api.compile(model, cache === undefined ? properties : { ...properties, CACHE_DIR: cache });
      } finally {
        api.free("model", model);
      }
    };
    const kept = options.keep ? await compileKept(api, prepared, properties, compile) : undefined;
    const compiled = kept ?? (await compile());
    const release = async () => {
      api.free("compiled", compiled);
      await workplace.remove();
    };
    try {
      options.signal?.throwIfAborted();
      expectPrecision(api, compiled, options.precision);
    } catch (error) {
      await release();
      throw error;
    }
    return { compiled, kept: kept !== undefined, release };
  } catch (error) {
    await workplace.remove();
    throw error;
  }
}

function propertiesOf({ precision, threads }: CompileOptions): Record<string, string> {
  return {
    INFERENCE_PRECISION_HINT: precision === "bf16" ? "bf16" : "f32",
    INFERENCE_NUM_THREADS: String(threads),
    PERFORMANCE_HINT: "LATENCY",
    // Two sessions that pin their threads would pin them to the same processors.
    ENABLE_CPU_PINNING: "NO",
  };
}

/** OpenVINO takes what it is asked for as a hint; what it does instead must not go unseen. */
function expectPrecision(api: OpenVinoApi, compiled: Handle, precision: "fp32" | "bf16"): void {
  const actual = api.compiledProperty(compiled, "INFERENCE_PRECISION_HINT").trim();
  const wanted = precision === "bf16" ? "bf16" : "f32";
  if (actual !== wanted)
    throw new SessionError("precision-unavailable", `precision "${precision}": OpenVINO would compute in ${actual} on this processor`);
}

interface Workplace {
  readonly model: string;
  readonly remove: () => Promise<void>;
}

async function makeWorkplace(prepared: PreparedModel): Promise<Workplace> {
  const shelf = join(cacheFolder(), "openvino", "open");
  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  const folder = temporaryName(join(shelf, "model"));
  await mkdir(folder);
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const names = new Map<string, string>();
    for (const path of prepared.files) {
      const name = `weights-${names.size}.bin`;
      names.set(path, name);
      await linkInto(path, join(folder, name));
    }
    const model = join(folder, "model.onnx");
    await writeFile(
      model,
      prepared.modelWith((path) => names.get(path)!),
    );
    return { model, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function linkInto(path: string, name: string): Promise<void> {
  const target = await realpath(path); // links of a hub cache lead to the file
  try {
    await link(target, name);
  } catch (error) {
    const code = error instanceof Error ? String(Reflect.get(error, "code")) : "";
    if (!["EXDEV", "EPERM", "ENOTSUP", "EMLINK", "EACCES"].includes(code)) throw error;
    throw new SessionError(
      "failed",
      `OpenVINO needs a hard link to ${path} in ${cacheFolder()}, which is refused (${code}); set REFADGEN_CACHE to a folder on the disk of the weights, or use runtime "onnxruntime"`,
      { cause: error },
    );
  }
}

/**
 * Compiles with OpenVINO's own cache in a folder of ours: its name is a digest of graph, weights, version, processor and settings, and it is
 * there whole or not at all.
 *
 * @returns undefined when it cannot be kept for want of room on the disk
 */
async function compileKept(
  api: OpenVinoApi,
  prepared: PreparedModel,
  properties: Readonly<Record<string, string>>,
  compile: (cache: string) => Promise<Handle>,
): Promise<Handle | undefined> {
  const processor = `${platform()} ${arch()} ${api.property("FULL_DEVICE_NAME").trim()} ${api.property("OPTIMIZATION_CAPABILITIES")}`;
  const key = createHash("sha256")
    .update([api.version, processor, JSON.stringify(properties), await prepared.digest()].join("\n"))
    .digest("hex")
    .slice(0, 32);
  const shelf = join(cacheFolder(), "openvino", "compiled");
  const folder = join(shelf, key);
  // A folder that is not whole, or whose content OpenVINO refuses, gives way to a new one.
  if (await whole(folder)) return compile(folder);
  await setAside(folder);
  await mkdir(shelf, { recursive: true });
  await removeLeftovers(shelf);
  const { bavail, bsize } = await statfs(shelf);
  if (bavail * bsize < prepared.weightBytes * 1.2 + 1e9) return undefined;
  const draft = temporaryName(folder);
  await mkdir(draft);
  try {
    const first = await compile(draft);
    try {
      await writeFile(join(draft, sizesName), JSON.stringify(await sizes(draft)));
      await rename(draft, folder).catch(async (error: unknown) => {
        if (!(await whole(folder))) throw error; // somebody else has finished first, and theirs is as good
      });
    } catch (error) {
      api.free("compiled", first);
      throw error;
    }
    return first;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const sizesName = "sizes.json";

async function sizes(folder: string): Promise<readonly (readonly [string, number])[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name !== sizesName).sort();
  return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size] as const));
}

async function whole(folder: string): Promise<boolean> {
  const noted = await readFile(join(folder, sizesName), "utf8").catch(() => undefined);
  return noted !== undefined && noted !== "[]" && noted === JSON.stringify(await sizes(folder));
}

async function setAside(folder: string): Promise<void> {
  const away = temporaryName(folder);
  await rename(folder, away).catch(() => undefined);
  await rm(away, { recursive: true, force: true });
}
