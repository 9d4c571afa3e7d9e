import { describe, expect, it } from "vitest";
import { random } from "../../mini/random.js";
import type { ScoreColumn } from "../data.js";
import { summarise } from "../summary.js";
import { type MovableThreshold, thresholdData } from "./threshold-data.js";

function dataOf(columns: readonly ScoreColumn[], mostItems = 1e6) {
  const nothing = {
    title: "",
    stages: [],
    categories: [],
    rejections: [],
    failures: [],
    duplicates: { clusters: 0, items: 0, samples: [] },
    triplets: [],
    settings: {},
  };
  return thresholdData(columns, summarise({ ...nothing, scores: columns }).scores, mostItems);
}

/** As the page's script counts. */
function refusedAt({ side, edges, codes }: MovableThreshold, edge: number): number {
  const limit = side === "least" ? edge : edges.length - 1 - edge;
  return Buffer.from(codes, "base64").filter((code) => code <= limit).length;
}

const draw = random("threshold data");
const sets: readonly (readonly [string, readonly (number | null)[]])[] = [
  ["many values", Array.from({ length: 3000 }, () => draw.normal())],
  ["few values, many alike", Array.from({ length: 500 }, () => draw.integer(-2, 4))],
  ["values that are missing", Array.from({ length: 500 }, () => (draw.chance(0.3) ? null : draw.uniform() < 0.1 ? Number.NaN : draw.uniform()))],
  ["one value", [3, 3, 3]],
  ["outliers", [...Array.from({ length: 2000 }, () => draw.uniform()), 1e6, -1e6]],
  ["more different values than a byte tells", Array.from({ length: 6000 }, (_, index) => index)],
];

describe("thresholdData", () => {
  it.each(sets)("counts exactly at every place a threshold can take: %s", (_, values) => {
    for (const [side, set] of [
      ["least", 0.3],
      ["most", 0.3],
      ["least", 1],
      ["most", 1],
      ["least", undefined],
      ["most", undefined],
    ] as const) {
      const better = side === "least" ? "higher" : "lower";
      const { thresholds, shown, of } = dataOf([{ name: "x", better, values, ...(set !== undefined && { [side]: set }) }]);
      const [threshold] = thresholds;
      expect([thresholds.length, threshold!.side, shown, of]).toEqual([1, side, values.length, values.length]);
      expect(threshold!.edges.length).toBeLessThan(255);
      for (const [index, edge] of threshold!.edges.entries()) {
        const naive = values.filter((value) => value !== null && (side === "least" ? value < edge : value > edge)).length;
        expect(refusedAt(threshold!, index)).toBe(naive);
      }
      if (set !== undefined) expect(threshold!.edges[threshold!.at]).toBe(set);
      else expect(refusedAt(threshold!, threshold!.at)).toBe(0);
      expect([threshold!.places[0]! >= 0, threshold!.places.at(-1)! <= 1, [...threshold!.places].sort((a, b) => a - b)]).toEqual([
        true,
        true,
        threshold!.places,
      ]);
    }
  });

  it("takes every n-th item of many", () => {
    const values = Array.from({ length: 100_000 }, (_, index) => index);
    const { shown, of, thresholds } = dataOf([{ name: "x", better: "between", least: 25_000, most: 90_000, values }], 1000);
    expect([shown, of, thresholds.length]).toEqual([1000, 100_000, 2]);
    expect(thresholds.map((threshold) => refusedAt(threshold, threshold.at))).toEqual([250, 99]);
  });

  it("leaves out a score that no item has", () => {
    expect(dataOf([{ name: "x", better: "higher", least: 1, values: [null, null] }]).thresholds).toEqual([]);
    expect(dataOf([])).toEqual({ shown: 0, of: 0, thresholds: [] });
  });
});
