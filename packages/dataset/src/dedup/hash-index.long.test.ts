import { expect, test } from "vitest";
import { buildHashIndex } from "./hash-index.js";

test("a million hashes: every planted neighbour within 3 bits is found, in seconds and 100 MB", { timeout: 300_000 }, () => {
  const count = 1_000_000;
  const [high, low] = [new Uint32Array(count), new Uint32Array(count)];
  let state = 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let at = 0; at < count; at++) [high[at], low[at]] = [next(), next()];
  // Every thousandth is the one before it with 0 to 3 bits turned.
  const planted: number[] = [];
  for (let at = 1000; at < count; at += 1000) {
    [high[at], low[at]] = [high[at - 1]!, low[at - 1]!];
    for (let flip = 0; flip < (at / 1000) % 4; flip++) {
      const bit = next() % 64;
      if (bit < 32) low[at] = (low[at]! ^ (1 << bit)) >>> 0;
      else high[at] = (high[at]! ^ (1 << (bit - 32))) >>> 0;
    }
    planted.push(at);
  }
  const before = process.memoryUsage().arrayBuffers;
  const started = performance.now();
  const index = buildHashIndex({ high, low });
  const built = performance.now();
  const bytes = process.memoryUsage().arrayBuffers - before;
  const pairs = new Set<number>();
  let matches = 0;
  for (let at = 0; at < count; at++)
    index.search(high[at]!, low[at]!, 3, (entry) => {
      if (entry < at) {
        matches++;
        if (entry === at - 1) pairs.add(at);
      }
      return undefined;
    });
  const searched = performance.now();
  console.log(
    `built in ${((built - started) / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(0)} MB; a million searches in ${((searched - built) / 1000).toFixed(1)} s`,
  );
  for (const at of planted) expect(pairs.has(at)).toBe(true);
  expect(matches).toBeLessThan(planted.length + 20);
  expect(bytes).toBeLessThan(1e8);
  expect(searched - started).toBeLessThan(120_000);
});
