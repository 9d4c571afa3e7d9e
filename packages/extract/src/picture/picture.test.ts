import type { Image } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { worth } from "../drivers/find-product.js";
import { plainBackgroundExtractor } from "../drivers/plain-background.js";
import type { Mask } from "../mask/mask.js";
import { scene } from "../scene.test.support.js";
import { salienceOf } from "./barrier.js";
import { fitOf, measured } from "./fit.js";
import { shadowLike } from "./shadow.js";

const size = { width: 40, height: 30 };
const at = (pixel: number) => [pixel % size.width, Math.floor(pixel / size.width)] as const;
const square = (x: number, y: number) => x >= 15 && x < 25 && y >= 10 && y < 20;
const shaded = (x: number, y: number) => x >= 25 && x < 32 && y >= 14 && y < 20;

function painted(colour: (x: number, y: number) => readonly [number, number, number]): Image {
  const data = new Uint8Array(size.width * size.height * 3);
  for (let pixel = 0; pixel < size.width * size.height; pixel++) data.set(colour(...at(pixel)), pixel * 3);
  return { ...size, channels: 3, data };
}

const maskOf = (inside: (x: number, y: number) => boolean): Mask => ({
  ...size,
  data: Uint8Array.from({ length: size.width * size.height }, (_, pixel) => (inside(...at(pixel)) ? 1 : 0)),
});

/** Paper in half the light: 186 is half of 255 in linear light. */
const paper = [232, 222, 205] as const;
const half = [169, 162, 149] as const;
const picture = painted((x, y) => (square(x, y) ? [190, 40, 50] : shaded(x, y) ? half : paper));

describe("salienceOf", () => {
  it("is the step that every way from the border takes, whatever the background's slope", () => {
    const lab = new Float32Array(size.width * size.height * 3);
    for (let pixel = 0; pixel < size.width * size.height; pixel++) {
      const [x, y] = at(pixel);
      lab[pixel * 3] = x + (square(x, y) ? 30 : 0);
    }
    const { barrier } = salienceOf(lab, size);
    // Lightest way out: to the square's last column and over its edge, from 54 to 25. Lightness counts for 0.7.
    expect(barrier[15 * size.width + 20]).toBeCloseTo(0.7 * 29, 4);
    expect(barrier[5 * size.width + 20]).toBeCloseTo(0, 4);
    expect(barrier[15 * size.width + 10]).toBeCloseTo(0, 4);
  });
});

describe("shadowLike", () => {
  it("is what a background of less light explains", () => {
    const background = maskOf((x, y) => !square(x, y) && !shaded(x, y)).data;
    const shadows = shadowLike(picture, background);
    for (const [x, y, expected] of [
      [28, 16, 1],
      [20, 15, 0],
      [3, 3, 1],
    ] as const)
      expect([x, y, shadows[y * size.width + x]]).toEqual([x, y, expected]);
  });
});

describe("fitOf", () => {
  it("prefers the product to a half of it, to it with its shadow, and to the shadow", () => {
    const all = measured(picture);
    const value = (inside: (x: number, y: number) => boolean) => worth(fitOf(all, maskOf(inside)));
    const right = value(square);
    expect(right).toBeGreaterThan(0.6);
    for (const wrong of [
      value((x, y) => square(x, y) && x < 20),
      value((x, y) => square(x, y) || shaded(x, y)),
      value(shaded),
      value((x, y) => x > 8 && x < 35 && y > 4 && y < 26),
    ])
      expect(wrong).toBeLessThan(0.85 * right);
  });
});

describe("a flood in a scene", () => {
  const product = (paint: (colour: string) => string) => `<rect x="110" y="80" width="80" height="140" fill="${paint("#b03a2e")}"/>`;
  const sweep = `<defs><linearGradient id="s" x2="0" y2="1"><stop offset="0" stop-color="#f4f4f4"/><stop offset="1" stop-color="#c4c8ce"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#s)"/>`;
  it("is sure of a product alone, and not of one with another thing beside it", async () => {
    const alone = await scene({ width: 300, height: 300, background: sweep, product });
    expect((await plainBackgroundExtractor().extract(alone.image)).score).toBeGreaterThan(0.6);
    const beside = await scene({ width: 300, height: 300, background: `${sweep}<circle cx="250" cy="190" r="34" fill="#31639c"/>`, product });
    const found = await plainBackgroundExtractor().extract(beside.image);
    expect([found.score < 0.6, found.reasons[0]!.code]).toEqual([true, "background-not-plain"]);
  });
});
