import { RefAdGenError } from "@refadgen/errors";

/**
 * - `invalid-config` a configuration, taxonomy or row that does not say what it must
 * - `unreadable` a source, archive or picture that cannot be read
 * - `refused` input that could do harm: paths that leave a folder, private addresses, bombs
 * - `too-large` more bytes, pixels or entries than allowed
 * - `format` a file of a known format with broken content
 * - `network` an address or endpoint that does not answer as it should
 * - `endpoint` an endpoint that answers with something unusable
 * - `budget` a limit on cost or calls was reached
 * - `ledger` the record of a run cannot be used: of another version, locked by another run
 * - `storage` nothing can be written: disk full, no permission
 * - `missing-package` an optional package is not installed
 */
export type DatasetErrorCode =
  | "invalid-config"
  | "unreadable"
  | "refused"
  | "too-large"
  | "format"
  | "network"
  | "endpoint"
  | "budget"
  | "ledger"
  | "storage"
  | "missing-package";

/** What this package throws besides `ArgumentError`. */
export class DatasetError extends RefAdGenError {
  declare readonly code: DatasetErrorCode;
  /** Whether the same work may well succeed another time: a busy endpoint, a dropped connection. */
  readonly retryable: boolean;

  constructor(code: DatasetErrorCode, message: string, { retryable = false, ...options }: ErrorOptions & { readonly retryable?: boolean } = {}) {
    super(code, message, options);
    this.retryable = retryable;
  }
}
