import { SplatFileError } from "./error.js";

/** What a reader accepts; a file beyond it is refused before memory is taken for it. */
export interface SplatLimits {
  /** Default 2²⁴, 16.8 million. */
  readonly maxSplats: number;
  /** Default 2 GiB. */
  readonly maxBytes: number;
}

export const defaultSplatLimits: SplatLimits = { maxSplats: 1 << 24, maxBytes: 2 ** 31 };

/** @throws SplatFileError if a header announces more splats than allowed. */
export function checkCount(format: string, count: number, { maxSplats }: Pick<SplatLimits, "maxSplats">): void {
  if (count > maxSplats) throw new SplatFileError("limit", `${format}: expected at most ${maxSplats} splats, got ${count} in the header`);
}

/** @throws SplatFileError naming splat and field if a value that was read is not a finite number. */
export function finite(format: string, value: number, splat: number, field: string): number {
  if (!Number.isFinite(value)) throw new SplatFileError("bad-value", `${format}: expected a finite ${field}, got ${value} in splat ${splat}`);
  return value;
}
