import { RefAdGenError } from "@refadgen/errors";

/**
 * - `unknown-format`: nothing that is read here;
 * - `unsupported`: a known format in a version or variant that is not read;
 * - `damaged`: cut off, too long, or not what its header says;
 * - `bad-value`: a number that no splat can have;
 * - `limit`: larger than the limits given.
 */
export type SplatFileErrorCode = "unknown-format" | "unsupported" | "damaged" | "bad-value" | "limit";

/** A splat file that cannot be read or written; branch on `code`. Wrong arguments are `ArgumentError`s instead. */
export class SplatFileError extends RefAdGenError {
  declare readonly code: SplatFileErrorCode;

  constructor(code: SplatFileErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
