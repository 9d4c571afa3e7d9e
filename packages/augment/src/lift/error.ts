import { RefAdGenError } from "@refadgen/errors";

/**
 * Why a photo cannot be lifted:
 * - `empty-mask`: no pixel of the mask is at least half covered;
 * - `no-depth`: the depth map knows nothing of the product;
 * - `no-view`: no view passed the quality asked for.
 */
export type LiftErrorCode = "empty-mask" | "no-depth" | "no-view";

/** A photo that cannot be lifted or seen anew; branch on `code`. Wrong arguments are `ArgumentError`s instead. */
export class LiftError extends RefAdGenError {
  declare readonly code: LiftErrorCode;

  constructor(code: LiftErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
