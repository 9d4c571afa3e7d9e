import { RefAdGenError } from "@refadgen/errors";

/**
 * Why a pipeline cannot start: `missing-component` a file or folder is not where it was said to be ·
 * `unsupported-component` it is there, but of another kind · `mask-needed` the product cannot be told from its background ·
 * `mask-mismatch` the mask does not fit the product.
 */
export type PipelineErrorCode = "missing-component" | "unsupported-component" | "mask-needed" | "mask-mismatch";

/** A problem with what the pipeline was given; thrown before anything is loaded. */
export class PipelineError extends RefAdGenError {
  declare readonly code: PipelineErrorCode;

  constructor(code: PipelineErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
