import { ArgumentError } from "@refadgen/errors";
import { bitCount } from "./perceptual-hash.js";

/** 64-bit hashes in two halves each; numbers of entries are their places. */
export interface Hashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

export interface HashIndex {
  readonly size: number;
  /**
   * Visits every entry within `radius` bits of a hash, each once, with its distance: none is missed (M. Norouzi, A. Punjani and D. Fleet, "Fast search
   * in Hamming space with multi-index hashing", 2012). Return false to stop.
   */
  search(high: number, low: number, radius: number, visit: (entry: number, distance: number) => boolean | undefined): void;
}

/**
 * Hashes sorted by each of `bands` groups of their bits. Two hashes that differ in at most r bits agree, in at least one of b bands, in all but r / b bits:
 * with 4 bands and r = 3 in one whole band, so that a search reads 4 buckets. Takes 12 bytes per hash and band, and the heads of the buckets.
 *
 * @param bands 3 or 4; more bits per band are fewer hashes per bucket, but more buckets for wide radii. Default 4
 * @throws ArgumentError
 */
export function buildHashIndex({ high, low }: Hashes, bands: number = 4): HashIndex {
  if (high.length !== low.length) throw new ArgumentError(`buildHashIndex: expected halves of equal number, got ${high.length} and ${low.length}`);
  if (bands !== 3 && bands !== 4) throw new ArgumentError(`buildHashIndex: expected 3 or 4 bands, got ${bands}`);
  const size = high.length;
  const layout = bands === 4 ? quarters : thirds;
  const tables = layout.map(({ bits, of }) => {
    const heads = new Uint32Array(2 ** bits + 1);
    for (let entry = 0; entry < size; entry++) heads[of(high[entry]!, low[entry]!) + 1]!++;
    for (let bucket = 0; bucket < 2 ** bits; bucket++) heads[bucket + 1]! += heads[bucket]!;
    const next = heads.slice();
    const entries = new Uint32Array(size);
    const highs = new Uint32Array(size);
    const lows = new Uint32Array(size);
    for (let entry = 0; entry < size; entry++) {
      const slot = next[of(high[entry]!, low[entry]!)]!++;
      entries[slot] = entry;
      highs[slot] = high[entry]!;
      lows[slot] = low[entry]!;
    }
    return { bits, of, heads, entries, highs, lows };
  });
  return {
    size,
    search(h, l, radius, visit) {
      if (!(Number.isInteger(radius) && radius >= 0 && radius <= 64))
        throw new ArgumentError(`search: expected a radius of 0 to 64, got ${String(radius)}`);
      const flips = Math.floor(radius / bands);
      for (const [band, { bits, of, heads, entries, highs, lows }] of tables.entries()) {
        const own = of(h, l);
        for (const mask of masksOf(bits, Math.min(flips, bits))) {
          const bucket = own ^ mask;
          for (let slot = heads[bucket]!, end = heads[bucket + 1]!; slot < end; slot++) {
            const [dh, dl] = [highs[slot]! ^ h, lows[slot]! ^ l];
            const distance = bitCount(dh) + bitCount(dl);
            if (distance > radius) continue;
            // An earlier band has shown it already.
            let seen = false;
            for (let before = 0; before < band && !seen; before++) seen = bitCount(tables[before]!.of(dh, dl)) <= flips;
            if (!seen && visit(entries[slot]!, distance) === false) return;
          }
        }
      }
    },
  };
}

interface Band {
  readonly bits: number;
  /** The band's bits of a hash; of the difference of two hashes, their difference in it. */
  of(high: number, low: number): number;
}

const quarters: readonly Band[] = [
  { bits: 16, of: (high) => high >>> 16 },
  { bits: 16, of: (high) => high & 0xffff },
  { bits: 16, of: (_high, low) => low >>> 16 },
  { bits: 16, of: (_high, low) => low & 0xffff },
];

const thirds: readonly Band[] = [
  { bits: 21, of: (high) => high >>> 11 },
  { bits: 22, of: (high, low) => ((high & 0x7ff) << 11) | (low >>> 21) },
  { bits: 21, of: (_high, low) => low & 0x1fffff },
];

const masks = new Map<number, Uint32Array>();

/** Every way to flip at most `flips` of `bits` bits, fewest first. */
function masksOf(bits: number, flips: number): Uint32Array {
  const known = masks.get(bits * 64 + flips);
  if (known) return known;
  const found: number[] = [0];
  let last = [{ mask: 0, from: 0 }];
  for (let round = 0; round < flips; round++) {
    const next: typeof last = [];
    for (const { mask, from } of last) for (let bit = from; bit < bits; bit++) next.push({ mask: mask | (1 << bit), from: bit + 1 });
    for (const { mask } of next) found.push(mask);
    last = next;
  }
  const all = Uint32Array.from(found);
  masks.set(bits * 64 + flips, all);
  return all;
}
