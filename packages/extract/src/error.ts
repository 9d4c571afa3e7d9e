import { RefAdGenError } from "@refadgen/errors";

/**
 * `not-found` no driver is confident · `package-missing` an optional package is not installed · `model` a model's files cannot be loaded,
 * or are another model's · `remote` a service did not answer as it should · `failed` a driver's thread ended.
 */
export type ExtractErrorCode = "not-found" | "package-missing" | "model" | "remote" | "failed";

/** The product could not be told from the rest of the picture, or a driver cannot work. */
export class ExtractError extends RefAdGenError {
  declare readonly code: ExtractErrorCode;

  constructor(code: ExtractErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
