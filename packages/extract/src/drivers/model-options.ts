// Apart from what uses transformers.js, so that its types are not needed by those who do not.
import { ArgumentError } from "@refadgen/errors";

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

/** Throws unless dtype and device are among those that transformers.js has. */
export function assertModelOptions(name: string, { dtype = "fp32", device = "cpu" }: ModelOptions): void {
  if (!modelDTypes.includes(dtype)) throw new ArgumentError(`${name}: expected dtype ${modelDTypes.join(" | ")}, got "${dtype}"`);
  if (!modelDevices.includes(device)) throw new ArgumentError(`${name}: expected device ${modelDevices.join(" | ")}, got "${device}"`);
}
