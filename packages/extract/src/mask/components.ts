import type { Mask } from "./mask.js";

/** The connected pieces of a mask. */
export interface Components {
  /** `[H, W]`: 0 outside, else the number of the piece, from 1. */
  readonly labels: Int32Array;
  /** Pixels of each piece; `areas[0]` is of what lies outside. */
  readonly areas: readonly number[];
}

/**
 * Labels the pieces of the pixels that have `value`.
 *
 * @param neighbours 4 or 8; pieces of ones are joined by corners (8), holes are not (4), else a diagonal line would be both open and closed
 */
export function components({ width, height, data }: Mask, value: 0 | 1, neighbours: 4 | 8): Components {
  const labels = new Int32Array(width * height);
  const areas = [0];
  const queue = new Int32Array(width * height);
  for (let start = 0; start < data.length; start++) {
    if (data[start] !== value || labels[start] !== 0) continue;
    const label = areas.length;
    let [head, tail] = [0, 0];
    const visit = (pixel: number) => {
      if (data[pixel] !== value || labels[pixel] !== 0) return;
      labels[pixel] = label;
      queue[tail++] = pixel;
    };
    visit(start);
    while (head < tail) {
      const pixel = queue[head++]!;
      const x = pixel % width;
      const [left, right, up, down] = [x > 0, x < width - 1, pixel >= width, pixel < width * (height - 1)];
      if (left) visit(pixel - 1);
      if (right) visit(pixel + 1);
      if (up) visit(pixel - width);
      if (down) visit(pixel + width);
      if (neighbours === 4) continue;
      if (left && up) visit(pixel - width - 1);
      if (right && up) visit(pixel - width + 1);
      if (left && down) visit(pixel + width - 1);
      if (right && down) visit(pixel + width + 1);
    }
    areas.push(tail);
  }
  areas[0] = data.length - areas.reduce((sum, area) => sum + area, 0);
  return { labels, areas };
}
