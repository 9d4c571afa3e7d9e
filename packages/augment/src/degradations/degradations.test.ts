import type { FloatImage, Image } from "@refadgen/image";
import { describe, expect, test } from "vitest";
import { parameterGenerator } from "../random/generator.js";
import { philox } from "../random/philox.js";
import { anisotropicBlur, defocusBlur, gaussianBlur, motionBlur } from "./blur.js";
import { degradationNames, degrade, sampleDegradation } from "./catalogue.js";
import { colourProfile, colourProfileMistakes } from "./colour-profile.js";
import { lensWarp } from "./displacement.js";
import { affineWarp, perspectiveWarp } from "./homography.js";
import { strengths } from "./magnitudes.js";
import { insideDistance, matteError } from "./matte.js";
import { gaussianNoise, isoNoise, poissonNoise } from "./noise.js";
import { normalField, uniformField } from "./noise-field.js";
import { warpSample } from "./sample.js";
import { psnr, ssim } from "./similarity.js";
import { thinPlateSpline, thinPlateWarp } from "./thin-plate.js";
import { exposure } from "./tone.js";
import { warpPicture, warpPoints } from "./warp.js";

/** Odd sides, so that no vector length divides a row. */
const width = 61;
const height = 43;

function photo(channels: Image["channels"] = 3): Image {
  const generator = parameterGenerator({ seed: "photo", item: String(channels) });
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [x, y] = [Math.trunc(i / channels) % width, Math.trunc(i / channels / width)];
    return 128 + 90 * Math.sin(x / 5 + (i % channels)) * Math.cos(y / 7) + 30 * generator.between(-1, 1);
  });
  return { width, height, channels, data };
}

function disk(): Image {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (Math.hypot((i % width) - 30, Math.trunc(i / width) - 21) < 14 ? 255 : 0));
  return { width, height, channels: 1, data };
}

