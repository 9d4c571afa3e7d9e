import { ArgumentError } from "@refadgen/errors";
import { resizeImage, toRgba, withAlpha } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { cutOut } from "../cut-out.js";
import { maskArea, maskIoU, thresholdMask } from "../mask/mask.js";
import { scene, scenes } from "../scene.test.support.js";
import { alphaExtractor } from "./alpha.js";
import { plainBackgroundExtractor } from "./plain-background.js";

describe("plainBackgroundExtractor", () => {
  it.each(Object.keys(scenes))("finds the %s", async (name) => {
    const { image, mask } = await scene(scenes[name]!);
    const found = await plainBackgroundExtractor().extract(image);
    expect(maskIoU(found.mask, mask)).toBeGreaterThan(0.995);
    expect(found.score).toBeGreaterThan(0.8);
    expect(found.mask).toEqual(thresholdMask(image, found.matte));
  });

  it("with a known colour everywhere, the matte is the drawn share of the product", async () => {
    const { image } = await scene({ ...scenes["thin umbrella"]!, background: `<rect width="100%" height="100%" fill="white"/>`, noise: 0 });
    const { image: silhouette } = await scene({
      ...scenes["thin umbrella"]!,
      background: `<rect width="100%" height="100%" fill="black"/>`,
      product: (paint) => scenes["thin umbrella"]!.product(() => paint("white")),
      noise: 0,
    });
    const { matte } = await plainBackgroundExtractor().extract(image);
    const worst = matte.reduce((most, level, pixel) => Math.max(most, Math.abs(level - silhouette.data[pixel * 3]!)), 0);
    const mean = matte.reduce((sum, level, pixel) => sum + Math.abs(level - silhouette.data[pixel * 3]!), 0) / matte.length;
    expect(mean).toBeLessThan(0.4);
    expect(worst).toBeLessThan(110); // where two colours of the product meet, the mean of both is the guess
  });

  it("keeps or opens what looks like the background inside", async () => {
    const cup = await scene(scenes["cup with a handle on grey, noisy"]!);
    const filled = await plainBackgroundExtractor({ holes: "fill" }).extract(cup.image);
    expect(maskArea(filled.mask)).toBeGreaterThan(maskArea(cup.mask) * 1.08);
  });

  it("keeps shadows when told", async () => {
    const { image, mask } = await scene(scenes["bottle with a shadow on a studio sweep"]!);
    const kept = await plainBackgroundExtractor({ shadows: "keep" }).extract(image);
    expect(maskArea(kept.mask)).toBeGreaterThan(maskArea(mask) * 1.03);
  });

  it("looks at large pictures in a smaller copy", async () => {
    const { image, mask } = await scene(scenes["bottle on white"]!);
    const large = resizeImage(image, { width: 2810, height: 4200 });
    const found = await plainBackgroundExtractor().extract(large);
    const expected = thresholdMask(large, resizeImage({ ...mask, channels: 1, data: mask.data.map((value) => value * 255) }, large).data);
    expect(maskIoU(found.mask, expected)).toBeGreaterThan(0.99);
  });

  it("doubts a product that hardly differs", async () => {
    const { image } = await scene({
      ...scenes["pale product on white"]!,
      product: () => `<circle cx="150" cy="150" r="90" fill="#f0f1f2"/>`,
      noise: 1,
    });
    const found = await plainBackgroundExtractor().extract(image);
    expect(found.score).toBeLessThan(0.6);
    expect(found.reasons.map(({ code }) => code)).toContain(maskArea(found.mask) === 0 ? "nothing-found" : "low-contrast");
  });

  it("finds nothing on a busy background, and says so", async () => {
    const stripes = Array.from(
      { length: 15 },
      (_, index) => `<rect x="${index * 20}" width="10" height="100%" fill="hsl(${index * 53} 70% 50%)"/>`,
    ).join("");
    const { image } = await scene({ ...scenes["bottle on white"]!, background: stripes });
    const found = await plainBackgroundExtractor().extract(image);
    expect([found.score, maskArea(found.mask), found.reasons[0]!.code]).toEqual([0, 0, "background-not-plain"]);
  });

  it.each([
    [1, 1],
    [2, 3],
    [1, 40],
  ])("answers for a picture of %i × %i", async (width, height) => {
    const found = await plainBackgroundExtractor().extract({ width, height, channels: 1, data: new Uint8Array(width * height).fill(200) });
    expect([found.mask.data.length, found.score]).toEqual([width * height, 0]);
  });

  it("refuses a tolerance of 0", () => {
    expect(() => plainBackgroundExtractor({ tolerance: 0 })).toThrow(ArgumentError);
  });

  it("stops when aborted", async () => {
    const { image } = await scene(scenes["bottle on white"]!);
    const reason = new Error("enough");
    await expect(plainBackgroundExtractor().extract(image, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("alphaExtractor", () => {
  it("takes the picture's own transparency", async () => {
    const { image, mask } = await scene(scenes["two shoes"]!);
    const alpha = { width: image.width, height: image.height, channels: 1, data: mask.data.map((value) => value * 255) } as const;
    const found = await alphaExtractor().extract(withAlpha(image, alpha));
    expect(found.mask).toEqual(mask);
    expect(found.matte).toEqual(alpha.data);
    expect(found.reasons.map(({ code }) => code)).toEqual(["scattered"]);
  });

  it("finds nothing where there is none", async () => {
    const { image } = await scene(scenes["bottle on white"]!);
    for (const picture of [image, toRgba(image)]) {
      const found = await alphaExtractor().extract(picture);
      expect([found.score, found.reasons.map(({ code }) => code)]).toEqual([0, ["no-transparency"]]);
    }
  });
});

describe("cutOut", () => {
  it("leaves the product and makes the rest white, on the same canvas", async () => {
    const { image, mask } = await scene(scenes["cup with a handle on grey, noisy"]!);
    const { width, height, data } = cutOut(image, mask);
    expect([width, height]).toEqual([image.width, image.height]);
    const expected = image.data.map((level, index) => (mask.data[Math.floor(index / 3)] === 1 ? level : 255));
    expect(data).toEqual(expected);
  });

  it("blends with another colour by the matte", () => {
    const image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(10, 20, 30, 40, 50, 60) } as const;
    expect(Array.from(cutOut(image, Uint8Array.of(255, 51), { background: [0, 100, 200] }).data)).toEqual([10, 20, 30, 8, 90, 172]);
    expect(() => cutOut(image, Uint8Array.of(255))).toThrow("expected a matte of 2 × 1");
    expect(() => cutOut(image, { width: 1, height: 2, data: new Uint8Array(2) })).toThrow("expected a mask of 2 × 1, got 1 × 2");
  });
});
