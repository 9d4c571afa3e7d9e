import { type Kernel, kernelWith, type Layout, layoutFor, releaseKernel } from "./kernel.js";
import { type ProjectedSplats, recordLength } from "./project.js";

/** Side of a tile in pixels; also in kernel/render/record.ts. */
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

/**
 * Lists the splats of each tile, near to far.
 *
 * @param order splats from near to far.
 */
export function listTiles({ count, records, ranges }: Omit<ProjectedSplats, "index">, order: Uint32Array, range: TileRange): TileLists {
  const layout = layoutFor(count, recordLength * 4);
  const kernel = kernelWith(layout.end);
  const { buffer } = kernel.memory;
  new Float32Array(buffer, layout.records).set(records.subarray(0, count * recordLength));
  new Int16Array(buffer, layout.ranges).set(ranges.subarray(0, count * 4));
  new Uint32Array(buffer, layout.order).set(order);
  const { offsets, lists, total } = listTilesInto(kernel, layout, count, range, Number.POSITIVE_INFINITY)!;
  const found = {
    offsets: offsets.slice(),
    splats: new Uint32Array(kernel.memory.buffer, lists, total).slice(),
  };
  releaseKernel();
  return found;
}

/**
 * `listTiles` in the kernel's memory, of records that were sorted.
 *
 * @param most entries of lists.
 * @returns where the lists begin, undefined if there would be more entries.
 */
export function listTilesInto(
  kernel: Kernel,
  { records, ranges, order, free }: Layout,
  count: number,
  { left, right, top, bottom }: TileRange,
  most: number,
): { readonly offsets: Uint32Array; readonly lists: number; readonly total: number } | undefined {
  const tiles = (right - left) * (bottom - top);
  const next = free + (tiles + 1) * 4;
  const lists = next + (tiles + 1) * 4;
  kernelWith(lists);
  const total = kernel.countTiles(records, ranges, count, left, right, top, bottom, free);
  if (total > most) return undefined;
  kernelWith(lists + total * 4);
  kernel.listTiles(records, ranges, order, count, left, right, top, bottom, free, next, lists);
  // Growing the memory detaches every view of it, so that this one is made last.
  return { offsets: new Uint32Array(kernel.memory.buffer, free, tiles + 1), lists, total };
}
