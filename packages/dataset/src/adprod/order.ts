import { parameterGenerator } from "@refadgen/augment";
import { ArgumentError } from "@refadgen/errors";

/**
 * - `none` as the rows lie
 * - `full` every order of the rows is possible; rows are read from anywhere
 * - a buffer of some rows: the shards come in another order, and a row at most about so many places from where it lies in them, so that files are
 *   read nearly from their beginning to their end
 */
export type Shuffle = "none" | "full" | { readonly buffer: number };

export interface EpochOrder {
  /** How many rows lie together, in order: those of a shard. */
  readonly runs: readonly number[];
  readonly shuffle: Shuffle;
  readonly seed: number | string;
  readonly epoch: number;
}

/**
 * The numbers of all rows in the order of an epoch: each once, decided by nothing but the arguments.
 *
 * @throws ArgumentError
 */
export function epochOrder({ runs, shuffle, seed, epoch }: EpochOrder): Uint32Array {
  const rows = Uint32Array.from({ length: runs.reduce((sum, count) => sum + count, 0) }, (_, row) => row);
  if (shuffle === "none") return rows;
  const draw = parameterGenerator({ seed, item: "order", variant: epoch });
  if (shuffle === "full") return permuted(rows, draw.index);
  const buffer = typeof shuffle === "object" ? shuffle?.buffer : undefined;
  if (buffer === undefined || !Number.isSafeInteger(buffer) || buffer < 1)
    throw new ArgumentError(`epochOrder: expected shuffle "none", "full" or a buffer of at least one row, got ${JSON.stringify(shuffle)}`);
  return buffered(byShards(rows, runs, draw.index), buffer, draw.index);
}

/** Fisher and Yates. */
function permuted<T extends Uint32Array | number[]>(values: T, draw: (count: number) => number): T {
  for (let last = values.length - 1; last > 0; last--) {
    const other = draw(last + 1);
    const value = values[last]!;
    values[last] = values[other]!;
    values[other] = value;
  }
  return values;
}

function byShards(rows: Uint32Array, runs: readonly number[], draw: (count: number) => number): Uint32Array {
  const starts: number[] = [];
  let start = 0;
  for (const count of runs) {
    starts.push(start);
    start += count;
  }
  const ordered = new Uint32Array(rows.length);
  let filled = 0;
  const shards = permuted(
    runs.map((_, shard) => shard),
    draw,
  );
  for (const shard of shards) {
    ordered.set(rows.subarray(starts[shard]!, starts[shard]! + runs[shard]!), filled);
    filled += runs[shard]!;
  }
  return ordered;
}

/** A buffer is filled from the front of the line; whatever place of it is drawn leaves, and the next in line takes its place. */
function buffered(rows: Uint32Array, size: number, draw: (count: number) => number): Uint32Array {
  const held = [...rows.subarray(0, size)];
  const out = new Uint32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const place = draw(held.length);
    out[at] = held[place]!;
    const next = at + size;
    if (next < rows.length) held[place] = rows[next]!;
    else held[place] = held[held.length - 1]!;
    if (next >= rows.length) held.pop();
  }
  return out;
}

/** Which of several machines or processes reads. */
export interface Rank {
  /** 0 to count - 1. */
  readonly index: number;
  readonly count: number;
  /**
   * `keep` (default): every row goes to one rank, so that some have one more than others. `drop`: all have the same number, and up to
   * count - 1 rows are left out in this epoch, others in the next.
   */
  readonly uneven?: "keep" | "drop";
}

/** Every `count`-th row of an epoch's order: ranks share nothing, and together have everything. */
export function rowsOfRank(order: Uint32Array, { index, count, uneven = "keep" }: Rank): Uint32Array {
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(index) || index < 0 || index >= count)
    throw new ArgumentError(`rowsOfRank: expected rank 0 to ${count - 1} of ${count}, got ${index}`);
  const end = uneven === "drop" ? order.length - (order.length % count) : order.length;
  return order.subarray(0, end).filter((_, at) => at % count === index);
}
