// Splats from near to far.
import { DEPTH, RECORD } from "./record";

const BITS: u32 = 11;
const BUCKETS: u32 = 1 << BITS;

/**
 * Sorts positions of records by depth; equal depths keep their order. Depths are positive, so the bits of their float32 sort as integers: three
 * counting passes of 11 bits, the last from `keys`, `from` to `to`.
 *
 * keys, otherKeys, from, to: count u32 each; histograms: 3 × 2048 u32.
 */
export function sortByDepth(records: usize, count: i32, keys: usize, otherKeys: usize, from: usize, to: usize, histograms: usize): void {
  memory.fill(histograms, 0, 3 * BUCKETS * 4);
  for (let i = 0; i < count; i++) {
    const key = load<u32>(records + <usize>i * RECORD + DEPTH);
    store<u32>(keys + (<usize>i << 2), key);
    store<u32>(from + (<usize>i << 2), i);
    countOne(histograms, key & (BUCKETS - 1));
    countOne(histograms, BUCKETS + ((key >> BITS) & (BUCKETS - 1)));
    countOne(histograms, 2 * BUCKETS + (key >> (2 * BITS)));
  }
  pass(keys, from, otherKeys, to, count, histograms, 0);
  pass(otherKeys, to, keys, from, count, histograms + BUCKETS * 4, BITS);
  pass(keys, from, otherKeys, to, count, histograms + 2 * BUCKETS * 4, 2 * BITS);
}

// @ts-ignore: decorator
@inline
function countOne(histograms: usize, bucket: u32): void {
  const at = histograms + (<usize>bucket << 2);
  store<u32>(at, load<u32>(at) + 1);
}

function pass(keys: usize, order: usize, otherKeys: usize, otherOrder: usize, count: i32, histogram: usize, shift: u32): void {
  let sum: u32 = 0;
  for (let bucket: usize = 0; bucket < BUCKETS; bucket++) {
    const here = load<u32>(histogram + (bucket << 2));
    store<u32>(histogram + (bucket << 2), sum);
    sum += here;
  }
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize>i << 2));
    const next = histogram + (<usize>((key >> shift) & (BUCKETS - 1)) << 2);
    const to = <usize>load<u32>(next);
    store<u32>(next, <u32>to + 1);
    store<u32>(otherKeys + (to << 2), key);
    store<u32>(otherOrder + (to << 2), load<u32>(order + (<usize>i << 2)));
  }
}
