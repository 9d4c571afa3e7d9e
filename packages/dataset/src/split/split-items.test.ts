import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { type SplitItem, splitItems } from "./split-items.js";

function items(count: number, categories: number, clusterSize = 1): SplitItem[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `item-${index}`,
    category: `category-${Math.floor(index / clusterSize) % categories}`,
    cluster: `cluster-${Math.floor(index / clusterSize)}`,
  }));
}

function tests(sides: ReadonlyMap<string, string>, of: readonly SplitItem[]): number {
  return of.filter(({ key }) => sides.get(key) === "test").length;
}

describe("splitItems", () => {
  it("gives each category its tenth, and the whole exactly one", () => {
    const all = items(1000, 7);
    const sides = splitItems(all);
    expect(tests(sides, all)).toBe(100);
    for (let category = 0; category < 7; category++) {
      const own = all.filter((item) => item.category === `category-${category}`);
      expect([Math.floor(own.length / 10), Math.ceil(own.length / 10)]).toContain(tests(sides, own));
    }
  });

  it("gives the whole its tenth where no category is large enough for one", () => {
    const all = items(50, 25);
    expect(tests(splitItems(all), all)).toBe(5);
  });

  it("keeps clusters together", () => {
    const all = items(900, 4, 3);
    const sides = splitItems(all);
    for (let cluster = 0; cluster < 300; cluster++) {
      const own = all.filter((item) => item.cluster === `cluster-${cluster}`).map(({ key }) => sides.get(key));
      expect(new Set(own).size).toBe(1);
    }
    expect(tests(sides, all)).toBeGreaterThan(80);
    expect(tests(sides, all)).toBeLessThanOrEqual(90);
  });

  it("depends on seed and names, not on the order", () => {
    const all = items(200, 3);
    const entries = (sides: ReadonlyMap<string, string>) => [...sides].sort();
    expect(entries(splitItems([...all].reverse()))).toEqual(entries(splitItems(all)));
    expect(entries(splitItems(all, { seed: 1 }))).not.toEqual(entries(splitItems(all)));
  });

  it("leaves items where they were when others are added, and still reaches the share", () => {
    const before = items(300, 3);
    const earlier = splitItems(before);
    const all = items(600, 3);
    const sides = splitItems(all, { earlier });
    for (const { key } of before) expect(sides.get(key)).toBe(earlier.get(key));
    expect(tests(sides, all)).toBe(60);
  });

  it("puts a cluster that was on both sides to training", () => {
    const earlier = new Map([
      ["a", "train"],
      ["b", "test"],
    ] as const);
    const sides = splitItems(
      [
        { key: "a", category: "", cluster: "c" },
        { key: "b", category: "", cluster: "c" },
      ],
      { earlier, test: 1 },
    );
    expect([...sides.values()]).toEqual(["train", "train"]);
  });

  it("refuses shares out of range and keys that come twice", () => {
    expect(() => splitItems([], { test: 1.1 })).toThrow(ArgumentError);
    expect(() => splitItems([...items(2, 1), ...items(1, 1)])).toThrow(/item-0.*twice/);
  });
});
