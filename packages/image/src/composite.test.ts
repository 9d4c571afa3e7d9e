import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Color, composite, type Image } from "./index.js";
import { picture } from "./pictures.test.fixture.js";

// Recorded by fixtures/record-pillow.py.
const { composites }: { composites: [[number, number], [number, number], 3 | 4, [number, number], string][] } = JSON.parse(
  readFileSync(new URL("../fixtures/pillow.json", import.meta.url), "utf8"),
);

describe("composite", () => {
  it(`agrees with Pillow's paste and alpha_composite on ${composites.length} pairs`, () => {
    const wrong = composites.filter(([[w, h], [bw, bh], channels, [left, top], digest], n) => {
      const { data } = composite(picture(w, h, 4, n), picture(bw, bh, channels, 500 + n), { left, top });
      return createHash("sha256").update(data).digest("hex").slice(0, 16) !== digest;
    });
    expect(wrong).toEqual([]);
  });

  it("lays over a colour", () => {
    const image: Image = { width: 3, height: 1, channels: 4, data: Uint8Array.of(10, 20, 30, 0, 10, 20, 30, 255, 0, 100, 200, 128) };
    expect([...composite(image, [200, 100, 0]).data]).toEqual([200, 100, 0, 10, 20, 30, 100, 100, 100]);
  });

  it("copies an opaque picture, grey as RGB", () => {
    const image: Image = { width: 2, height: 1, channels: 1, data: Uint8Array.of(5, 6) };
    expect([...composite(image, { width: 1, height: 2, channels: 1, data: Uint8Array.of(90, 91) }, { left: -1, top: 1 }).data]).toEqual([
      90, 90, 90, 6, 6, 6,
    ]);
  });

  it("refuses colours out of range and places that make no sense", () => {
    const image = picture(3, 2, 4, 1);
    expect(() => composite(image, [0, 0, 256])).toThrow("expected a colour of three integers from 0 to 255");
    expect(() => composite(image, [0, 0] as unknown as Color)).toThrow("expected a colour");
    expect(() => composite(image, [0, 0, 0], { left: 1 })).toThrow("only with a picture");
    expect(() => composite(image, image, { top: 0.5 })).toThrow("integers");
  });
});
