import { RefAdGenError } from "@refadgen/errors";

/**
 * What went wrong with a session: `provider-unavailable` the execution provider's libraries are not there ·
 * `runtime-missing` onnxruntime-node is not installed · `failed` the runtime refused the graph or the run · `disposed` used after `dispose()`.
 */
export type SessionErrorCode = "provider-unavailable" | "runtime-missing" | "failed" | "disposed";

/** A session that cannot be opened or run; `cause` and the message hold the runtime's own words. */
export class SessionError extends RefAdGenError {
  declare readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
