import { RefAdGenError } from "@refadgen/errors";

/**
 * Why a file could not be had: `offline` it is not in the cache and fetching is switched off · `not-found` no such repository, revision or
 * file · `unauthorized` a token is needed, or the one given may not read this · `rate-limited` · `unavailable` no connection, or the server
 * kept failing · `mismatch` what came is not what was announced (length, digest) · `unexpected-content` a web page or other text came in
 * place of the file · `redirect` redirects without end, or to where they must not lead · `disk-full` · `unsafe-name` a listed name that
 * would leave the cache's folder.
 */
export type HubErrorCode =
  | "offline"
  | "not-found"
  | "unauthorized"
  | "rate-limited"
  | "unavailable"
  | "mismatch"
  | "unexpected-content"
  | "redirect"
  | "disk-full"
  | "unsafe-name";

/** A file that could not be fetched or found; the message says what to do next. */
export class HubError extends RefAdGenError {
  declare readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
