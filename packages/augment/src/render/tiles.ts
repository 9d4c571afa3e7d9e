import { type ProjectedSplats, record, recordLength } from "./project.js";

/** Side of a tile in pixels; also in kernel/blend.ts. */
export const tileSize = 16;

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

/** Columns of a tile row that a splat touches. */
interface Columns {
  first: number;
  last: number;
}

/**
 * How many splats touch each tile; the counts stand one place late, so that their running sum gives the offsets.
 *
 * @param order splats from near to far.
 */
export function countTiles(projected: ProjectedSplats, order: Uint32Array, range: TileRange): Uint32Array {
  const width = range.right - range.left;
  const counts = new Uint32Array(width * (range.bottom - range.top) + 1);
  forEachTile(projected, order, range, (_splat, tile) => {
    counts[tile + 1]!++;
  });
  return counts;
}

/**
 * Lists the splats of each tile, near to far.
 *
 * @param counts as `countTiles` gives them; becomes the offsets.
 * @param splats where the lists go; at least as long as the sum of the counts.
 */
export function listTiles(projected: ProjectedSplats, order: Uint32Array, range: TileRange, counts: Uint32Array, splats: Uint32Array): TileLists {
  for (let tile = 1; tile < counts.length; tile++) counts[tile]! += counts[tile - 1]!;
  const next = counts.slice();
  forEachTile(projected, order, range, (splat, tile) => {
    const at = next[tile]!;
    splats[at] = splat;
    next[tile] = at + 1;
  });
  return { offsets: counts, splats: splats.subarray(0, counts[counts.length - 1]) };
}

function forEachTile(
  { records }: ProjectedSplats,
  order: Uint32Array,
  { left, right, top, bottom }: TileRange,
  visit: (splat: number, tile: number) => void,
): void {
  const width = right - left;
  const columns: Columns = { first: 0, last: 0 };
  for (let i = 0; i < order.length; i++) {
    const splat = order[i]!;
    const at = splat * recordLength;
    const x = records[at + record.meanX]! - 0.5;
    const y = records[at + record.meanY]! - 0.5;
    const reachX = records[at + record.extentX]!;
    const reachY = records[at + record.extentY]!;
    const firstColumn = Math.max(left, Math.floor((x - reachX) / tileSize));
    const lastColumn = Math.min(right - 1, Math.floor((x + reachX) / tileSize));
    const firstRow = Math.max(top, Math.floor((y - reachY) / tileSize));
    const lastRow = Math.min(bottom - 1, Math.floor((y + reachY) / tileSize));
    if (firstColumn > lastColumn || firstRow > lastRow) continue;
    const slanted = lastColumn - firstColumn > 1 && lastRow > firstRow;
    for (let row = firstRow; row <= lastRow; row++) {
      columns.first = firstColumn;
      columns.last = lastColumn;
      if (slanted) clipColumns(records, at, row, columns);
      const base = (row - top) * width - left;
      for (let column = columns.first; column <= columns.last; column++) visit(splat, base + column);
    }
  }
}

/**
 * Narrows the columns to those that the ellipse A·x² + 2B·x·y + C·y² = t, outside which the splat is fainter than 1/255, touches between the
 * first and the last pixel row of a tile row (after Speedy-Splat, arXiv 2412.00578).
 */
function clipColumns(records: Float32Array, at: number, row: number, columns: Columns): void {
  const a = records[at + record.conicA]!;
  const b = records[at + record.conicB]!;
  const c = records[at + record.conicC]!;
  const determinant = a * c - b * b;
  // A needle: the difference has no digits left, so its box must do.
  if (!(determinant > 1e-3 * a * c)) return;
  const t = 2 * Math.log(255 * records[at + record.opacity]!) * 1.001 + 0.01;
  const reachX = records[at + record.extentX]!;
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
    columns.last = columns.first - 1;
    return;
  }
  const pad = 0.05 + 1e-3 * reachX;
  if (right >= 0) columns.last = Math.min(columns.last, Math.floor((x + (Math.sqrt(right) - b * yRight) / a + pad) / tileSize));
  if (left >= 0) columns.first = Math.max(columns.first, Math.floor((x + (-Math.sqrt(left) - b * yLeft) / a - pad) / tileSize));
}
