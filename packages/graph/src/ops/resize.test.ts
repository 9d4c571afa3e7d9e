import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { evaluate, expectClose, expectGraphError, float32, gaussian, reader, tabulate } from "./evaluate.test.support.js";
import { resizeNearest } from "./resize.js";

/** Where PyTorch 2.15.0 takes the source before ⌊i · in / out⌋, recorded from `torch.nn.functional.interpolate(size=…)` for the sizes below. */
const oneBefore: Readonly<Record<string, readonly number[]>> = {
  "2 to 82": [41],
  "3 to 123": [41, 82],
  "3 to 165": [55, 110],
  "4 to 82": [41],
  "6 to 74": [37],
  "6 to 123": [41, 82],
  "6 to 165": [55, 110],
  "12 to 74": [37],
  "12 to 123": [41, 82],
  "12 to 165": [55, 110],
};

describe("resizeNearest takes source index ⌊i · in / out⌋", () => {
  it.each([
    [
      [2, 3, 4, 5],
      [8, 10],
    ],
    [
      [2, 3, 4, 5],
      [12, 5],
    ],
    [
      [1, 2, 5, 9],
      [9, 17],
    ],
    [
      [2, 1, 10, 7],
      [20, 13],
    ],
    [
      [1, 2, 8, 6],
      [5, 4],
    ],
    [
      [1, 1, 3, 2],
      [10, 11],
    ],
    [
      [1, 1, 3, 5],
      [3, 5],
    ],
    [
      [1, 4, 7, 3],
      [21, 4],
    ],
  ])("%j to %j", async (dims, [height, width]) => {
    const x = gaussian("x", dims);
    const { y } = await evaluate({ x }, (inputs) => ({ y: resizeNearest(inputs.x!, { height: height!, width: width! }) }));
    const read = reader(x);
    const source = (index: number, from: number, to: number) => Math.floor((index * from) / to);
    expectClose(
      y,
      tabulate([dims[0]!, dims[1]!, height!, width!], (b, c, i, j) => read(b, c, source(i, dims[2]!, height!), source(j, dims[3]!, width!))),
      1e-12,
    );
  });

  it("for many pairs of sizes, as PyTorch rounds where i · in / out is whole", async () => {
    const sizes = [1, 2, 3, 4, 6, 7, 12, 18, 41, 49];
    const targets = [1, 3, 5, 14, 20, 49, 61, 74, 82, 98, 123, 165];
    const feeds = Object.fromEntries(sizes.map((size) => [`x${size}`, float32([1, 1, 1, size], Array(size).keys())]));
    const pairs = sizes.flatMap((from) => targets.map((to) => [from, to] as const));
    const results = await evaluate(feeds, (inputs) =>
      Object.fromEntries(pairs.map(([from, to]) => [`${from} to ${to}`, resizeNearest(inputs[`x${from}`]!, { height: 1, width: to })])),
    );
    for (const [from, to] of pairs) {
      const before = oneBefore[`${from} to ${to}`] ?? [];
      const expected = Array.from({ length: to }, (_, index) => Math.floor((index * from) / to) - (before.includes(index) ? 1 : 0));
      expect([...results[`${from} to ${to}`]!.data], `${from} to ${to}`).toEqual(expected);
    }
  });
});

describe("resizeNearest refuses", () => {
  const graph = new Graph("guards");
  const x = graph.input("x", "float32", [1, 2, 3, 4]);
  it.each<[string, () => unknown, RegExp]>([
    [
      "three dimensions",
      () => resizeNearest(graph.input("flat", "float32", [2, 3, 4]), { height: 3, width: 4 }),
      /resizeNearest: expected \[B, C, H, W\].*got \[2, 3, 4\]/,
    ],
    ["a size of 0", () => resizeNearest(x, { height: 0, width: 4 }), /got \[1, 2, 3, 4\] to 0 × 4/],
    ["half a pixel", () => resizeNearest(x, { height: 3, width: 4.5 }), /to 3 × 4.5/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
