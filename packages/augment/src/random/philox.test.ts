import { describe, expect, test } from "vitest";
import { parameterGenerator } from "./generator.js";
import { philox } from "./philox.js";

describe("philox", () => {
  // The known answers of Random123 (kat_vectors, philox4x32 10).
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)("known answer %#", (counter, key, answer) => {
    expect(philox(counter, key)).toEqual(answer);
  });
});

describe("parameterGenerator", () => {
  test("has the moments of its distributions", () => {
    const generator = parameterGenerator({ seed: 1 });
    const count = 20_000;
    const normals = Array.from({ length: count }, () => generator.normal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / count;
    const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    const sums = [0, 0, 0];
    for (let i = 0; i < count; i++) sums[generator.index(3)]!++;
    for (const sum of sums) expect(Math.abs(sum - count / 3)).toBeLessThan(4 * Math.sqrt(count * (2 / 9)));
  });

  test("each part of the key makes another stream", () => {
    const keys = [{ seed: 1 }, { seed: "1" }, { seed: 1, item: "a" }, { seed: 1, variant: 1 }, { seed: 1, transform: "a" }];
    const first = keys.map((key) => parameterGenerator(key).uniform());
    expect(new Set(first).size).toBe(keys.length);
    expect(parameterGenerator({ seed: 1 }).uniform()).toBe(first[0]);
  });

  test("refuses keys that are none", () => {
    expect(() => parameterGenerator({ seed: Number.NaN })).toThrow("expected seed to be text or a finite number, got NaN");
    expect(() => parameterGenerator({ seed: 1, variant: -1 })).toThrow("variant");
  });
});
