import { expect, it } from "vitest";
import { interleave, ratios } from "./contestant.js";
import { median } from "./statistics.js";

it("lets everybody have a turn in every round, moves the first one on, and reads the rate between turns", async () => {
  const turns: string[] = [];
  const contestant = (name: string, seconds: number) => ({
    name,
    step: async () => {
      turns.push(name);
      return seconds;
    },
    dispose: async () => {},
  });
  let rate = 0;
  const readings = await interleave([contestant("a", 2), contestant("b", 3), contestant("c", 5)], {
    rounds: 2,
    firstRound: 0,
    rate: async () => rate++,
    onReading: () => {},
  });
  expect(turns).toEqual(["a", "b", "c", "b", "c", "a"]);
  expect(readings.map(({ matrixRate }) => matrixRate)).toEqual([0.5, 1.5, 2.5, 4.5, 5.5, 6.5]);
  expect(ratios(readings, "b", "a")).toEqual([1.5, 1.5]);
  expect(ratios(readings, "b", "d")).toEqual([]);
});

it("takes the middle", () => {
  expect(median([9, 1, 4])).toBe(4);
  expect(median([9, 1, 4, 2])).toBe(3);
  expect(() => median([])).toThrow("got none");
});
