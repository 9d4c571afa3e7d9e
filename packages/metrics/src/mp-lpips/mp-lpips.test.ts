import { ArgumentError } from "@refadgen/errors";
import type { Tensor } from "@refadgen/graph";
import type { Image } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { fakeLpips, patterned } from "../metrics/fake-networks.test-support.js";
import { rowsOf } from "../statistics/rows.test-support.js";
import { maskedPicture } from "./mask.js";
import { gridPoints, matchPoints } from "./match.js";
import { matchedPatchDistance } from "./measure.js";
import { scoreMatches } from "./score.js";

function grid(channels: number, height: number, width: number, seed: number): Tensor<"float32"> {
  return { dtype: "float32", dims: [1, channels, height, width], data: rowsOf(channels * height, width, { seed }) };
}

function mask(width: number, height: number, inside: (x: number, y: number) => boolean): Image {
  const data = Uint8Array.from({ length: width * height }, (_, at) => (inside(at % width, Math.floor(at / width)) ? 255 : 0));
  return { width, height, channels: 1, data };
}

/** The whole map enlarged, and every pixel tried. */
function slowMatch(
  source: Tensor<"float32">,
  target: Tensor<"float32">,
  { row, column }: { row: number; column: number },
  width: number,
  height: number,
) {
  const at = ({ dims, data }: Tensor<"float32">, y: number, x: number) => {
    const [, channels, h, w] = dims as [number, number, number, number];
    const place = (pixel: number, pixels: number, cells: number) => {
      const from = Math.max(0, ((pixel + 0.5) * cells) / pixels - 0.5);
      const first = Math.min(cells - 1, Math.floor(from));
      return { first, second: Math.min(cells - 1, first + 1), weight: from - first };
    };
    const [v, u] = [place(y, height, h), place(x, width, w)];
    const value = (c: number, i: number, j: number) => data[(c * h + i) * w + j]!;
    return Array.from(
      { length: channels },
      (_, c) =>
        (1 - v.weight) * ((1 - u.weight) * value(c, v.first, u.first) + u.weight * value(c, v.first, u.second)) +
        v.weight * ((1 - u.weight) * value(c, v.second, u.first) + u.weight * value(c, v.second, u.second)),
    );
  };
  const length = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const feature = at(source, row, column);
  let best = { row: 0, column: 0, cosine: Number.NEGATIVE_INFINITY };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const other = at(target, y, x);
      const cosine = feature.reduce((sum, value, c) => sum + value * other[c]!, 0) / (length(feature) * length(other));
      if (cosine > best.cosine + 1e-12) best = { row: y, column: x, cosine };
    }
  }
  return best;
}

describe("matchPoints", () => {
  it.each([
    { sourceSize: [6, 9], targetSize: [6, 9], width: 40, height: 29 },
    { sourceSize: [5, 4], targetSize: [8, 3], width: 31, height: 47 },
    { sourceSize: [1, 1], targetSize: [2, 1], width: 12, height: 10 },
  ] as { sourceSize: [number, number]; targetSize: [number, number]; width: number; height: number }[])(
    "finds what a search over the enlarged map finds ($width × $height)",
    async ({ sourceSize, targetSize, width, height }) => {
      const [source, target] = [grid(7, ...sourceSize, 1), grid(7, ...targetSize, 2)];
      const points = [
        { row: 0, column: 0 },
        { row: height - 1, column: width - 1 },
        { row: 7, column: 3 },
      ];
      const matches = await matchPoints(source, target, points, { width, height });
      for (const [index, match] of matches.entries()) {
        const slow = slowMatch(source, target, points[index]!, width, height);
        expect(match).toMatchObject({ row: slow.row, column: slow.column });
        expect(match.cosine).toBeCloseTo(slow.cosine, 12);
      }
    },
  );

  it("finds every point where it is when both maps are the same", async () => {
    const map = grid(12, 8, 10, 3);
    const points = [4, 17, 33].flatMap((row) => [2, 25, 38].map((column) => ({ row, column })));
    const matches = await matchPoints(map, map, points, { width: 40, height: 36 });
    for (const [index, { cosine, ...place }] of matches.entries()) {
      expect(cosine).toBeCloseTo(1, 12);
      expect(place).toEqual(points[index]);
    }
  });

  it("takes the first of equally good pixels", async () => {
    const flat: Tensor<"float32"> = { dtype: "float32", dims: [1, 2, 3, 3], data: new Float32Array(18).fill(0.7) };
    expect(await matchPoints(flat, flat, [{ row: 5, column: 9 }], { width: 13, height: 11 })).toMatchObject([{ row: 0, column: 0 }]);
    const zero: Tensor<"float32"> = { ...flat, data: new Float32Array(18) };
    expect(await matchPoints(zero, flat, [{ row: 5, column: 9 }], { width: 13, height: 11 })).toMatchObject([{ row: 0, column: 0, cosine: 0 }]);
  });

  it("refuses features that do not fit or are not finite, and points outside", async () => {
    const size = { width: 8, height: 8 };
    await expect(matchPoints(grid(2, 2, 2, 1), grid(3, 2, 2, 1), [], size)).rejects.toThrow("equally many channels");
    await expect(matchPoints(grid(2, 2, 2, 1), grid(2, 2, 2, 1), [{ row: 8, column: 0 }], size)).rejects.toThrow(ArgumentError);
    const broken = grid(2, 2, 2, 1);
    broken.data[3] = Number.NaN;
    await expect(matchPoints(grid(2, 2, 2, 1), broken, [], size)).rejects.toThrow("finite target features");
  });
});

