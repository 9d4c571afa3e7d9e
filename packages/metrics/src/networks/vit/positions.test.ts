import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { fixture, worst } from "../recorded.test-support.js";
import { positionWeights } from "./positions.js";

interface Case {
  readonly trained: number;
  readonly down: number;
  readonly across: number;
  /** `[trained², 2]`; absent: one channel, sin(0.3 row) + 0.1 column². */
  readonly positions?: readonly number[];
  readonly values: readonly number[];
}

// torch.nn.functional.interpolate(mode="bicubic", scale_factor=((n + 0.1) / trained, …)), PyTorch 2.15.
const cases: readonly Case[] = JSON.parse(await readFile(fixture("positions.json"), "utf8"));

test.each(cases)("$trained² positions moved to $down × $across are PyTorch's", ({ trained, down, across, positions, values }) => {
  const smooth = Array.from({ length: trained ** 2 }, (_, i) => Math.sin(0.3 * Math.floor(i / trained)) + 0.1 * (i % trained) ** 2);
  const [table, channels] = positions ? [positions, 2] : [smooth, 1];
  const weights = positionWeights(trained, { down, across });
  const moved = Array.from({ length: down * across * channels }, (_, at) => {
    const [place, channel] = [Math.floor(at / channels), at % channels];
    let sum = 0;
    for (let from = 0; from < trained ** 2; from++) sum += weights[place * trained ** 2 + from]! * table[from * channels + channel]!;
    return sum;
  });
  expect(worst(moved, values)).toBeLessThan(2e-5);
});

test("weights of every position sum to 1", () => {
  const weights = positionWeights(14, { down: 9, across: 31 });
  for (let place = 0; place < 9 * 31; place++) {
    const sum = weights.subarray(place * 196, (place + 1) * 196).reduce((total, weight) => total + weight, 0);
    expect(sum).toBeCloseTo(1, 6);
  }
});
