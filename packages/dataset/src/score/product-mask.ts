import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";

/** Which pixels are the product. */
export interface ProductMask {
  readonly width: number;
  readonly height: number;
  /** `[H, W]`, 0 or 1. */
  readonly data: Uint8Array;
}

/** @throws ArgumentError unless the mask holds 0 and 1 only and has the picture's size */
export function checkProductMask(name: string, mask: ProductMask, { width, height }: Size): void {
  if (mask.width !== width || mask.height !== height)
    throw new ArgumentError(`${name}: expected a mask of the picture's size, ${width} × ${height}, got ${mask.width} × ${mask.height}`);
  if (!(mask.data instanceof Uint8Array) || mask.data.length !== width * height)
    throw new ArgumentError(`${name}: expected a mask of ${width * height} bytes, got ${String(mask.data?.length)}`);
  for (let pixel = 0; pixel < mask.data.length; pixel++)
    if (mask.data[pixel]! > 1) throw new ArgumentError(`${name}: expected a mask of 0 and 1, got ${mask.data[pixel]}`);
}
