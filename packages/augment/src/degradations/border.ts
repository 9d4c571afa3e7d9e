/** Index of the pixel that stands for `i` beyond the ends: the edge itself is not repeated (OpenCV's reflect-101). */
export function reflect101(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const place = ((i % period) + period) % period;
  return place < length ? place : period - place;
}
