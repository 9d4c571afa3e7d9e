import { describe, expect, test } from "vitest";
import { random } from "../mini/random.js";
import { buildHashIndex, type Hashes } from "./hash-index.js";
import { bitCount, hashDistance, hashWords } from "./perceptual-hash.js";

/** Hashes of which many are a few bits from one another. */
function hashes(count: number, seed: string): Hashes {
  const draw = random(seed);
  const [high, low] = [new Uint32Array(count), new Uint32Array(count)];
  for (let at = 0; at < count; at++) {
    if (at > 0 && draw.chance(0.6)) {
      const other = draw.integer(0, at - 1);
      [high[at], low[at]] = [high[other]!, low[other]!];
      for (let flips = draw.integer(0, 12); flips > 0; flips--) {
        const bit = draw.integer(0, 63);
        if (bit < 32) low[at] = (low[at]! ^ (1 << bit)) >>> 0;
        else high[at] = (high[at]! ^ (1 << (bit - 32))) >>> 0;
      }
    } else [high[at], low[at]] = [draw.integer(0, 2 ** 32 - 1), draw.integer(0, 2 ** 32 - 1)];
  }
  return { high, low };
}

describe("buildHashIndex", () => {
  test.each([
    [4, 0],
    [4, 3],
    [4, 10],
    [3, 3],
    [3, 8],
    [4, 11],
  ])("%i bands find exactly what comparing all finds within %i bits, each once", (bands, radius) => {
    const all = hashes(1500, `index ${bands} ${radius}`);
    const index = buildHashIndex(all, bands);
    let pairs = 0;
    for (let query = 0; query < 300; query++) {
      const found: [number, number][] = [];
      index.search(all.high[query]!, all.low[query]!, radius, (entry, distance) => {
        found.push([entry, distance]);
        return undefined;
      });
      const expected: [number, number][] = [];
      for (let entry = 0; entry < 1500; entry++) {
        const distance = bitCount(all.high[entry]! ^ all.high[query]!) + bitCount(all.low[entry]! ^ all.low[query]!);
        if (distance <= radius) expected.push([entry, distance]);
      }
      expect(found.sort((a, b) => a[0] - b[0])).toEqual(expected);
      pairs += expected.length;
    }
    expect(pairs).toBeGreaterThan(radius === 0 ? 300 : 400);
  });

  test("stops when told to", () => {
    const same = { high: new Uint32Array(10), low: new Uint32Array(10) };
    let visits = 0;
    buildHashIndex(same).search(0, 0, 3, () => ++visits < 4);
    expect(visits).toBe(4);
  });

  test("refuses what it cannot hold", () => {
    expect(() => buildHashIndex({ high: new Uint32Array(2), low: new Uint32Array(3) })).toThrow("expected halves of equal number, got 2 and 3");
    expect(() => buildHashIndex({ high: new Uint32Array(2), low: new Uint32Array(2) }, 5)).toThrow("expected 3 or 4 bands, got 5");
    expect(() => buildHashIndex({ high: new Uint32Array(1), low: new Uint32Array(1) }).search(0, 0, -1, () => true)).toThrow("radius of 0 to 64");
  });
});

test("bits are counted and hashes read as written", () => {
  for (const [bits, ones] of [
    [0, 0],
    [1, 1],
    [0xffffffff, 32],
    [0x80000001, 2],
    [0x55555555, 16],
  ] as const)
    expect(bitCount(bits | 0)).toBe(ones);
  expect(hashWords("ffffffff00000001")).toEqual([0xffffffff, 1]);
  expect(hashDistance("ffffffff00000001", "7fffffff00000002")).toBe(3);
});
