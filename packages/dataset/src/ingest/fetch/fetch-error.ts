import { DatasetError, type DatasetErrorCode } from "../../error.js";

/** Why an address gave nothing: what rejections are counted by. `http-404` and the like are the server's status. */
export type FetchReason =
  | "bad-address"
  | "private-address"
  | "port"
  | "redirects"
  | "robots"
  | "content-type"
  | "encoding"
  | "too-large"
  | "timeout"
  | "connection"
  | "wrong-length"
  | "unknown-host"
  | `http-${number}`;

/** An address that was not fetched, or not to the end. */
export class FetchError extends DatasetError {
  readonly reason: FetchReason;
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;

  constructor(
    code: DatasetErrorCode,
    reason: FetchReason,
    message: string,
    { retryAfter, ...options }: ErrorOptions & { readonly retryable?: boolean; readonly retryAfter?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** The refusal that lies at the bottom of what a socket or stream threw. */
export function fetchErrorIn(error: unknown): FetchError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) if (at instanceof FetchError) return at;
  return undefined;
}
