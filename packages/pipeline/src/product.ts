import { autoExtractor, ExtractError, type Extractor, type Mask } from "@refadgen/extract";
import {
  composite,
  type Image,
  type ImageInput,
  imageToTensor,
  loadImage,
  resizeImage,
  resizeTensor,
  type Size,
  toGrey,
  toRgb,
} from "@refadgen/image";
import { published } from "./defaults.js";
import { PipelineError } from "./error.js";

/** A product cut out on white, and where it stands. */
export interface Product {
  /** RGB. */
  readonly image: Image;
  /** Absent when the caller wants none. */
  readonly mask?: Mask;
}

export interface LoadProductOptions {
  /** Finds the product where no mask is given. Default: its transparency, else what stands on a plain background. */
  readonly extractor?: Extractor | undefined;
  /** What the product is, for extractors with a detector. */
  readonly category?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the product's picture and its mask.
 *
 * The mask is the one given (white or above the middle: product), else what the extractor finds. What lies outside of it becomes white, as
 * RefAdGen was trained.
 *
 * @param mask `null`: no mask, the picture as it is
 * @throws ImageError for pictures that cannot be read; PipelineError `mask-needed`, `mask-mismatch`; ExtractError when a driver cannot work
 */
export async function loadProduct(product: ImageInput, mask: ImageInput | null | undefined, options: LoadProductOptions = {}): Promise<Product> {
  const { signal } = options;
  const picture = await loadImage(product, signal ? { signal } : {});
  const hasAlpha = picture.channels === 2 || picture.channels === 4;
  const onWhite = toRgb(hasAlpha ? composite(picture, [255, 255, 255]) : picture);
  if (mask === null) return { image: onWhite };
  const found = mask === undefined ? await extractedMask(picture, options) : givenMask(await loadImage(mask, signal ? { signal } : {}), picture);
  return { image: whiteOutside(onWhite, found), mask: found };
}

async function extractedMask(picture: Image, { extractor = autoExtractor(), category, signal }: LoadProductOptions): Promise<Mask> {
  try {
    return (await extractor.extract(picture, { ...(category !== undefined && { category }), ...(signal && { signal }) })).mask;
  } catch (error) {
    if (!ExtractError.isInstance(error) || error.code !== "not-found") throw error;
    throw new PipelineError(
      "mask-needed",
      "generate: the product cannot be told from what surrounds it; pass `mask` (white where the product is), an `extractor`, or `mask: null` to " +
        `do without. ${error.message}`,
      { cause: error },
    );
  }
}

function givenMask(picture: Image, product: Size): Mask {
  const { width, height } = picture;
  const levels = picture.channels === 1 ? picture : toGrey(toRgb(picture));
  // Masks are stored as 0 and 255, or as 0 and 1.
  const threshold = levels.data.every((level) => level <= 1) ? 0 : 127;
  const data = levels.data.map((level) => (level > threshold ? 1 : 0));
  if (!data.includes(1))
    throw new PipelineError("mask-mismatch", "generate: expected a mask that is white where the product is, got one that is black everywhere");
  if (Math.abs(width / height - product.width / product.height) > 0.02 * (product.width / product.height)) {
    throw new PipelineError(
      "mask-mismatch",
      `generate: expected a mask of the product's shape, ${product.width} × ${product.height}, got ${width} × ${height}`,
    );
  }
  return { width, height, data };
}

function whiteOutside(image: Image, mask: Mask): Image {
  const data = image.data.slice();
  for (let y = 0; y < image.height; y++) {
    const row = Math.floor((y * mask.height) / image.height) * mask.width;
    for (let x = 0; x < image.width; x++) {
      if (mask.data[row + Math.floor((x * mask.width) / image.width)] === 0) data.fill(255, (y * image.width + x) * 3, (y * image.width + x) * 3 + 3);
    }
  }
  return { ...image, data };
}

/**
 * The published chain before the encoders: the short side to 512 and the long side to 640, rounded twice but resized once, then both sides
 * floored to multiples of 64. The image encoder sees this; the autoencoder sees it squashed to the size of the result.
 */
export function publishedResize(image: Image): Image {
  const { productShortSide, productLongSide, productMultiple } = published;
  const scaled = ({ width, height }: Size, factor: number): Size => ({
    width: roundHalfToEven(width * factor),
    height: roundHalfToEven(height * factor),
  });
  const short = scaled(image, productShortSide / Math.min(image.width, image.height));
  const long = scaled(short, productLongSide / Math.max(short.width, short.height));
  const floored = { width: floorTo(long.width, productMultiple), height: floorTo(long.height, productMultiple) };
  if (long.width < 1 || long.height < 1 || floored.width < 1 || floored.height < 1) {
    throw new PipelineError(
      "mask-mismatch",
      `generate: a product of ${image.width} × ${image.height} is too narrow for the published size; pass width and height`,
    );
  }
  return resizeImage(resizeImage(image, long, { filter: "bilinear" }), floored, { filter: "bilinear" });
}

/** The picture as the autoencoder takes it: squashed to `size`, `[3, H, W]` in [-1, 1]. */
export function autoencoderInput(image: Image, size: Size): Float32Array {
  const pixels = imageToTensor(resizeImage(image, size, { filter: "bilinear" }));
  return pixels.map((value) => Math.fround(Math.fround(value * 2) - 1));
}

/** The mask on the grid of the latents, `[H / 8, W / 8]`, nearest neighbour: 1 where the product is. Without a mask, zeros. */
export function latentMask(mask: Mask | undefined, { width, height }: Size): Float32Array {
  if (!mask) return new Float32Array(width * height);
  return resizeTensor(Float32Array.from(mask.data), [mask.height, mask.width], { width, height }, { method: "nearest" });
}

function floorTo(length: number, multiple: number): number {
  return Math.floor(length / multiple) * multiple;
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
