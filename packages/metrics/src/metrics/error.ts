import { RefAdGenError } from "@refadgen/errors";

/**
 * Why a metric has no value:
 * - `not-finite`: features or scores are NaN or infinite, which means a broken network or broken weights;
 * - `too-few`: fewer pictures than the statistic is defined for, or than the recipe takes;
 * - `statistics`: a file of statistics lacks an array, or its arrays do not fit;
 * - `exists`: a file is there already and is not overwritten;
 * - `unwritable`: a file cannot be written;
 * - `no-images`: a source has no pictures at all;
 * - `bad-image`: a picture cannot be read, and bad ones are not skipped.
 */
export type MetricErrorCode = "not-finite" | "too-few" | "statistics" | "exists" | "unwritable" | "no-images" | "bad-image";

/** A metric that cannot be computed; branch on `code`. Wrong arguments are `ArgumentError`s instead. */
export class MetricError extends RefAdGenError {
  declare readonly code: MetricErrorCode;

  constructor(code: MetricErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