/** As toEqual, which takes a second for the pixels of a picture. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function floats(image: Image): FloatImage {
  return { ...image, data: Float32Array.from(image.data, (value) => value / 255) };
}

describe("8-bit kernels agree with float64 sums", () => {
  test.each([
    ["gaussian, short", (picture: Image | FloatImage) => gaussianBlur(picture, { sigma: 0.7 })],
    ["gaussian, long", (picture: Image | FloatImage) => gaussianBlur(picture, { sigma: 8 })],
    ["motion", (picture: Image | FloatImage) => motionBlur(picture, { length: 21, degrees: 70 })],
    ["defocus, many equal weights", (picture: Image | FloatImage) => defocusBlur(picture, { radius: 14, alias: 0.3 })],
    ["anisotropic", (picture: Image | FloatImage) => anisotropicBlur(picture, { sigmaAlong: 6, sigmaAcross: 1, degrees: 30 })],
  ])("%s", (_, blur) => {
    for (const channels of [1, 3] as const) {
      const exact = blur(floats(photo(channels))).data;
      const bytes = blur(photo(channels)).data;
      // Half a level from rounding, a tenth from weights of 16 bits.
      expect(Math.max(...Array.from(bytes, (value, i) => Math.abs(value - exact[i]! * 255)))).toBeLessThan(0.6);
    }
  });

  test.each([255, 128, 1, 0])("a plain %d stays plain under every blur", (level) => {
    const plain: Image = { width: 37, height: 29, channels: 3, data: new Uint8Array(37 * 29 * 3).fill(level) };
    for (const sigma of [0.4, 1, 3, 9]) expect(new Set(gaussianBlur(plain, { sigma }).data)).toEqual(new Set([level]));
    for (const radius of [2, 7, 14, 30]) expect(new Set(defocusBlur(plain, { radius }).data)).toEqual(new Set([level]));
    expect(new Set(motionBlur(plain, { length: 33, degrees: 17 }).data)).toEqual(new Set([level]));
  });

  test("a wide blur, made smaller, is the blur", () => {
    const [w, h] = [260, 190];
    const picture: FloatImage = { width: w, height: h, channels: 1, data: Float32Array.from({ length: w * h }, (_, i) => Number((i % w) % 97 < 50)) };
    const { data } = defocusBlur(picture, { radius: 45 });
    // The mean over the disk, at some places away from the border.
    for (const [x, y] of [
      [90, 95],
      [130, 80],
      [171, 100],
    ] as const) {
      let [sum, count] = [0, 0];
      for (let v = -45; v <= 45; v++) {
        for (let u = -45; u <= 45; u++) {
          if (u * u + v * v > 45 ** 2) continue;
          sum += picture.data[(y + v) * w + x + u]!;
          count++;
        }
      }
      expect(Math.abs(data[y * w + x]! - sum / count)).toBeLessThan(0.015);
    }
  });

  test("the words of a field are Philox blocks in order", () => {
    const uniforms = uniformField(10, 99);
    const words = [0, 1, 2].flatMap((block) => philox([block, 0, 0, 0], [99, 0x5046_4c44]));
    expect([...uniforms]).toEqual(words.slice(0, 10).map((word) => (word >>> 8) / 2 ** 24));
  });

  test("8-bit noise is the noise of the field", () => {
    const image = photo();
    const normals = normalField(image.data.length, 5);
    const noisy = gaussianNoise(image, { standardDeviation: 0.05, seed: 5 });
    const expected = image.data.map((value, i) => Math.min(Math.max(Math.floor(value + 12.75 * normals[i]! + 0.5), 0), 255));
    expect(Math.max(...noisy.data.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(1);
    expect(noisy.data.filter((value, i) => value !== expected[i]).length).toBeLessThan(5);
  });
});

describe("noise has the variance it says", () => {
  const grey: Image = { width: 200, height: 150, channels: 3, data: new Uint8Array(90_000).fill(128) };
  const deviation = ({ data }: Image) => {
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    return Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
  };
  test("gaussian", () => expect(deviation(gaussianNoise(grey, { standardDeviation: 0.05, seed: 1 }))).toBeCloseTo(12.75, 0));
  test("poisson", () => expect(deviation(poissonNoise(grey, { peak: 100, seed: 1 }))).toBeCloseTo(255 * Math.sqrt(128 / 255 / 100), 0));
  test("iso, through the slope of the transfer curve", () => {
    const light = ((128 / 255 + 0.055) / 1.055) ** 2.4;
    const slope = (1.055 / 2.4) * light ** (1 / 2.4 - 1);
    expect(deviation(isoNoise(grey, { shot: 0.001, read: 0.0001, seed: 1 }))).toBeCloseTo(255 * slope * Math.sqrt(light * 0.001 + 0.0001), 0);
  });
});

describe("warps", () => {
  test("a thin-plate spline meets its control points, and points follow pixels", () => {
    const target = [
      [3, 4],
      [50, 6],
      [20, 30],
      [44, 39],
      [8, 40],
    ] as const;
    const source = [
      [5, 4],
      [47, 9],
      [22, 27],
      [44, 36],
      [10, 41],
    ] as const;
    const { points } = thinPlateSpline(target, source);
    expect(points).toBe(target);
    const generator = parameterGenerator({ seed: 3 });
    const warp = thinPlateWarp({ width, height }, sampleDegradation("thin-plate", generator, 3, { width, height }));
    const [moved] = warpPoints([[30, 21]], warp);
    const [x, y] = warp.sourceOf(...moved!);
    expect(x).toBeCloseTo(30, 5);
    expect(y).toBeCloseTo(21, 5);
  });

  test("quarter turns move pixels exactly: mask, labels and points along", () => {
    const image: Image = { width: 5, height: 5, channels: 1, data: Uint8Array.from({ length: 25 }, (_, i) => i * 10) };
    const warp = affineWarp(image, { degrees: 90 });
    const turned = warpSample({ image, mask: image, companions: { labels: { image } }, points: [[4, 0]] }, warp, "white");
    const expected = Array.from({ length: 25 }, (_, i) => image.data[(i % 5) * 5 + 4 - Math.trunc(i / 5)]!);
    expect([...turned.image.data]).toEqual(expected);
    expect([...turned.mask!.data]).toEqual(expected);
    expect([...turned.companions!.labels!.image.data]).toEqual(expected);
    expect(turned.points![0]![0]).toBeCloseTo(0, 6);
    expect(turned.points![0]![1]).toBeCloseTo(0, 6);
  });

  test("the byte kernel agrees with floats to rounding", () => {
    const size = { width, height };
    const generator = parameterGenerator({ seed: 4 });
    for (const warp of [
      affineWarp(size, { degrees: 13, scale: 0.9, shear: 0.1, shift: [0.1, -0.05] }),
      perspectiveWarp(size, sampleDegradation("perspective", generator, 4, size)),
      lensWarp(size, { k1: 0.2, k2: -0.05 }),
      thinPlateWarp(size, sampleDegradation("thin-plate", generator, 5, size)),
    ]) {
      for (const border of ["white", "replicate", "reflect", "zero"] as const) {
        const exact = warpPicture(floats(photo()), warp, { border }).data;
        const bytes = warpPicture(photo(), warp, { border }).data;
        expect(Math.max(...Array.from(bytes, (value, i) => Math.abs(value - exact[i]! * 255)))).toBeLessThan(0.51);
      }
    }
  });

  test("colours of transparent pixels do not bleed", () => {
    const image: Image = { width: 4, height: 1, channels: 4, data: Uint8Array.of(200, 10, 10, 255, 200, 10, 10, 255, 0, 255, 0, 0, 0, 255, 0, 0) };
    const { data } = gaussianBlur(image, { sigma: 1 });
    expect(data[4]).toBe(200);
    expect(data[5]).toBe(10);
    expect(data[7]).toBeLessThan(255);
  });
});

describe("mattes", () => {
  test("the distance to a disk's outline is that of the circle", () => {
    const inside = insideDistance(disk())!;
    for (const [x, y] of [
      [30, 21],
      [30, 8],
      [30, 1],
      [55, 21],
    ] as const)
      expect(Math.abs(inside[y * width + x]! - (14 - Math.hypot(x - 30, y - 21)))).toBeLessThan(1);
  });

  test.each(["erode", "dilate", "halo"] as const)("%s", (kind) => {
    const area = ({ data }: Image) => data.reduce((sum, value) => sum + value / 255, 0);
    const { mask, picture } = matteError(photo(), disk(), { kind, reach: 4, softness: 1 });
    if (kind === "erode") expect(area(mask)).toBeCloseTo(Math.PI * 10 ** 2, -2);
    else expect(area(mask)).toBeGreaterThan(area(disk()) * 1.2);
    expect(picture.data).not.toEqual(photo().data);
    expect(picture.data.slice(0, 30)).toEqual(photo().data.slice(0, 30));
  });
});

describe("every degradation", () => {
  test.each(degradationNames)("%s: pure, replayed from JSON, of the same size, at all strengths and on any picture", async (name) => {
    for (const strength of strengths) {
      const image = photo();
      const before = image.data.slice();
      const sample = { image, mask: disk() };
      const params = sampleDegradation(name, parameterGenerator({ seed: 4, transform: name }), strength, image);
      const first = await degrade(sample, name, params);
      const again = await degrade(sample, name, JSON.parse(JSON.stringify(params)));
      expect(sameBytes(image.data, before)).toBe(true);
      expect(sameBytes(again.image.data, first.image.data)).toBe(true);
      expect(first.mask !== undefined && sameBytes(again.mask!.data, first.mask.data)).toBe(true);
      expect([first.image.width, first.image.height, first.image.channels]).toEqual([width, height, 3]);
      expect(sameBytes(first.image.data, before)).toBe(false);
    }
    for (const [w, h, channels] of [
      [1, 1, 3],
      [1, 7, 4],
      [9, 1, 1],
      [2, 2, 2],
    ] as const) {
      const tiny: Image = { width: w, height: h, channels, data: new Uint8Array(w * h * channels).fill(90) };
      const params = sampleDegradation(name, parameterGenerator({ seed: 5, transform: name }), 3, tiny);
      const { image } = await degrade({ image: tiny, mask: { width: w, height: h, channels: 1, data: new Uint8Array(w * h) } }, name, params);
      expect(image.data.length).toBe(w * h * channels);
    }
  });

  test.each(degradationNames)("%s: refuses NaN", async (name) => {
    const params = sampleDegradation(name, parameterGenerator({ seed: 4 }), 3, { width, height });
    const spoilt = JSON.parse(JSON.stringify(params), (_, value: unknown) => (typeof value === "number" ? Number.NaN : value));
    await expect(degrade({ image: photo(), mask: disk() }, name, spoilt)).rejects.toThrow(/expected .* got (NaN|\[)/);
  });

  test("refuses empty pictures, masks of another size, unknown names", async () => {
    const empty: Image = { width: 0, height: 5, channels: 3, data: new Uint8Array(0) };
    await expect(degrade({ image: empty }, "gamma", { gamma: 2 })).rejects.toThrow("expected width to be a positive integer, got 0");
    const small: Image = { width: 3, height: 3, channels: 1, data: new Uint8Array(9) };
    await expect(degrade({ image: photo(), mask: small }, "gamma", { gamma: 2 })).rejects.toThrow(
      "expected a mask of the picture's size, 61 × 43, got 3 × 3",
    );
    await expect(degrade({ image: photo() }, "toString" as "gamma", { gamma: 2 })).rejects.toThrow("expected a degradation of");
  });

  test("colour profiles: white stays white where only colours are wrong", () => {
    const white: Image = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 255, 255) };
    for (const mistake of colourProfileMistakes.filter((each) => each !== "limited-as-full"))
      expect([...colourProfile(white, { mistake }).data]).toEqual([255, 255, 255]);
  });

  test("a stop less light halves it", () => {
    const grey: FloatImage = { width: 1, height: 1, channels: 1, data: Float32Array.of(0.5) };
    const linear = (value: number) => ((value + 0.055) / 1.055) ** 2.4;
    expect(linear(exposure(grey, { stops: -1 }).data[0]!)).toBeCloseTo(linear(0.5) / 2, 6);
  });
});

describe("similarity", () => {
  test.each(degradationNames)("%s: the stronger, the less is left", async (name) => {
    const sample = { image: photo(), mask: disk() };
    const left: number[] = [];
    for (const strength of [1, 3, 5] as const) {
      const params = sampleDegradation(name, parameterGenerator({ seed: "levels", transform: name }), strength, sample.image);
      left.push(ssim(sample.image, (await degrade(sample, name, params)).image));
    }
    expect(left[1]).toBeLessThan(left[0]!);
    expect(left[2]).toBeLessThan(left[0]!);
  });

  test("equal pictures, and a constant difference in closed form", () => {
    const a: Image = { width: 20, height: 16, channels: 1, data: new Uint8Array(320).fill(100) };
    const b: Image = { ...a, data: new Uint8Array(320).fill(110) };
    expect(ssim(a, a)).toBe(1);
    expect(psnr(a, b)).toBeCloseTo(10 * Math.log10(255 ** 2 / 100), 10);
    const c1 = (0.01 * 255) ** 2;
    expect(ssim(a, b)).toBeCloseTo((2 * 100 * 110 + c1) / (100 ** 2 + 110 ** 2 + c1), 6);
  });
});
