import { RefAdGenError } from "@refadgen/errors";
import { alphaOf, type Image } from "@refadgen/image";

/**
 * - `no-mask`: none given that fits, no transparency, and the background is not plain;
 * - `not-ours`: the output folder holds other things;
 * - `other-settings`: it is that of a run with other settings;
 * - `some-failed`: some photos could not be used.
 */
export type BatchErrorCode = "no-mask" | "not-ours" | "other-settings" | "some-failed";

/** A batch, or a product of it, that cannot be made; branch on `code`. */
export class BatchError extends RefAdGenError {
  declare readonly code: BatchErrorCode;

  constructor(code: BatchErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** How far, in levels of the channel that differs most, a pixel may be from the background's colour. */
const tolerance = 12;
/** The share of the border that must have the background's colour. */
const plainBorder = 0.9;

/**
 * The mask of a product photo that came without one: its transparency, or what a flood from the border of a plain background does not reach.
 *
 * @throws BatchError `no-mask` where neither tells the product from its background
 */
export function productMask(image: Image): Image {
  const alpha = alphaOf(image);
  if (alpha?.data.some((value) => value < 128) && alpha.data.some((value) => value >= 128)) return alpha;
  const mask = floodedMask(image);
  if (!mask)
    throw new BatchError("no-mask", "expected a mask, transparency or a plain background, got none of them: put NAME_mask.png beside the picture");
  return mask;
}

function floodedMask({ width, height, channels, data }: Image): Image | undefined {
  const colours = channels < 3 ? [0] : [0, 1, 2];
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(x, (height - 1) * width + x);
  for (let y = 1; y < height - 1; y++) border.push(y * width, y * width + width - 1);
  const background = colours.map((c) => {
    const levels = Uint8Array.from(border, (pixel) => data[pixel * channels + c]!).sort();
    return levels[levels.length >> 1]!;
  });
  const isBackground = (pixel: number) => colours.every((c, k) => Math.abs(data[pixel * channels + c]! - background[k]!) <= tolerance);
  const starts = border.filter(isBackground);
  if (starts.length < border.length * plainBorder) return undefined;
  const mask = new Uint8Array(width * height).fill(255);
  const queue = new Int32Array(width * height);
  let [head, tail] = [0, 0];
  const visit = (pixel: number) => {
    if (mask[pixel] === 0 || !isBackground(pixel)) return;
    mask[pixel] = 0;
    queue[tail++] = pixel;
  };
  for (const pixel of starts) visit(pixel);
  while (head < tail) {
    const pixel = queue[head++]!;
    const x = pixel % width;
    if (x > 0) visit(pixel - 1);
    if (x < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < width * (height - 1)) visit(pixel + width);
  }
  const share = 1 - tail / mask.length;
  return share < 0.002 || share > 0.98 ? undefined : { width, height, channels: 1, data: mask };
}
