import { gaussianBlur, motionBlur } from "@refadgen/augment";
import { encodeImage, type Image, loadImage, resizeImage } from "@refadgen/image";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { random } from "../mini/random.js";
import { miniTriplet } from "../mini/triplet.js";
import { blockiness, jpegQuality } from "./jpeg.js";
import { scoreNames } from "./names.js";
import { inspectProduct, scorePicture } from "./score-picture.js";
import { measureSharpness, pixelSize } from "./sharpness.js";
import { findStrokes, labelled, noiseLevel } from "./strokes.js";
import { measureTone } from "./tone.js";
import { workingCopy, workingMask } from "./working-copy.js";

function picture(width: number, height: number, at: (x: number, y: number) => number | readonly [number, number, number]): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = at(x, y);
      data.set(typeof value === "number" ? [value, value, value] : value, (y * width + x) * 3);
    }
  return { width, height, channels: 3, data };
}

const scoresOf = (image: Image) => scorePicture(image) as Readonly<Record<string, number>>;

describe("tone", () => {
  test("of one grey: its brightness, no contrast, no entropy, no colour", () => {
    const tone = measureTone(workingCopy(picture(40, 30, () => 102)));
    expect(tone.brightness).toBeCloseTo(0.4, 3);
    expect(tone).toMatchObject({ contrast: 0, saturation: 0, shadows: 0.4, highlights: 0.4 });
    expect(tone.entropy).toBeCloseTo(0, 12);
  });

  test("entropy of n levels in equal shares is log2 n", () => {
    for (const levels of [2, 4, 16, 64])
      expect(measureTone(workingCopy(picture(64, 64, (x) => (x % levels) * (256 / levels)))).entropy).toBeCloseTo(Math.log2(levels), 10);
  });

  test("percentiles see the share of light and dark; pure red is bright by √0.241", () => {
    // 4 % black, 95 % of 128, 1 % white: neither the 5th nor the 99th percentile is grey's neighbour.
    const tone = measureTone(workingCopy(picture(100, 100, (x, y) => (y < 6 ? 0 : y >= 98 ? 255 : x * 0 + 128))));
    expect([tone.shadows, tone.highlights]).toEqual([0, 1]);
    const red = measureTone(workingCopy(picture(20, 20, () => [255, 0, 0])));
    expect(red.brightness).toBeCloseTo(Math.sqrt(0.241), 10);
    expect(red.saturation).toBe(1);
  });
});

describe("blur", () => {
  // Sharp edges in every direction, lit by area: 4 × 4 samples per pixel.
  const discs = (x: number, y: number) => {
    let sum = 0;
    for (let i = 0; i < 16; i++) {
      const [px, py] = [x + ((i % 4) + 0.5) / 4, y + (Math.floor(i / 4) + 0.5) / 4];
      sum += Math.hypot((px % 60) - 30, (py % 60) - 30) < 19 ? 220 : 40;
    }
    return sum / 16;
  };
  const crisp = picture(300, 240, discs);

  test.each([1, 1.5, 2, 3])("of a Gaussian of %f px is measured to within an eighth", (sigma) => {
    const { softest } = measureSharpness(workingCopy(gaussianBlur(crisp, { sigma })))!;
    // Sampling blurs by a box of one pixel, the difference that measures slopes by one of two.
    const expected = Math.sqrt(sigma ** 2 + 1 / 12 + 4 / 12);
    expect(Math.abs(softest / expected - 1)).toBeLessThan(0.125);
  });

  test("of a crisp picture is that of its pixels", () => {
    const { softest, sharpest } = measureSharpness(workingCopy(crisp))!;
    expect(Math.abs(sharpest / Math.sqrt(5 / 12) - 1)).toBeLessThan(0.125);
    expect(softest).toBeLessThan(0.9);
  });

  test("of motion shows in its direction only", () => {
    for (const degrees of [0, 45, 90, 160]) {
      const { softest, sharpest } = measureSharpness(workingCopy(motionBlur(crisp, { length: 9, degrees })))!;
      // A line of 9 px has a deviation of 9 / √12.
      expect(softest).toBeGreaterThan(0.7 * (9 / Math.sqrt(12)));
      expect(sharpest).toBeLessThan(0.6 * softest);
    }
  });

  test("a soft background does no harm: only the product counts", () => {
    const soft = gaussianBlur(crisp, { sigma: 5 });
    const inside = (x: number, y: number) => x >= 90 && x < 210 && y >= 60 && y < 180;
    const mixed = picture(300, 240, (x, y) => (inside(x, y) ? crisp : soft).data[(y * 300 + x) * 3]!);
    const mask = { width: 300, height: 240, data: Uint8Array.from({ length: 72000 }, (_, i) => (inside(i % 300, Math.floor(i / 300)) ? 1 : 0)) };
    expect(inspectProduct(mixed, mask).productBlur).toBeCloseTo(inspectProduct(crisp, mask).productBlur!, 1);
    expect(inspectProduct(soft, mask).productBlur).toBeGreaterThan(1.5);
  });

  test("pixels made large are counted", () => {
    const noise = picture(60, 50, (x, y) => Math.round(255 * random("pixel", x, y).uniform()));
    expect(pixelSize(noise)).toBeLessThan(1.2);
    for (const factor of [2, 3, 5])
      expect(pixelSize(resizeImage(noise, { width: 60 * factor, height: 50 * factor }, { filter: "nearest" }))).toBeGreaterThan(0.8 * factor);
  });

  test("there is none to measure on a plain wall", () => {
    expect(measureSharpness(workingCopy(picture(64, 48, () => 90)))).toBeUndefined();
    expect(scoresOf(picture(64, 48, () => 90)).blur).toBeNull();
  });
});

