import { describe, expect, test } from "vitest";
import { scoreNames } from "../score/names.js";
import { applyThresholds, checkThresholds, countThresholds, defaultThresholds } from "./thresholds.js";

const fine = { shortSide: 512, effectiveSide: 400, aspect: 1.3, watermark: 0.1, textOutside: 0, occlusion: 0.2, blur: 0.2 };

describe("applyThresholds", () => {
  test("limits themselves pass; what lies beyond is left out with a code and a sentence", () => {
    const thresholds = [
      { score: "shortSide", least: 200, code: "low-resolution" },
      { score: "aspect", most: 3 },
    ];
    expect(applyThresholds({ shortSide: 200, aspect: 3 }, thresholds)).toEqual([]);
    expect(applyThresholds({ shortSide: 199, aspect: 3.01 }, thresholds)).toEqual([
      { code: "low-resolution", message: "the shorter side of the picture (shortSide) is 199 px, below 200" },
      { code: "aspect", message: "the longer side over shorter side (aspect) is 3.01, above 3" },
    ]);
  });

  test("two limits make a range", () => {
    const range = [{ score: "brightness", least: 0.2, most: 0.8 }];
    expect([0.1, 0.2, 0.5, 0.8, 0.9].map((brightness) => applyThresholds({ brightness }, range).length)).toEqual([1, 0, 0, 0, 1]);
  });

  test("what was not measured is not held against a picture", () => {
    expect(applyThresholds({})).toEqual([]);
    expect(applyThresholds({ jpegQuality: null, occlusion: null })).toEqual([]);
  });

  test("the defaults are thresholds, and a fine picture passes them", () => {
    expect(() => checkThresholds("test", defaultThresholds)).not.toThrow();
    expect(applyThresholds(fine)).toEqual([]);
    expect(
      applyThresholds({ ...fine, watermark: 1, textOutside: 5, occlusion: 1, blur: 3, effectiveSide: 60 })
        .map(({ code }) => code)
        .sort(),
    ).toEqual(["blur", "low-resolution", "occlusion", "text", "watermark"]);
  });

  test("refuses unknown scores, no limits, broken limits and codes", () => {
    const refused = (threshold: object) => () => applyThresholds(fine, [threshold as never]);
    expect(refused({ score: "beauty", least: 1 })).toThrow(`one of ${scoreNames[0]!.name}`);
    expect(refused({ score: "aspect" })).toThrow("least or most for aspect, got neither");
    expect(refused({ score: "aspect", most: Number.NaN })).toThrow("finite numbers, got NaN");
    expect(refused({ score: "aspect", least: 2, most: 1 })).toThrow("least of aspect to be at most 1, got 2");
    expect(refused({ score: "aspect", most: 1, code: "a b" })).toThrow('got "a b"');
  });
});

describe("countThresholds", () => {
  const thresholds = [
    { score: "shortSide", least: 200 },
    { score: "aspect", most: 2 },
  ];
  const items = [
    { key: "a", category: "Cup", scores: { shortSide: 100, aspect: 1 } },
    { key: "b", category: "Cup", scores: { shortSide: 100, aspect: 3 } },
    { key: "c", category: "Bottle", scores: { shortSide: 300, aspect: null } },
    { key: "d", scores: { shortSide: 300, aspect: 1 } },
  ];

  test("counts what each would reject, alone or with others, and what it does not know", () => {
    expect(countThresholds(items, thresholds)).toEqual({
      total: 4,
      kept: 2,
      thresholds: [
        { threshold: thresholds[0], rejected: 2, alone: 1, unknown: 0 },
        { threshold: thresholds[1], rejected: 1, alone: 0, unknown: 1 },
      ],
      categories: [
        { category: "", total: 1, kept: 1, rejected: [0, 0] },
        { category: "Bottle", total: 1, kept: 1, rejected: [0, 0] },
        { category: "Cup", total: 2, kept: 0, rejected: [2, 1] },
      ],
    });
  });

  test("agrees with applyThresholds", () => {
    const { kept } = countThresholds(items, thresholds);
    expect(items.filter(({ scores }) => applyThresholds(scores, thresholds).length === 0).length).toBe(kept);
  });

  test("of nothing is nothing", () => {
    expect(countThresholds([], thresholds)).toMatchObject({ total: 0, kept: 0, categories: [] });
  });
});
