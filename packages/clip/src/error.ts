import { RefAdGenError } from "@refadgen/errors";

/** `missing`: a file is not there or cannot be read; `malformed`: it is not what its name promises. */
export type TokenizerErrorCode = "missing" | "malformed";

/** The files of a tokenizer cannot be used. */
export class TokenizerError extends RefAdGenError {
  declare readonly code: TokenizerErrorCode;

  constructor(code: TokenizerErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
