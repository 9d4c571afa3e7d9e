import type { RunDType, Tensor } from "../tensor.js";

/** How the worker opens ONNX Runtime; every field can be cloned between threads. */
export interface OpenRequest {
  readonly kind: "open";
  /** A serialised model, or the path of one. */
  readonly model: Uint8Array | string;
  /** Folder against which the external data of a serialised model is resolved. */
  readonly root: string;
  readonly provider: string;
  readonly deviceId: number;
  readonly threads: number;
  readonly level: "disabled" | "extended" | "all";
  /** Folder to write the optimised model into; absent when it is not to be kept. */
  readonly keepIn?: string;
}

/** Feeds are tensors, or numbers of tensors that the worker holds. */
export type Request =
  | OpenRequest
  | { readonly kind: "run"; readonly feeds: Readonly<Record<string, Tensor | number>>; readonly outputs: readonly string[] }
  | { readonly kind: "hold"; readonly id: number; readonly tensor: Tensor }
  | { readonly kind: "release"; readonly id: number };

export interface RunReply {
  readonly outputs: Readonly<Record<string, Tensor<RunDType>>>;
  readonly milliseconds: number;
}

export type Reply = { readonly serial: number } & (
  | { readonly result: unknown }
  | { readonly error: { readonly message: string; readonly missing: boolean } }
);

/** Names of the two files of a kept optimised model. */
export const keptModel = "model.onnx";
export const keptWeights = "model.bin";
