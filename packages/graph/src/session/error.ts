import { RefAdGenError } from "@refadgen/errors";

/**
 * What went wrong with a session: `provider-unavailable` the execution provider's libraries are not there ·
 * `runtime-missing` the runtime, or the package that calls it, is not installed · `runtime-unusable` it is there and cannot be loaded ·
 * `precision-unavailable` this processor or provider cannot compute in the precision asked for · `failed` the runtime refused the graph or the run · `disposed` used after `dispose()`.
 */
export type SessionErrorCode = "provider-unavailable" | "runtime-missing" | "runtime-unusable" | "precision-unavailable" | "failed" | "disposed";

/** A session that cannot be opened or run; `cause` and the message hold the runtime's own words. */
export class SessionError extends RefAdGenError {
  declare readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