describe("JPEG", () => {
  const image = miniTriplet(3, { seed: "jpeg", width: 128, height: 160 }).ad.image;

  test.each([5, 20, 35, 50, 75, 90, 98])("quality %i is read from the tables", async (quality) => {
    const bytes = await sharp(image.data, { raw: { width: 128, height: 160, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    expect(Math.abs(jpegQuality(bytes)! - quality)).toBeLessThanOrEqual(1);
  });

  test("other files and broken ones have none", async () => {
    expect(jpegQuality(await encodeImage(image, { format: "png" }))).toBeNull();
    const bytes = await encodeImage(image, { format: "jpeg", quality: 80 });
    for (const length of [0, 3, 20, 40]) expect(jpegQuality(bytes.subarray(0, length))).toBeNull();
  });

  test("blocks are seen in the pixels, also of a PNG", async () => {
    const clean = blockiness(image)!;
    const saved = blockiness(await loadImage(await encodeImage(image, { format: "jpeg", quality: 10 })))!;
    expect(clean).toBeLessThan(0.25);
    expect(saved).toBeGreaterThan(0.5);
    expect(blockiness(picture(10, 6, (x) => x))).toBeNull();
  });
});

describe("strokes", () => {
  test("noise is measured whatever the picture", () => {
    for (const sigma of [2, 5]) {
      const draw = random("noise", sigma);
      const noisy = picture(200, 150, (x, y) => 60 + 0.4 * x + (y > 70 ? 50 : 0) + sigma * draw.normal());
      // Levels are whole numbers, so the median is known to half of one.
      expect(Math.abs(noiseLevel(workingCopy(noisy)) - sigma)).toBeLessThan(0.5 / 1.349);
    }
  });

  test("components are numbered in reading order, diagonal neighbours together", () => {
    const rows = ["#..#.", ".#..#", "..#..", "#...#"];
    const { labels, count } = labelled(
      Uint8Array.from(rows.join(""), (one) => (one === "#" ? 1 : 0)),
      5,
      4,
    );
    expect(count).toBe(4);
    expect([...labels].join("")).toBe("10020" + "01002" + "00100" + "30004");
  });

  test("thin lines are strokes, broad areas are not", () => {
    const image = picture(200, 200, (x, y) => (x >= 100 && x < 104 ? 160 : x < 50 && y < 120 ? 200 : 60));
    const copy = workingCopy(image);
    const { labels, count } = findStrokes(copy, copy.luma, true, 0);
    expect(count).toBe(1);
    expect(labels[50 * 200 + 101]).toBe(1);
    expect(labels[50 * 200 + 20]).toBe(0);
  });
});

describe("scorePicture and inspectProduct", () => {
  const { ad } = miniTriplet(7, { seed: "scores", width: 160, height: 128 });

  test("write every score of their stage that no model makes, within its range", () => {
    const written = { score: scorePicture(ad.image), inspect: inspectProduct(ad.image, ad.mask) };
    const byModel = ["watermarkModel", "aesthetic", "textBoxes"];
    for (const stage of ["score", "inspect"] as const) {
      const names = scoreNames.filter((one) => one.stage === stage && !byModel.includes(one.name));
      expect(Object.keys(written[stage]).sort()).toEqual(names.map(({ name }) => name).sort());
      for (const { name, range } of names) {
        const value = written[stage][name];
        if (value === null) continue;
        expect(value).toBeGreaterThanOrEqual(range[0]);
        expect(value).toBeLessThanOrEqual(range[1]);
      }
    }
  });

  test("sizes are those of the picture, and of the product's box", () => {
    expect(scorePicture(ad.image)).toMatchObject({ shortSide: 128, aspect: 1.25 });
    const mask = { width: 160, height: 128, data: new Uint8Array(160 * 128) };
    for (let y = 20; y < 60; y++) mask.data.fill(1, y * 160 + 30, y * 160 + 130);
    const scores = inspectProduct(ad.image, mask);
    expect(scores).toMatchObject({ productSide: 100, productParts: 1, productHoles: 0, productBorder: 0 });
    expect(scores.productArea).toBeCloseTo((100 * 4000) / 20480, 3);
  });

  test("an empty mask leaves nothing to inspect but text", () => {
    const empty = inspectProduct(ad.image, { width: 160, height: 128, data: new Uint8Array(160 * 128) });
    expect(empty).toMatchObject({ productArea: 0, productSide: 0, productBlur: null, occlusion: null, productParts: 0 });
  });

  test("refuses masks of another size or of other values", () => {
    expect(() => inspectProduct(ad.image, { width: 128, height: 160, data: new Uint8Array(160 * 128) })).toThrow("160 × 128, got 128 × 160");
    expect(() => inspectProduct(ad.image, { width: 160, height: 128, data: new Uint8Array(160 * 128).fill(255) })).toThrow("0 and 1, got 255");
  });

  test("the copy that is looked at has at most 0.16 megapixels; its mask covers what the mask covers", () => {
    const large = picture(900, 700, () => 100);
    const copy = workingCopy(large);
    expect(copy.width * copy.height).toBeLessThanOrEqual(164_500);
    expect(Math.abs(copy.width / copy.height - 9 / 7)).toBeLessThan(0.01);
    const mask = { width: 900, height: 700, data: Uint8Array.from({ length: 630_000 }, (_, i) => (i % 900 < 450 ? 1 : 0)) };
    const small = workingMask(mask, copy);
    expect(small.reduce((sum, value) => sum + value, 0) / small.length).toBeCloseTo(0.5, 2);
  });
});
