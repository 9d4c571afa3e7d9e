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
export function countTiles({ count, records, ranges }: Pick<ProjectedSplats, "count" | "records" | "ranges">, range: TileRange): Uint32Array {
  const { left, right, top, bottom } = range;
  const width = right - left;
  const counts = new Uint32Array(width * (bottom - top) + 1);
  const clipped = new Int32Array(2);
  for (let splat = 0, at = 0; splat < count; splat++, at += 4) {
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
  { records, ranges }: Pick<ProjectedSplats, "records" | "ranges">,
  order: Uint32Array,
  range: TileRange,
  counts: Uint32Array,
  splats: Uint32Array,
): TileLists {
  const { left, right, top, bottom } = range;
  const width = right - left;
  for (let tile = 1; tile < counts.length; tile++) counts[tile]! += counts[tile - 1]!;
  const next = counts.slice();
  const clipped = new Int32Array(2);
  for (let i = 0; i < order.length; i++) {
    const splat = order[i]!;
    const at = splat * 4;
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
 * Narrows the columns to those that the ellipse outside which the splat is fainter than 1/255 can touch in a tile row (after Speedy-Splat,
 * arXiv 2412.00578): at height y off the centre it reaches from slope·y - h to slope·y + h, where h is largest at the y nearest to 0.
 */
function clipColumns(records: Float32Array, at: number, row: number, firstColumn: number, lastColumn: number, clipped: Int32Array): void {
  const x = records[at + record.meanX]! - 0.5;
  const first = row * tileSize - (records[at + record.meanY]! - 0.5);
  const last = first + tileSize - 1;
  const nearest = first > 0 ? first : Math.min(last, 0);
  const squared = records[at + record.widthSquared]! - records[at + record.narrowing]! * nearest * nearest;
  if (squared < 0) {
    clipped[0] = firstColumn;
    clipped[1] = firstColumn - 1;
    return;
  }
  const half = Math.sqrt(squared) + 0.05;
  const slope = records[at + record.slope]!;
  const left = Math.min(slope * first, slope * last) - half;
  const right = Math.max(slope * first, slope * last) + half;
  clipped[0] = Math.max(firstColumn, Math.floor((x + left) / tileSize));
  clipped[1] = Math.min(lastColumn, Math.floor((x + right) / tileSize));
}
