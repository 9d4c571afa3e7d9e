import { RefAdGenError } from "@refadgen/errors";

/**
 * What is wrong with a weight file:
 * `malformed` not what the format allows · `truncated` ends too early · `unsupported` valid but not read here ·
 * `unsafe` it asks for code to be run or leaves its folder · `limit` it claims more than a limit allows ·
 * `missing-file` · `mismatch` keys or shapes differ from what the network needs · `disk-full` no room for the cache.
 */
export type WeightsErrorCode = "malformed" | "truncated" | "unsupported" | "unsafe" | "limit" | "missing-file" | "mismatch" | "disk-full";

/** A checkpoint that cannot be used; thrown before anything large is allocated. */
export class WeightsError extends RefAdGenError {
  declare readonly code: WeightsErrorCode;

  constructor(code: WeightsErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
