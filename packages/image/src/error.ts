import { RefAdGenError } from "@refadgen/errors";

/**
 * What was wrong with a picture or its file:
 * - `missing-file`: the path does not exist;
 * - `unreadable`, `unwritable`: the path is not an ordinary file, or the system refuses to read or write it;
 * - `unsupported`: not an image, or a format that is not read or written here;
 * - `truncated`: the file ends before the picture does;
 * - `malformed`: the format's own rules are broken;
 * - `limit`: more pixels or bytes than allowed (decompression bombs);
 * - `not-finite`: NaN or infinity where a pixel value is needed.
 */
export type ImageErrorCode = "missing-file" | "unreadable" | "unwritable" | "unsupported" | "truncated" | "malformed" | "limit" | "not-finite";

/** A picture that cannot be read, written or converted; branch on `code`. Wrong arguments are `ArgumentError`s instead. */
export class ImageError extends RefAdGenError {
  declare readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
