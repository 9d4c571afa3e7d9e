import type { Image } from "@refadgen/image";

/** A mask of 0 and 1, row by row. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  /** `[H, W]`, 1 where the product is. */
  readonly data: Uint8Array;
}

/** How far, in 8-bit levels of the channel that differs most, a pixel may be from the background's colour. */
const tolerance = 12;
/** The share of the border that must have the background's colour. */
const plainBorder = 0.9;

/**
 * The product's mask where the picture has a plain background: everything that a flood from the border does not reach.
 *
 * @param image RGB `[H, W, 3]`
 * @returns undefined when the border has no colour of its own, or when what remains is almost nothing or almost everything
 */
export function maskOnPlainBackground({ width, height, data }: Image): Mask | undefined {
  const border = borderPixels(width, height);
  const color = [0, 1, 2].map((channel) => median(border.map((pixel) => data[pixel * 3 + channel]!)));
  const isBackground = (pixel: number) => color.every((level, channel) => Math.abs(data[pixel * 3 + channel]! - level) <= tolerance);
  const starts = border.filter(isBackground);
  if (starts.length < border.length * plainBorder) return undefined;

  const mask = new Uint8Array(width * height).fill(1);
  const queue = new Int32Array(width * height);
  let [head, tail] = [0, 0];
  const visit = (pixel: number) => {
    if (mask[pixel] === 0 || !isBackground(pixel)) return;
    mask[pixel] = 0;
    queue[tail++] = pixel;
  };
  starts.forEach(visit);
  while (head < tail) {
    const pixel = queue[head++]!;
    const x = pixel % width;
    if (x > 0) visit(pixel - 1);
    if (x < width - 1) visit(pixel + 1);
    if (pixel >= width) visit(pixel - width);
    if (pixel < width * (height - 1)) visit(pixel + width);
  }
  const share = 1 - tail / mask.length;
  return share < 0.002 || share > 0.98 ? undefined : { width, height, data: mask };
}

function borderPixels(width: number, height: number): number[] {
  const rowsAndColumns = [...Array(width).keys()].flatMap((x) => [x, x + width * (height - 1)]);
  return [...new Set([...rowsAndColumns, ...[...Array(height).keys()].flatMap((y) => [y * width, y * width + width - 1])])];
}

function median(levels: number[]): number {
  return levels.toSorted((a, b) => a - b)[levels.length >> 1]!;
}
