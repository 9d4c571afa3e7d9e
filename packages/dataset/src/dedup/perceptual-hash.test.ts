import { expect, test } from "vitest";
import { averaged, hashDistance, type Plane, perceptualHashes } from "./perceptual-hash.js";

const whole = { left: 0, top: 0, right: 1, bottom: 1 };

function plane(width: number, height: number, at: (u: number, v: number) => number): Plane {
  return {
    width,
    height,
    data: Float32Array.from({ length: width * height }, (_, i) => at(((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / height)),
  };
}

/** Light and dark blobs: every frequency has its share. */
const blob = (u: number, v: number, x: number, y: number, size: number) => Math.exp(-((u - x) ** 2 + (v - y) ** 2) / size);
const wave = (u: number, v: number) =>
  90 + 120 * blob(u, v, 0.31, 0.22, 0.013) - 70 * blob(u, v, 0.72, 0.41, 0.021) + 90 * blob(u, v, 0.55, 0.83, 0.008) + 40 * u - 25 * u * v * v;

test("the hash holds over sizes, brightness and contrast", () => {
  const { hash } = perceptualHashes(plane(320, 200, wave), whole);
  expect(hash).toMatch(/^[0-9a-f]{16}$/u);
  for (const [width, height] of [
    [160, 100],
    [333, 517],
    [1024, 64],
  ] as const)
    expect(
      hashDistance(
        perceptualHashes(
          plane(width, height, (u, v) => 40 + wave(u, v) / 3),
          whole,
        ).hash,
        hash,
      ),
    ).toBeLessThanOrEqual(2);
});

test("the hash of the mirror image is that of the picture turned round", () => {
  const { hash, mirrored } = perceptualHashes(plane(96, 80, wave), whole);
  const turned = perceptualHashes(
    plane(96, 80, (u, v) => wave(1 - u, v)),
    whole,
  );
  expect(turned.hash).toBe(mirrored);
  expect(turned.mirrored).toBe(hash);
  expect(hashDistance(hash, mirrored)).toBeGreaterThan(16);
});

test("the hash of a part is that of the picture cropped to it", () => {
  const part = { left: 0.1, top: 0.2, right: 0.9, bottom: 0.7 };
  const crop = plane(80, 50, (u, v) => wave(0.1 + 0.8 * u, 0.2 + 0.5 * v));
  expect(perceptualHashes(plane(100, 100, wave), part)).toEqual(perceptualHashes(crop, whole));
});

test("half of the bits are set, whatever the picture", () => {
  const { hash } = perceptualHashes(
    plane(50, 70, (u, v) => 255 * u * v),
    whole,
  );
  expect(hashDistance(hash, "0000000000000000")).toBe(32);
});

test("means over areas are exact, also where pixels are cut", () => {
  const ramp = plane(6, 1, (u) => 6 * u - 0.5); // 0, 1, 2, 3, 4, 5
  expect([...averaged(ramp, whole, 4, 1)].map((value) => value.toFixed(5))).toEqual(["0.33333", "1.66667", "3.33333", "4.66667"]);
  expect([...averaged(ramp, { left: 1 / 6, top: 0, right: 5 / 6, bottom: 1 }, 2, 1)]).toEqual([1.5, 3.5]);
  expect([...averaged(ramp, whole, 12, 1)]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
});
