import type * as Transformers from "@huggingface/transformers";
import type { Image } from "@refadgen/image";
import { ExtractError } from "../error.js";
import type { ModelOptions } from "./model-options.js";

export type TransformersModule = typeof Transformers;

/** @throws ExtractError `package-missing` when transformers.js is not installed */
export async function loadTransformers(): Promise<TransformersModule> {
  try {
    return await import("@huggingface/transformers");
  } catch (error) {
    throw new ExtractError("package-missing", "this driver needs transformers.js: npm install @huggingface/transformers", { cause: error });
  }
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
