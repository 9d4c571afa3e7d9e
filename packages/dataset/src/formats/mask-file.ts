import { decodeImage, encodeImage } from "@refadgen/image";
import type { TripletMask } from "../contract.js";
import { DatasetError } from "../error.js";
import { decodeNpy, encodeNpy, type NpyArray } from "./npy.js";

/** How masks are kept in a format that allows both. */
export type MaskEncoding = "png" | "npy";

export interface MaskLimits {
  /** Refuse masks of more pixels, before they are decoded. Default 64 million. */
  readonly maxPixels?: number;
}

const defaultMaxPixels = 64_000_000;

/** An 8-bit grey PNG, 255 where the product is; or a two-dimensional `|u1` array of 0 and 1, which is what the authors' loader takes. */
export async function encodeMask({ width, height, data }: TripletMask, encoding: MaskEncoding): Promise<Uint8Array> {
  if (encoding === "npy") return encodeNpy({ shape: [height, width], data });
  return encodeImage({ width, height, channels: 1, data: data.map((value) => value * 255) }, { format: "png" });
}

/**
 * Reads a mask that anyone wrote, as a `.npy` array or as a picture.
 *
 * - An array has two dimensions, others of one element aside.
 * - Nothing above 1: 0 and 1 are meant; fractions count from above 0.5.
 * - Values above 1, up to 255: grey levels; more than 127 is product. So masks of 0 and 255 are read as what was meant.
 * - Values other than 0 of which none would be product (the numbers of instances, say) are refused: an empty mask is never made of one that is not.
 *
 * @param where the file and entry, for the message
 * @throws DatasetError `format`, `refused` for pickled objects, `too-large`
 */
export async function decodeMask(where: string, bytes: Uint8Array, limits: MaskLimits = {}): Promise<TripletMask> {
  const maxPixels = limits.maxPixels ?? defaultMaxPixels;
  try {
    return bytes[0] === 0x93 ? maskOfArray(decodeNpy(bytes, { maxElements: maxPixels })) : await maskOfPicture(bytes, maxPixels);
  } catch (error) {
    const code = DatasetError.isInstance(error) ? error.code : "format";
    throw new DatasetError(code, `${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function maskOfArray({ shape, data, type }: NpyArray): TripletMask {
  const sides = shape.filter((side) => side !== 1);
  // [1, H, W] and [H, W, 1] are masks, and so is one row or column of a picture.
  const [height, width] = shape.length === 2 ? shape : sides;
  if (width === undefined || height === undefined || (shape.length !== 2 && sides.length !== 2) || width * height === 0)
    throw new DatasetError("format", `expected a mask of shape (height, width), got ${type} of shape (${shape.join(", ")})`);
  return binary(width, height, data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : data);
}

async function maskOfPicture(bytes: Uint8Array, maxPixels: number): Promise<TripletMask> {
  const { width, height, channels, data } = await decodeImage(bytes, { maxPixels });
  if (channels === 1) return binary(width, height, data);
  const colours = channels > 2 ? 3 : 1;
  const grey = new Uint8Array(width * height);
  for (let pixel = 0, from = 0; pixel < grey.length; pixel++, from += channels) {
    const value = data[from]!;
    if (colours === 3 && (data[from + 1] !== value || data[from + 2] !== value))
      throw new DatasetError("format", "expected a grey picture as mask, got colours");
    if (channels !== colours && data[from + colours] !== 255)
      throw new DatasetError("format", "expected a mask without transparency, got alpha below 255");
    grey[pixel] = value;
  }
  return binary(width, height, grey);
}

function binary(width: number, height: number, values: Exclude<NpyArray["data"], BigInt64Array | BigUint64Array>): TripletMask {
  let most = 0;
  for (const value of values) {
    if (!(value >= 0 && value <= 255)) throw new DatasetError("format", `expected values from 0 to 255 in a mask, got ${value}`);
    if (value > most) most = value;
  }
  const threshold = most > 1 ? 127 : 0.5;
  const data = new Uint8Array(values.length);
  for (let pixel = 0; pixel < data.length; pixel++) data[pixel] = values[pixel]! > threshold ? 1 : 0;
  if (most > 0 && most <= threshold) throw new DatasetError("format", `expected a mask of 0 and 1 or of 0 and 255, got ${most} as its largest value`);
  return { width, height, data };
}
