import { describe, expect, it } from "vitest";
import {
  alphaOf,
  centerCrop,
  cropImage,
  fitInside,
  type Image,
  letterbox,
  maxFilter,
  toGrey,
  toRgb,
  toRgba,
  torchvisionSize,
  withAlpha,
} from "./index.js";
import { picture } from "./pictures.test.fixture.js";

/** One channel whose values say where they come from: 10·y + x. */
function marked(width: number, height: number): Image {
  return { width, height, channels: 1, data: Uint8Array.from({ length: width * height }, (_, i) => 10 * Math.floor(i / width) + (i % width)) };
}

describe("cropImage", () => {
  it("cuts out, and sets into zeros what reaches beyond", () => {
    expect([...cropImage(marked(5, 4), { left: 1, top: 2, width: 3, height: 2 }).data]).toEqual([21, 22, 23, 31, 32, 33]);
    expect([...cropImage(marked(5, 4), { left: 3, top: -1, width: 3, height: 2 }).data]).toEqual([0, 0, 0, 3, 4, 0]);
    expect([...cropImage(marked(2, 2), { left: 5, top: 5, width: 2, height: 1 }).data]).toEqual([0, 0]);
    expect(() => cropImage(marked(2, 2), { left: 0.5, top: 0, width: 1, height: 1 })).toThrow("integers");
  });
});

describe("centerCrop", () => {
  it("rounds as Python's round, or down", () => {
    const tops = (rounding: "half-to-even" | "floor") =>
      [0, 1, 2, 3, 4, 5, 6, 7].map((excess) => centerCrop(marked(1, 2 + excess), { width: 1, height: 2 }, { rounding }).data[0]! / 10);
    expect(tops("half-to-even")).toEqual([0, 0, 1, 2, 2, 2, 3, 4]);
    expect(tops("floor")).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it("pads before by the smaller half in torchvision, by the larger in transformers", () => {
    const one: Image = { width: 1, height: 1, channels: 1, data: Uint8Array.of(7) };
    expect([...centerCrop(one, { width: 4, height: 1 }).data]).toEqual([0, 7, 0, 0]);
    expect([...centerCrop(one, { width: 4, height: 1 }, { rounding: "floor" }).data]).toEqual([0, 0, 7, 0]);
  });
});

describe("torchvisionSize", () => {
  it("truncates the long side", () => {
    expect(torchvisionSize({ width: 301, height: 227 }, 224)).toEqual({ width: 297, height: 224 }); // 297.02
    expect(torchvisionSize({ width: 227, height: 301 }, 226)).toEqual({ width: 226, height: 299 }); // 299.67
    expect(torchvisionSize({ width: 7, height: 7 }, 3)).toEqual({ width: 3, height: 3 });
  });
});

describe("letterbox", () => {
  it("fits inside, centred, on the background", () => {
    expect(fitInside({ width: 200, height: 100 }, { width: 50, height: 60 })).toEqual({ left: 0, top: 17, width: 50, height: 25 });
    expect(fitInside({ width: 1, height: 1000 }, { width: 10, height: 10 })).toEqual({ left: 4, top: 0, width: 1, height: 10 });
    const image: Image = { width: 2, height: 1, channels: 4, data: Uint8Array.of(1, 2, 3, 255, 9, 9, 9, 0) };
    const { width, height, channels, data } = letterbox(image, { width: 2, height: 3 }, { background: [40, 50, 60] });
    expect([width, height, channels]).toEqual([2, 3, 3]);
    expect([...data]).toEqual([40, 50, 60, 40, 50, 60, 1, 2, 3, 40, 50, 60, 40, 50, 60, 40, 50, 60]);
  });
});

describe("channels", () => {
  it("become RGB, grey and alpha", () => {
    const la: Image = { width: 2, height: 1, channels: 2, data: Uint8Array.of(7, 100, 8, 0) };
    expect([...toRgb(la).data]).toEqual([7, 7, 7, 8, 8, 8]);
    expect([...toGrey(la).data]).toEqual([7, 8]);
    expect([...toRgba(la).data]).toEqual([7, 7, 7, 100, 8, 8, 8, 0]);
    expect([...alphaOf(la)!.data]).toEqual([100, 0]);
    const rgb: Image = { width: 3, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 255, 255, 255) };
    expect([...toGrey(rgb).data]).toEqual([76, 150, 255]);
    expect(alphaOf(rgb)).toBeUndefined();
    expect([...alphaOf(toRgba(rgb))!.data]).toEqual([255, 255, 255]);
    expect(() => withAlpha(rgb, la)).toThrow("expected an alpha of 3 × 1 × 1, got 2 × 1 × 2");
  });
});

describe("maxFilter", () => {
  it("is the maximum of the neighbourhood, channel by channel", () => {
    const image = picture(11, 7, 2, 5);
    const slow = image.data.map((_, i) => {
      const [x, y, c] = [Math.floor(i / 2) % 11, Math.floor(i / 22), i % 2];
      let most = 0;
      for (let v = y - 2; v <= y + 2; v++)
        for (let u = x - 2; u <= x + 2; u++)
          most = Math.max(most, image.data[(Math.min(Math.max(v, 0), 6) * 11 + Math.min(Math.max(u, 0), 10)) * 2 + c]!);
      return most;
    });
    expect(maxFilter(image, 5).data).toEqual(slow);
    expect(maxFilter(image, 1).data).toEqual(image.data);
    expect(() => maxFilter(image, 4)).toThrow("odd positive integer, got 4");
  });
});
