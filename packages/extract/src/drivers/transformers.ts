import type * as Transformers from "@huggingface/transformers";
import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { ExtractError } from "../error.js";

export interface ModelOptions {
  /** Hub id or folder with `onnx/`. */
  readonly model?: string;
  /** Which of the model's files; default `fp32`. */
  readonly dtype?: ModelDType;
  /** Where it runs; default `cpu`. There is no silent fallback. */
  readonly device?: ModelDevice;
  readonly revision?: string;
  /** Where downloads are kept; default: as transformers.js is set. */
  readonly cacheDirectory?: string;
  /** Never use the network. Default false. */
  readonly offline?: boolean;
  /** Bytes of each file as it is downloaded. */
  readonly onProgress?: (progress: { readonly file: string; readonly done: number; readonly total: number }) => void;
}

export type ModelDType = (typeof modelDTypes)[number];
const modelDTypes = ["fp32", "fp16", "int8", "uint8", "q8", "q4", "q4f16", "bnb4"] as const;
export type ModelDevice = (typeof modelDevices)[number];
const modelDevices = ["cpu", "cuda", "dml", "coreml", "webgpu"] as const;

type TransformersModule = typeof Transformers;

/** @throws ExtractError `package-missing` when transformers.js is not installed */
export async function loadTransformers(): Promise<TransformersModule> {
  try {
    return await import("@huggingface/transformers");
  } catch (error) {
    throw new ExtractError("package-missing", "this driver needs transformers.js: npm install @huggingface/transformers", { cause: error });
  }
}

/** Throws unless dtype and device are among those that transformers.js has. */
export function assertModelOptions(name: string, { dtype = "fp32", device = "cpu" }: ModelOptions): void {
  if (!modelDTypes.includes(dtype)) throw new ArgumentError(`${name}: expected dtype ${modelDTypes.join(" | ")}, got "${dtype}"`);
  if (!modelDevices.includes(device)) throw new ArgumentError(`${name}: expected device ${modelDevices.join(" | ")}, got "${device}"`);
}

/** Options as `from_pretrained` takes them. */
export function pretrainedOptions({ dtype = "fp32", device = "cpu", revision, cacheDirectory, offline, onProgress }: ModelOptions): {
  readonly dtype: Transformers.DataType;
  readonly device: Transformers.DeviceType;
  readonly revision?: string;
  readonly cache_dir?: string;
  readonly local_files_only?: boolean;
  readonly progress_callback?: (info: Transformers.ProgressInfo) => void;
} {
  return {
    dtype,
    device,
    ...(revision !== undefined && { revision }),
    ...(cacheDirectory !== undefined && { cache_dir: cacheDirectory }),
    ...(offline !== undefined && { local_files_only: offline }),
    ...(onProgress && {
      progress_callback: (info: Transformers.ProgressInfo) => {
        if (info.status === "progress") onProgress({ file: info.file, done: info.loaded, total: info.total });
      },
    }),
  };
}

/** Loads once, at the first use; a load that fails may be tried again. */
export function lazily<T>(what: string, load: () => Promise<T>): { get(): Promise<T>; loaded(): Promise<T> | undefined } {
  let loading: Promise<T> | undefined;
  return {
    get() {
      loading ??= load().catch((error: unknown) => {
        loading = undefined;
        if (ExtractError.isInstance(error)) throw error;
        throw new ExtractError("model", `${what} cannot be loaded: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
      return loading;
    },
    loaded: () => loading,
  };
}

/** @param image RGB */
export function rawImage({ RawImage }: TransformersModule, { data, width, height }: Image): Transformers.RawImage {
  return new RawImage(new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength), width, height, 3);
}
