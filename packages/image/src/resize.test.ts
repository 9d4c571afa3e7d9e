import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { type Channels, pillowFilter, type ResizeFilter, resizeFloatImage, resizeImage, toFloatImage } from "./index.js";
import { picture } from "./pictures.test.fixture.js";

// Recorded by fixtures/record-pillow.py.
const recorded: {
  resizes: [[number, number], Channels, [number, number], ResizeFilter, string][];
  floats: [[number, number], [number, number], ResizeFilter, number[]][];
} = JSON.parse(readFileSync(new URL("../fixtures/pillow.json", import.meta.url), "utf8"));

describe("resizeImage", () => {
  it(`agrees with Pillow 13 byte for byte on ${recorded.resizes.length} resizes`, () => {
    const wrong = recorded.resizes.filter(([[w, h], channels, [width, height], filter, digest], n) => {
      const { data } = resizeImage(picture(w, h, channels, n < 300 ? n : 700 + n), { width, height }, { filter });
      return createHash("sha256").update(data).digest("hex").slice(0, 16) !== digest;
    });
    expect(wrong).toEqual([]);
  });

  it("takes bicubic by default, and gives a copy when the size is the same", () => {
    const image = picture(9, 6, 3, 1);
    expect(resizeImage(image, { width: 4, height: 7 })).toEqual(resizeImage(image, { width: 4, height: 7 }, { filter: "bicubic" }));
    const copy = resizeImage(image, { width: 9, height: 6 });
    expect(copy).toEqual(image);
    expect(copy.data).not.toBe(image.data);
  });

  it("halves by box as the rounded mean", () => {
    const image = { width: 4, height: 1, channels: 1, data: Uint8Array.of(10, 20, 255, 0) } as const;
    expect(resizeImage(image, { width: 2, height: 1 }, { filter: "box" }).data).toEqual(Uint8Array.of(15, 128));
  });

  it("leaves the input alone", () => {
    const image = picture(5, 8, 4, 3);
    const before = image.data.slice();
    resizeImage(image, { width: 3, height: 11 });
    expect(image.data).toEqual(before);
  });

  it("refuses what it cannot mean", () => {
    const image = picture(5, 8, 3, 3);
    expect(() => resizeImage(image, { width: 0, height: 4 })).toThrow("resizeImage: expected width to be a positive integer, got 0");
    expect(() => resizeImage(image, { width: 3, height: 4.5 })).toThrow(ArgumentError);
    expect(() => resizeImage(image, { width: 3, height: 4 }, { filter: "cubic" as ResizeFilter })).toThrow("got cubic");
    expect(() => resizeImage({ ...image, width: 6 }, { width: 3, height: 4 })).toThrow("expected 144 values for 6 × 8 × 3, got 120");
    expect(() => resizeImage({ ...image, channels: 5 as Channels }, { width: 3, height: 4 })).toThrow("1 to 4 channels, got 5");
  });
});

describe("resizeFloatImage", () => {
  it("agrees with Pillow 13 in mode F", () => {
    for (const [n, [[w, h], [width, height], filter, values]] of recorded.floats.entries()) {
      const { data } = resizeFloatImage(toFloatImage(picture(w, h, 1, n)), { width, height }, { filter });
      const every = Math.max(Math.floor(data.length / 8), 1);
      expect([...data.filter((_, i) => i % every === 0)]).toEqual(values.map(Math.fround));
    }
  });

  it("resizes each channel by itself", () => {
    const image = toFloatImage(picture(13, 9, 3, 4));
    const green = resizeFloatImage({ ...image, channels: 1, data: image.data.filter((_, i) => i % 3 === 1) }, { width: 6, height: 17 });
    expect(resizeFloatImage(image, { width: 6, height: 17 }).data.filter((_, i) => i % 3 === 1)).toEqual(green.data);
  });
});

describe("pillowFilter", () => {
  it("is nearest for palettes and bilevel pictures only", () => {
    expect((["1", "P", "L", "LA", "RGB", "RGBA", "CMYK"] as const).map((mode) => pillowFilter(mode, "lanczos"))).toEqual([
      "nearest",
      "nearest",
      ...Array(5).fill("lanczos"),
    ]);
  });
});
