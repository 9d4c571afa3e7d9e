import { ArgumentError } from "@refadgen/errors";

/** 1 = grey, 2 = grey + alpha, 3 = RGB, 4 = RGBA. */
export type Channels = 1 | 2 | 3 | 4;

/** An 8-bit picture, sRGB, alpha not premultiplied. */
export interface Image {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  readonly channels: Channels;
  /** `[H, W, C]`, row-major, interleaved, 0 to 255. */
  readonly data: Uint8Array;
}

/** A picture in float32; the range is the caller's, usually 0 to 255. */
export interface FloatImage {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  readonly channels: Channels;
  /** `[H, W, C]`, row-major, interleaved. */
  readonly data: Float32Array;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Throws unless `image` is what its type says, which plain JavaScript callers cannot be trusted to know.
 *
 * @param name the function and argument that the message names
 * @throws ArgumentError
 */
export function assertImage(name: string, image: Image): void {
  assertPixels(name, image);
  if (!(image.data instanceof Uint8Array)) throw new ArgumentError(`${name}: expected data to be a Uint8Array, got ${typeName(image.data)}`);
}

/** `assertImage` for float pictures. */
export function assertFloatImage(name: string, image: FloatImage): void {
  assertPixels(name, image);
  if (!(image.data instanceof Float32Array)) throw new ArgumentError(`${name}: expected data to be a Float32Array, got ${typeName(image.data)}`);
}

/** Throws unless both sides are positive integers. */
export function assertSize(name: string, size: Size): void {
  if (typeof size !== "object" || size === null) throw new ArgumentError(`${name}: expected {width, height}, got ${String(size)}`);
  for (const side of ["width", "height"] as const) {
    if (!Number.isInteger(size[side]) || size[side] < 1)
      throw new ArgumentError(`${name}: expected ${side} to be a positive integer, got ${String(size[side])}`);
  }
}

function assertPixels(name: string, image: Image | FloatImage): void {
  assertSize(name, image);
  const { width, height, channels, data } = image;
  if (![1, 2, 3, 4].includes(channels)) throw new ArgumentError(`${name}: expected 1 to 4 channels, got ${String(channels)}`);
  const expected = width * height * channels;
  if (data?.length !== expected)
    throw new ArgumentError(`${name}: expected ${expected} values for ${width} × ${height} × ${channels}, got ${String(data?.length)}`);
}

function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
