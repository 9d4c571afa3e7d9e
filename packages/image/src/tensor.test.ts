import { describe, expect, it } from "vitest";
import {
  clipNormalization,
  fromFloatImage,
  type Image,
  ImageError,
  imagesToTensor,
  imageToTensor,
  symmetricNormalization,
  tensorToImage,
  tensorToImages,
  toFloatImage,
} from "./index.js";
import { picture } from "./pictures.test.fixture.js";

const image: Image = { width: 2, height: 3, channels: 3, data: Uint8Array.from({ length: 18 }, (_, i) => i * 15) };

describe("imageToTensor", () => {
  it("gives planes", () => {
    expect([...imageToTensor(image, { scale: 1 })]).toEqual([0, 45, 90, 135, 180, 225, 15, 60, 105, 150, 195, 240, 30, 75, 120, 165, 210, 255]);
  });

  it("normalises each channel, rounded to float32 step by step", () => {
    const { mean, std } = clipNormalization;
    const got = imageToTensor(image, clipNormalization);
    for (const [i, value] of got.entries()) {
      const c = Math.floor(i / 6);
      const unit = Math.fround(image.data[(i % 6) * 3 + c]! / 255);
      expect(value).toBe(Math.fround(Math.fround(unit - Math.fround(mean[c]!)) / Math.fround(std[c]!)));
    }
  });

  it("takes (x - 128) / 128 and [-1, 1]", () => {
    const grey: Image = { width: 3, height: 1, channels: 1, data: Uint8Array.of(0, 128, 255) };
    expect([...imageToTensor(grey, { scale: 1, mean: 128, std: 128 })]).toEqual([-1, 0, 0.9921875]);
    expect([...imageToTensor(grey, symmetricNormalization)]).toEqual([-1, Math.fround(Math.fround(128 / 255) * 2 - 1), 1]);
  });

  it("stacks a batch and refuses mixed sizes and wrong channel counts", () => {
    const other = { ...image, data: image.data.map((value) => 255 - value) };
    const both = imagesToTensor([image, other]);
    expect(both.subarray(0, 18)).toEqual(imageToTensor(image));
    expect(both.subarray(18)).toEqual(imageToTensor(other));
    expect(() => imagesToTensor([image, picture(3, 2, 3, 0)])).toThrow("expected images of one size, got 2 × 3 × 3 and 3 × 2 × 3");
    expect(() => imagesToTensor([])).toThrow("at least one");
    expect(() => imageToTensor(picture(3, 2, 4, 0), clipNormalization)).toThrow("expected mean to be a finite number or 4 of them");
    expect(() => imageToTensor(image, { std: 0 })).toThrow("std other than 0");
  });
});

describe("tensorToImage", () => {
  const layout = { width: 2, height: 3, channels: 3, range: [0, 1] } as const;

  it("is the way back for every value and range", () => {
    const all: Image = { width: 16, height: 16, channels: 1, data: Uint8Array.from({ length: 256 }, (_, i) => i) };
    expect(tensorToImage(imageToTensor(image), layout)).toEqual(image);
    expect(tensorToImage(imageToTensor(all), { width: 16, height: 16, channels: 1, range: [0, 1] })).toEqual(all);
    expect(tensorToImage(imageToTensor(all, symmetricNormalization), { width: 16, height: 16, channels: 1, range: [-1, 1] })).toEqual(all);
    expect(fromFloatImage(toFloatImage(all))).toEqual(all);
    expect(tensorToImages(imagesToTensor([image, image]), layout)).toEqual([image, image]);
  });

  it("rounds halves to even and clips", () => {
    const values = Float32Array.of(0.5, 1.5, 2.5, -7, 300, 254.5);
    expect([...tensorToImage(values, { width: 6, height: 1, channels: 1, range: [0, 255] }).data]).toEqual([0, 2, 2, 0, 255, 254]);
  });

  it("refuses NaN and infinities", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const data = new Float32Array(18);
      data[7] = bad;
      expect(() => tensorToImage(data, layout)).toThrow(ImageError);
      expect(() => tensorToImage(data, layout)).toThrow(`expected finite values, got ${bad}`);
      expect(() => fromFloatImage({ width: 2, height: 3, channels: 3, data })).toThrow(ImageError);
    }
  });

  it("refuses lengths and ranges that do not fit", () => {
    expect(() => tensorToImage(new Float32Array(17), layout)).toThrow("a multiple of 3 × 3 × 2 values, got 17");
    expect(() => tensorToImage(new Float32Array(36), layout)).toThrow("expected one image, got 2");
    expect(() => tensorToImage(new Float32Array(18), { ...layout, range: [1, 1] })).toThrow("two different finite numbers");
  });
});
