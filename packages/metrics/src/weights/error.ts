import { RefAdGenError } from "@refadgen/errors";

/**
 * What is wrong with the weights of a metric:
 * `missing` there is no such file, or it may not be fetched (offline) · `checksum` its sha256 is another ·
 * `wrong-file` it holds another network than the one asked for · `unavailable` a part that is needed cannot be had.
 * Files that cannot be read at all are a `WeightsError` of `@refadgen/graph`.
 */
export type MetricWeightsErrorCode = "missing" | "checksum" | "wrong-file" | "unavailable";

/** Weights that a metric cannot use. */
export class MetricWeightsError extends RefAdGenError {
  declare readonly code: MetricWeightsErrorCode;

  constructor(code: MetricWeightsErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
