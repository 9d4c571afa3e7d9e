// Which splats touch which tiles. A range of tiles is from `left` to below `right` and from `top` to below `bottom`.
import { MEAN_X, MEAN_Y, NARROWING, RECORD, SLOPE, TILE, WIDTH_SQUARED } from "./record";

const TILE_BITS = 4;

let clippedFirst: i32 = 0;
let clippedLast: i32 = 0;

/**
 * How many of the splats touch each tile, in counts (u32, one place late: their running sum gives where lists begin).
 *
 * ranges: four int16 each, first and last column, first and last row. Returns the sum.
 */
export function countTiles(records: usize, ranges: usize, count: i32, left: i32, right: i32, top: i32, bottom: i32, counts: usize): f64 {
  memory.fill(counts, 0, <usize>((right - left) * (bottom - top) + 1) << 2);
  let total: f64 = 0;
  for (let splat = 0; splat < count; splat++) total += <f64>visit(records, ranges, splat, left, right, top, bottom, counts + 4, 0);
  return total;
}

/**
 * Lists the splats of each tile, near to far, in lists (u32).
 *
 * order: positions of the splats from near to far; offsets: what countTiles counted, becomes where the lists begin (one more than tiles);
 * next: as many u32 for use in between.
 */
export function listTiles(
  records: usize,
  ranges: usize,
  order: usize,
  count: i32,
  left: i32,
  right: i32,
  top: i32,
  bottom: i32,
  offsets: usize,
  next: usize,
  lists: usize,
): void {
  const tiles = (right - left) * (bottom - top);
  let sum: u32 = 0;
  for (let tile = 0; tile <= tiles; tile++) {
    const entry = <usize>tile << 2;
    sum += load<u32>(offsets + entry);
    store<u32>(offsets + entry, sum);
    store<u32>(next + entry, sum);
  }
  for (let i = 0; i < count; i++) visit(records, ranges, load<u32>(order + (<usize>i << 2)), left, right, top, bottom, next, lists);
}

/**
 * Raises the number (u32 in entries) of every tile that a splat touches by 1. With lists, the splat is written to the place that the number
 * was. Returns how many tiles there are.
 */
// @ts-ignore: decorator
@inline
function visit(records: usize, ranges: usize, splat: u32, left: i32, right: i32, top: i32, bottom: i32, entries: usize, lists: usize): i32 {
  const at = ranges + (<usize>splat << 3);
  const firstColumn = max(left, <i32>load<i16>(at) >> TILE_BITS);
  const lastColumn = min(right - 1, <i32>load<i16>(at, 2) >> TILE_BITS);
  const firstRow = max(top, <i32>load<i16>(at, 4) >> TILE_BITS);
  const lastRow = min(bottom - 1, <i32>load<i16>(at, 6) >> TILE_BITS);
  let touched = 0;
  if (firstColumn <= lastColumn) {
    const slanted = lastColumn - firstColumn > 1 && lastRow > firstRow;
    for (let row = firstRow; row <= lastRow; row++) {
      clippedFirst = firstColumn;
      clippedLast = lastColumn;
      if (slanted) clipColumns(records + <usize>splat * RECORD, row, firstColumn, lastColumn);
      const base = (row - top) * (right - left) - left;
      for (let column = clippedFirst; column <= clippedLast; column++) {
        const entry = entries + (<usize>(base + column) << 2);
        const place = load<u32>(entry);
        store<u32>(entry, place + 1);
        if (lists != 0) store<u32>(lists + (<usize>place << 2), splat);
        touched++;
      }
    }
  }
  return touched;
}

/**
 * Narrows the columns to those that the ellipse outside which the splat is fainter than 1/255 can touch in a tile row (after Speedy-Splat,
 * arXiv 2412.00578): at height y off the centre it reaches from slope·y - h to slope·y + h, where h is largest at the y nearest to 0.
 */
function clipColumns(record: usize, row: i32, firstColumn: i32, lastColumn: i32): void {
  const x = <f64>load<f32>(record, MEAN_X) - 0.5;
  const first = <f64>(row * TILE) - (<f64>load<f32>(record, MEAN_Y) - 0.5);
  const last = first + <f64>(TILE - 1);
  const nearest = first > 0 ? first : last < 0 ? last : 0;
  const squared = <f64>load<f32>(record, WIDTH_SQUARED) - <f64>load<f32>(record, NARROWING) * nearest * nearest;
  // Not a number where a splat of absurd size overflows float32: all columns stay.
  if (squared < 0) {
    clippedLast = firstColumn - 1;
    return;
  }
  const half = sqrt<f64>(squared) + 0.05;
  const slope = <f64>load<f32>(record, SLOPE);
  const a = slope * first;
  const b = slope * last;
  const from = floor<f64>((x + (a < b ? a : b) - half) / <f64>TILE);
  const to = floor<f64>((x + (a < b ? b : a) + half) / <f64>TILE);
  if (from > <f64>firstColumn) clippedFirst = from > <f64>lastColumn ? lastColumn + 1 : <i32>from;
  if (to < <f64>lastColumn) clippedLast = to < <f64>firstColumn ? firstColumn - 1 : <i32>to;
}
