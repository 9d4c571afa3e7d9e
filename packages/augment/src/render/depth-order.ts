import { type ProjectedSplats, record, recordLength } from "./project.js";

const bits = 11;
const buckets = 1 << bits;

/**
 * Positions of the projected splats from near to far; equal depths keep the order of the scene.
 *
 * Depths are positive, so the bits of their float32 sort as integers: three counting passes of 11 bits.
 */
export function depthOrder({ count, records }: Pick<ProjectedSplats, "count" | "records">): Uint32Array {
  const words = new Uint32Array(records.buffer, records.byteOffset, records.length);
  let keys = new Uint32Array(count);
  let order = new Uint32Array(count);
  let otherKeys = new Uint32Array(count);
  let otherOrder = new Uint32Array(count);
  const histograms = new Uint32Array(buckets * 3);
  for (let i = 0, at: number = record.depth; i < count; i++, at += recordLength) {
    const key = words[at]!;
    keys[i] = key;
    order[i] = i;
    histograms[key & (buckets - 1)]!++;
    histograms[buckets + ((key >>> bits) & (buckets - 1))]!++;
    histograms[2 * buckets + (key >>> (2 * bits))]!++;
  }
  for (let pass = 0; pass < 3; pass++) {
    const histogram = histograms.subarray(pass * buckets, (pass + 1) * buckets);
    const shift = pass * bits;
    let sum = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const here = histogram[bucket]!;
      histogram[bucket] = sum;
      sum += here;
    }
    for (let i = 0; i < count; i++) {
      const key = keys[i]!;
      const bucket = (key >>> shift) & (buckets - 1);
      const to = histogram[bucket]!;
      histogram[bucket] = to + 1;
      otherKeys[to] = key;
      otherOrder[to] = order[i]!;
    }
    [keys, otherKeys] = [otherKeys, keys];
    [order, otherOrder] = [otherOrder, order];
  }
  return order;
}