describe("gridPoints", () => {
  it("lie on the picture's grid, inside the mask, row by row", () => {
    expect(
      gridPoints(
        mask(9, 7, (x, y) => x > 2 && y < 5),
        4,
      ),
    ).toEqual([
      { row: 0, column: 4 },
      { row: 0, column: 8 },
      { row: 4, column: 4 },
      { row: 4, column: 8 },
    ]);
    expect(() =>
      gridPoints(
        mask(2, 2, () => true),
        0,
      ),
    ).toThrow(ArgumentError);
  });
});

describe("maskedPicture", () => {
  it("is black outside, and as large as asked for", () => {
    const { image, mask: inside } = maskedPicture(
      { width: 6, height: 4, channels: 1, data: new Uint8Array(24).fill(200) },
      mask(6, 4, (x) => x < 3),
      12,
    );
    expect([image.width, image.height, image.channels]).toEqual([12, 12, 3]);
    for (let at = 0; at < 144; at++) {
      expect(inside.data[at]).toBe(at % 12 < 6 ? 255 : 0);
      expect(image.data[at * 3]).toBe(at % 12 < 6 ? 200 : 0);
    }
  });
});

describe("scoreMatches", () => {
  const size = { width: 20, height: 16 };
  const everywhere = mask(20, 16, () => true);
  const product = { image: patterned(1, size), mask: everywhere };

  /** Mean absolute difference of 5 × 5 patches, black beyond the border, by definition. */
  function slow(a: Image, b: Image, p: { row: number; column: number }, q: { row: number; column: number }) {
    let sum = 0;
    const at = ({ data, width, height }: Image, y: number, x: number, c: number) =>
      y < 0 || x < 0 || y >= height || x >= width ? 0 : data[(y * width + x) * 3 + c]!;
    for (let y = -2; y <= 2; y++)
      for (let x = -2; x <= 2; x++)
        for (let c = 0; c < 3; c++) sum += Math.abs(at(a, p.row + y, p.column + x, c) - at(b, q.row + y, q.column + x, c));
    return sum / 75 / 127.5;
  }

  it("compares the patches around points and matches, also at the border", async () => {
    const generated = { image: patterned(2, size), mask: everywhere };
    const points = [
      { row: 0, column: 0 },
      { row: 8, column: 19 },
    ];
    const matches = [
      { row: 15, column: 3, cosine: 1 },
      { row: 7, column: 7, cosine: 1 },
    ];
    const { scores, value, outside } = await scoreMatches(product, generated, points, matches, fakeLpips(), { patch: 5 });
    const expected = points.map((point, index) => slow(product.image, generated.image, point, matches[index]!));
    for (const [index, score] of scores.entries()) expect(score).toBeCloseTo(expected[index]!, 6);
    expect(value).toBeCloseTo((expected[0]! + expected[1]!) / 2, 6);
    expect(outside).toEqual([false, false]);
  });

  it("punishes matches beyond the grown mask", async () => {
    const generated = { image: patterned(1, size), mask: mask(20, 16, (x) => x < 6) };
    const points = [5, 8, 9].map((column) => ({ row: 4, column }));
    const matches = points.map((point) => ({ ...point, cosine: 1 }));
    const { scores, outside, penalty } = await scoreMatches(product, generated, points, matches, fakeLpips(), { patch: 3, dilation: 7 });
    expect(penalty).toBe(2);
    expect(outside).toEqual([false, false, true]);
    expect([...scores]).toEqual([0, 0, 2]);
    const own = await scoreMatches(product, generated, points, matches, fakeLpips(), { patch: 3, dilation: 1, penalty: 0.25 });
    expect([...own.scores]).toEqual([0, 0.25, 0.25]);
  });

  it("has no value without points, and refuses odd settings", async () => {
    expect((await scoreMatches(product, product, [], [], fakeLpips())).value).toBeNaN();
    await expect(scoreMatches(product, product, [], [], fakeLpips(), { patch: 4 })).rejects.toThrow("odd patch");
    await expect(scoreMatches(product, product, [{ row: 0, column: 0 }], [], fakeLpips())).rejects.toThrow("one match per point");
    await expect(scoreMatches(product, product, [], [], fakeLpips(), { dilation: 2 })).rejects.toThrow(ArgumentError);
  });
});

describe("matchedPatchDistance", () => {
  it("of a picture with itself is 0 with features that tell places apart", async () => {
    const picture = patterned(4, { width: 30, height: 22 });
    const features = { name: "given", features: async () => grid(16, 9, 9, 5) };
    const whole = mask(30, 22, () => true);
    const input = { product: picture, productMask: whole, generated: picture, generatedMask: whole };
    const result = await matchedPatchDistance(input, features, fakeLpips(), { size: 48, grid: 12, patch: 7 });
    expect(result.points).toHaveLength(16);
    expect(result.value).toBe(0);
    await expect(matchedPatchDistance(input, features, fakeLpips(), { size: 0 })).rejects.toThrow(ArgumentError);
  });

  it("asks for no features where there is no product", async () => {
    const picture = patterned(4);
    const features = {
      name: "given",
      features: async () => {
        throw new Error("not needed");
      },
    };
    const nowhere = mask(12, 10, () => false);
    const result = await matchedPatchDistance(
      { product: picture, productMask: nowhere, generated: picture, generatedMask: nowhere },
      features,
      fakeLpips(),
    );
    expect(result.value).toBeNaN();
  });
});
