import { ArgumentError } from "@refadgen/errors";
import { ImageError } from "./error.js";
import { assertImage, assertSize, type Channels, type FloatImage, type Image, type Size } from "./image.js";

export interface TensorOptions {
  /** What a pixel value is multiplied with first. Default 1/255. */
  readonly scale?: number;
  /** Subtracted after scaling: one number, or one per channel. Default 0. */
  readonly mean?: number | readonly number[];
  /** Divided by at the end: one number, or one per channel. Default 1. */
  readonly std?: number | readonly number[];
}

/** Of CLIP, BLIP and ImageReward. */
export const clipNormalization: { readonly mean: readonly number[]; readonly std: readonly number[] } = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** Of networks trained on ImageNet as torchvision does it (DINO, LPIPS' backbones). */
export const imageNetNormalization: { readonly mean: readonly number[]; readonly std: readonly number[] } = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** 0…255 to −1…1, as latent diffusion's autoencoder takes it. */
export const symmetricNormalization: { readonly mean: number; readonly std: number } = { mean: 0.5, std: 0.5 };

/**
 * (pixel · scale − mean) / std as planes, rounded to float32 after each step like torchvision's ToTensor and Normalize.
 *
 * @returns `[C, H, W]`
 * @throws ArgumentError
 */
export function imageToTensor(image: Image, options: TensorOptions = {}): Float32Array {
  return imagesToTensor([image], options);
}

/**
 * `imageToTensor` for a batch of pictures of one size and kind.
 *
 * @returns `[B, C, H, W]`
 * @throws ArgumentError if they differ in width, height or channels
 */
export function imagesToTensor(images: readonly Image[], options: TensorOptions = {}): Float32Array {
  const [head] = images;
  if (!head) throw new ArgumentError("imagesToTensor: expected at least one image, got none");
  for (const image of images) {
    assertImage("imagesToTensor", image);
    if (image.width !== head.width || image.height !== head.height || image.channels !== head.channels) {
      throw new ArgumentError(
        `imagesToTensor: expected images of one size, got ${head.width} × ${head.height} × ${head.channels} and ${image.width} × ${image.height} × ${image.channels}`,
      );
    }
  }
  const { width, height, channels } = head;
  const area = width * height;
  const tables = Array.from({ length: channels }, (_, c) => valueTable(c, channels, options));
  const out = new Float32Array(images.length * channels * area);
  for (const [b, { data }] of images.entries()) {
    for (const [c, table] of tables.entries()) {
      const plane = out.subarray((b * channels + c) * area, (b * channels + c + 1) * area);
      for (let i = 0, from = c; i < area; i++, from += channels) plane[i] = table[data[from]!]!;
    }
  }
  return out;
}

/** All 256 answers for one channel. */
function valueTable(channel: number, channels: number, options: TensorOptions): Float32Array {
  const mean = Math.fround(ofChannel("mean", options.mean ?? 0, channel, channels));
  const std = Math.fround(ofChannel("std", options.std ?? 1, channel, channels));
  const { scale } = options;
  if (scale !== undefined && !Number.isFinite(scale)) throw new ArgumentError(`imagesToTensor: expected scale to be finite, got ${String(scale)}`);
  if (std === 0) throw new ArgumentError("imagesToTensor: expected std other than 0, got 0");
  return Float32Array.from({ length: 256 }, (_, pixel) => Math.fround(Math.fround(scale === undefined ? pixel / 255 : pixel * scale) - mean) / std);
}

function ofChannel(name: string, values: number | readonly number[], channel: number, channels: number): number {
  const list = typeof values === "number" ? Array<number>(channels).fill(values) : values;
  if (list.length !== channels || !list.every(Number.isFinite)) {
    throw new ArgumentError(
      `imagesToTensor: expected ${name} to be a finite number or ${channels} of them, got [${list.join(", ")}]; toRgb gives three channels`,
    );
  }
  return list[channel]!;
}

export interface TensorLayout extends Size {
  readonly channels: Channels;
  /** The values that become 0 and 255: [0, 1] or [-1, 1], say. What lies beyond is clipped. */
  readonly range: readonly [low: number, high: number];
}

/**
 * Planes `[C, H, W]` to pixels: round(255 · (x − low) / (high − low)), halves to even, clipped; in float32 as diffusers and numpy compute it.
 *
 * @throws ImageError `not-finite` for NaN and infinities, which would otherwise become black or white silently; ArgumentError
 */
export function tensorToImage(data: Float32Array, layout: TensorLayout): Image {
  const [image, ...rest] = tensorToImages(data, layout);
  if (!image || rest.length > 0) throw new ArgumentError(`tensorToImage: expected one image, got ${rest.length + 1}; tensorToImages takes batches`);
  return image;
}

/** `tensorToImage` for `[B, C, H, W]`; B follows from the length. */
export function tensorToImages(data: Float32Array, layout: TensorLayout): Image[] {
  assertSize("tensorToImages", layout);
  const { width, height, channels, range } = layout;
  if (![1, 2, 3, 4].includes(channels)) throw new ArgumentError(`tensorToImages: expected 1 to 4 channels, got ${String(channels)}`);
  const quantise = quantiser("tensorToImages", range);
  const area = width * height;
  const length = area * channels;
  if (!(data instanceof Float32Array) || data.length === 0 || data.length % length !== 0) {
    throw new ArgumentError(
      `tensorToImages: expected a Float32Array of a multiple of ${channels} × ${height} × ${width} values, got ${String(data?.length)}`,
    );
  }
  return Array.from({ length: data.length / length }, (_, b) => {
    const pixels = new Uint8Array(length);
    for (let c = 0; c < channels; c++) {
      for (let i = 0, to = c; i < area; i++, to += channels) pixels[to] = quantise(data[b * length + c * area + i]!);
    }
    return { width, height, channels, data: pixels };
  });
}

/** The same numbers, 0 to 255, in float32. */
export function toFloatImage(image: Image): FloatImage {
  assertImage("toFloatImage", image);
  return { ...image, data: Float32Array.from(image.data) };
}

export interface QuantiseOptions {
  /** The values that become 0 and 255. Default [0, 255]. */
  readonly range?: readonly [low: number, high: number];
}

/** `[H, W, C]` floats to pixels, rounded and clipped as in `tensorToImage`. */
export function fromFloatImage(image: FloatImage, options: QuantiseOptions = {}): Image {
  assertSize("fromFloatImage", image);
  const quantise = quantiser("fromFloatImage", options.range ?? [0, 255]);
  const pixels: Image = { width: image.width, height: image.height, channels: image.channels, data: Uint8Array.from(image.data, quantise) };
  assertImage("fromFloatImage", pixels);
  return pixels;
}

function quantiser(name: string, range: readonly [number, number]): (value: number) => number {
  if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isFinite) || range[0] === range[1]) {
    throw new ArgumentError(`${name}: expected range [low, high] of two different finite numbers, got ${JSON.stringify(range)}`);
  }
  const [low, high] = range;
  const scale = 255 / (high - low); // one factor, so that [0, 255] stays exact
  return (value) => {
    if (!Number.isFinite(value)) throw new ImageError("not-finite", `${name}: expected finite values, got ${value}`);
    return roundHalfToEven(Math.min(Math.max(Math.fround(Math.fround(value - low) * scale), 0), 255));
  };
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
