import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { featherMask } from "../cut-out.js";
import { cleanMask, dilateMask, erodeMask, splitMask } from "./clean.js";
import { squaredDistance } from "./distance.js";
import { boxIoU, emptyMask, type Mask, maskArea, maskBox, maskIoU } from "./mask.js";

/** Rows of `.` and `#`. */
function drawn(...rows: string[]): Mask {
  return { width: rows[0]!.length, height: rows.length, data: Uint8Array.from(rows.join(""), (letter) => (letter === "#" ? 1 : 0)) };
}

function rowsOf({ width, data }: Mask): string[] {
  return Array.from({ length: data.length / width }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (value) => (value ? "#" : ".")).join(""),
  );
}

/** Every third pixel or so, from the digits of a square root. */
const scattered: Mask = {
  width: 23,
  height: 14,
  data: Uint8Array.from({ length: 23 * 14 }, (_, index) => (Math.sqrt(index * 7 + 2) % 1 < 0.06 ? 1 : 0)),
};

describe("squaredDistance", () => {
  it.each([0, 1] as const)("is that of the nearest pixel of value %i", (value) => {
    const { width, height, data } = scattered;
    const nearest = (x: number, y: number) =>
      Math.min(
        ...Array.from(data, (other, index) =>
          other === value ? (x - (index % width)) ** 2 + (y - Math.floor(index / width)) ** 2 : Number.POSITIVE_INFINITY,
        ),
      );
    const expected = Array.from({ length: width * height }, (_, index) => nearest(index % width, Math.floor(index / width)));
    expect(Array.from(squaredDistance(scattered, value))).toEqual(expected);
  });

  it("is infinite where there is nothing to be near", () => {
    expect(Array.from(squaredDistance(emptyMask({ width: 3, height: 2 }), 1))).toEqual(Array(6).fill(Number.POSITIVE_INFINITY));
  });
});

describe("cleanMask", () => {
  it("fills small holes, keeps large ones, removes specks", () => {
    const mask = drawn("#########..#", "#.#....##...", "###....##...", "#########...");
    expect(rowsOf(cleanMask(mask, { holes: 0.1, islands: 0.1 }))).toEqual(["#########...", "###....##...", "###....##...", "#########..."]);
    expect(rowsOf(cleanMask(mask, { holes: 1, islands: 0 }))).toEqual(["#########..#", "#########...", "#########...", "#########..."]);
  });

  it("does not fill what is open to the picture's edge", () => {
    const mask = drawn("###", "#.#", "#.#");
    expect(cleanMask(mask, { holes: 1 })).toEqual(mask);
  });

  it("keeps pieces that touch by a corner together", () => {
    const mask = drawn("##..", "##..", "..##");
    expect(cleanMask(mask, { islands: 1 })).toEqual(mask);
  });

  it("cuts off threads when smoothing", () => {
    const mask = drawn(".........", ".#####...", ".########", ".#####...", ".#####...", ".........");
    expect(maskBox(cleanMask(mask, { smooth: 1 }))).toEqual({ left: 1, top: 1, width: 6, height: 4 });
  });

  it("leaves an empty mask empty", () => {
    expect(maskArea(cleanMask(emptyMask({ width: 5, height: 4 }), { smooth: 2 }))).toBe(0);
  });

  it.each([{ holes: 2 }, { islands: -1 }, { smooth: Number.NaN }])("refuses %o", (options) => {
    expect(() => cleanMask(scattered, options)).toThrow(ArgumentError);
  });

  it("refuses masks of 0 and 255", () => {
    expect(() => cleanMask({ width: 1, height: 1, data: Uint8Array.of(255) })).toThrow("expected a mask of 0 and 1, got 255");
  });
});

describe("dilateMask and erodeMask", () => {
  it("grow and shrink by a disc", () => {
    const dot = drawn(".....", ".....", "..#..", ".....", ".....");
    expect(rowsOf(dilateMask(dot, 1))).toEqual([".....", "..#..", ".###.", "..#..", "....."]);
    expect(rowsOf(dilateMask(dot, 1.5))).toEqual([".....", ".###.", ".###.", ".###.", "....."]);
    expect(erodeMask(dilateMask(dot, 2), 2)).toEqual(dot);
  });
});

describe("splitMask", () => {
  it("gives the pieces by size", () => {
    expect(splitMask(drawn("#..##", "...##", "#...."), { share: 0.5 }).map(rowsOf)).toEqual([["...##", "...##", "....."]]);
    expect(splitMask(drawn("##.###"), {}).map(maskArea)).toEqual([3, 2]);
  });
});

describe("measures", () => {
  it("maskIoU counts pixels", () => {
    expect(maskIoU(drawn("##.."), drawn(".##."))).toBeCloseTo(1 / 3);
    expect(maskIoU(drawn("...."), drawn("...."))).toBe(1);
    expect(() => maskIoU(drawn("...."), drawn("...", "..."))).toThrow("4 × 1 and 3 × 2");
  });

  it("boxIoU counts areas", () => {
    const box = { left: 0, top: 0, width: 4, height: 2 };
    expect(boxIoU(box, { left: 2, top: 1, width: 4, height: 2 })).toBeCloseTo(2 / 14);
    expect(boxIoU(box, { left: 4, top: 0, width: 4, height: 2 })).toBe(0);
  });

  it("maskBox is the smallest box", () => {
    expect(maskBox(drawn("....", ".#..", "..#.", "...."))).toEqual({ left: 1, top: 1, width: 2, height: 2 });
    expect(maskBox(drawn(".."))).toBeUndefined();
  });
});

describe("featherMask", () => {
  it("falls off evenly on either side and keeps the outline", () => {
    const mask = drawn("....####");
    expect(Array.from(featherMask(mask, 2))).toEqual([0, 0, 32, 96, 159, 223, 255, 255]);
    expect(Array.from(featherMask(mask, 0))).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
    expect(Array.from(featherMask(drawn("##"), 3))).toEqual([255, 255]);
  });
});
