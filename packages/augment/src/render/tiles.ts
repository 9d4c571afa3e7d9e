import { type ProjectedSplats, record, recordLength } from "./project.js";

/** Side of a tile in pixels; also in kernel/blend.ts. */
export const tileSize = 16;
const tileBits = 4;

/** Tiles from `left` to below `right` and from `top` to below `bottom`. */
export interface TileRange {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Which splats touch which tiles of a range. */
export interface TileLists {
  /** [tiles + 1], row by row: the list of tile t is `splats` from offsets[t] to below offsets[t + 1]. */
  readonly offsets: Uint32Array;
  /** Positions among the projected splats, near to far within each tile. */
  readonly splats: Uint32Array;
}

/** How many splats touch each tile; the counts stand one place late, so that their running sum gives the offsets. */
export function countTiles({ count, records }: Pick<ProjectedSplats, "count" | "records">, range: TileRange): Uint32Array {
  const { left, right, top, bottom } = range;
  const width = right - left;
  const counts = new Uint32Array(width * (bottom - top) + 1);
  const ranges = new Int16Array(records.buffer, records.byteOffset, records.length * 2);
  const clipped = new Int32Array(2);
  for (let splat = 0, at = record.columns * 2; splat < count; splat++, at += recordLength * 2) {
    const firstColumn = Math.max(left, ranges[at]! >> tileBits);
    const lastColumn = Math.min(right - 1, ranges[at + 1]! >> tileBits);
    const firstRow = Math.max(top, ranges[at + 2]! >> tileBits);
    const lastRow = Math.min(bottom - 1, ranges[at + 3]! >> tileBits);
    if (firstColumn > lastColumn) continue;
    const slanted = lastColumn - firstColumn > 1 && lastRow > firstRow;
    for (let row = firstRow; row <= lastRow; row++) {
      const base = (row - top) * width - left + 1;
      if (slanted) {
        clipColumns(records, splat * recordLength, row, firstColumn, lastColumn, clipped);
        for (let column = clipped[0]!; column <= clipped[1]!; column++) counts[base + column]!++;
      } else {
        for (let column = firstColumn; column <= lastColumn; column++) counts[base + column]!++;
      }
    }
  }
  return counts;
}

/**
 * Lists the splats of each tile, near to far.
 *
 * @param order splats from near to far.
 * @param counts as `countTiles` gives them; becomes the offsets.
 * @param splats where the lists go; at least as long as the sum of the counts.
 */
export function listTiles(
  { records }: Pick<ProjectedSplats, "records">,
  order: Uint32Array,
  range: TileRange,
  counts: Uint32Array,
  splats: Uint32Array,
): TileLists {
  const { left, right, top, bottom } = range;
  const width = right - left;
  for (let tile = 1; tile < counts.length; tile++) counts[tile]! += counts[tile - 1]!;
  const next = counts.slice();
  const ranges = new Int16Array(records.buffer, records.byteOffset, records.length * 2);
  const clipped = new Int32Array(2);
  for (let i = 0; i < order.length; i++) {
    const splat = order[i]!;
    const at = (splat * recordLength + record.columns) * 2;
    const firstColumn = Math.max(left, ranges[at]! >> tileBits);
    const lastColumn = Math.min(right - 1, ranges[at + 1]! >> tileBits);
    const firstRow = Math.max(top, ranges[at + 2]! >> tileBits);
    const lastRow = Math.min(bottom - 1, ranges[at + 3]! >> tileBits);
    if (firstColumn > lastColumn) continue;
    const slanted = lastColumn - firstColumn > 1 && lastRow > firstRow;
    for (let row = firstRow; row <= lastRow; row++) {
      const base = (row - top) * width - left;
      let first = firstColumn;
      let last = lastColumn;
      if (slanted) {
        clipColumns(records, splat * recordLength, row, firstColumn, lastColumn, clipped);
        first = clipped[0]!;
        last = clipped[1]!;
      }
      for (let column = first; column <= last; column++) {
        const to = next[base + column]!;
        splats[to] = splat;
        next[base + column] = to + 1;
      }
    }
  }
  return { offsets: counts, splats: splats.subarray(0, counts[counts.length - 1]) };
}

/**
 * Narrows the columns to those that the ellipse A·x² + 2B·x·y + C·y² = t, outside which the splat is fainter than 1/255, touches between the
 * first and the last pixel row of a tile row (after Speedy-Splat, arXiv 2412.00578).
 */
function clipColumns(records: Float32Array, at: number, row: number, firstColumn: number, lastColumn: number, clipped: Int32Array): void {
  const a = records[at + record.conicA]!;
  const b = records[at + record.conicB]!;
  const c = records[at + record.conicC]!;
  clipped[0] = firstColumn;
  clipped[1] = lastColumn;
  const determinant = a * c - b * b;
  // A needle: the difference has no digits left, so its box must do.
  if (!(determinant > 1e-3 * a * c)) return;
  const t = 2 * Math.log(255 * records[at + record.opacity]!) * 1.001 + 0.01;
  const reachX = Math.sqrt((t * c) / determinant);
  const x = records[at + record.meanX]! - 0.5;
  const first = row * tileSize - (records[at + record.meanY]! - 0.5);
  const last = first + tileSize - 1;
  // The rightmost point of the ellipse lies at y = slope·reachX, the leftmost opposite; the boundary falls off on both sides of it.
  const slope = -b / c;
  const yRight = Math.min(Math.max(slope * reachX, first), last);
  const yLeft = Math.min(Math.max(-slope * reachX, first), last);
  const right = a * t - determinant * yRight * yRight;
  const left = a * t - determinant * yLeft * yLeft;
  if (right < 0 && left < 0) {
    clipped[1] = firstColumn - 1;
    return;
  }
  const pad = 0.05 + 1e-3 * reachX;
  if (right >= 0) clipped[1] = Math.min(lastColumn, Math.floor((x + (Math.sqrt(right) - b * yRight) / a + pad) / tileSize));
  if (left >= 0) clipped[0] = Math.max(firstColumn, Math.floor((x + (-Math.sqrt(left) - b * yLeft) / a - pad) / tileSize));
}
