import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { type Planes, planesOf } from "./planes.js";
import { meanSquaredError, peakSignalToNoise, piqSignalToNoise } from "./psnr.js";
import { msSsimOf, ssimOf } from "./ssim-recipes.js";

/** Two pictures by a formula that the recording script has too. */
function pair(width: number, height: number): readonly [Image, Image] {
  const first = new Uint8Array(width * height * 3);
  const second = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (y * width + x) * 3 + c;
        first[at] = (y * 3 + x * 5 + c * 40 + Math.floor(y / 8) * Math.floor(x / 11) * 7) % 256;
        second[at] = Math.min(255, Math.max(0, first[at]! + ((y * x + c) % 23) - 11));
      }
    }
  }
  return [
    { width, height, channels: 3, data: first },
    { width, height, channels: 3, data: second },
  ];
}

function planes(width: number, height: number): readonly [Planes, Planes] {
  const [a, b] = pair(width, height);
  return [planesOf(a, 1 / 255), planesOf(b, 1 / 255)];
}

function matrix(rows: readonly (readonly number[])[]): Planes {
  return { channels: 1, height: rows.length, width: rows[0]!.length, data: Float64Array.from(rows.flat()) };
}

describe("PSNR", () => {
  it("has the value of torchmetrics' example", () => {
    const [a, b] = [matrix([[0, 1], [2, 3]]), matrix([[3, 2], [1, 0]])]; // biome-ignore format: rows
    expect(peakSignalToNoise(meanSquaredError(a, b), 3)).toBeCloseTo(2.5527, 4);
  });

  it("is infinite for equal pictures, 80 dB after piq, and refuses other sizes", () => {
    const [a] = planes(9, 7);
    expect(peakSignalToNoise(meanSquaredError(a, a), 1)).toBe(Number.POSITIVE_INFINITY);
    expect(piqSignalToNoise(0, 1)).toBeCloseTo(80, 12);
    expect(() => meanSquaredError(a, planes(7, 9)[0])).toThrow(ArgumentError);
  });
});

// torchmetrics 1.9.0, piq 0.8.0 in float64; scikit-image with channel_axis=2, data_range=255.
describe("SSIM", () => {
  it.each([
    { width: 45, height: 60, recipe: "torchmetrics", expected: 0.9096371364991341 },
    { width: 45, height: 60, recipe: "piq", expected: 0.9197812537366302 },
    { width: 45, height: 60, recipe: "skimage", expected: 0.9416302808340408 },
    { width: 45, height: 60, recipe: "wang", expected: 0.9197812537366298 },
    { width: 197, height: 181, recipe: "torchmetrics", expected: 0.9623285294452475 },
    { width: 197, height: 181, recipe: "piq", expected: 0.9681435095923053 },
    // Pooled by two first.
    { width: 530, height: 600, recipe: "piq", expected: 0.9960980346537965 },
  ] as const)("of $width × $height pixels is that of $recipe", ({ width, height, recipe, expected }) => {
    const [a, b] = planes(width, height);
    expect(ssimOf(a, b, recipe)).toBeCloseTo(expected, 11);
    expect(ssimOf(b, a, recipe)).toBeCloseTo(expected, 11);
  });

  it("is 1 for equal pictures and does not depend on the scale", () => {
    const [image, other] = pair(45, 60);
    for (const recipe of ["torchmetrics", "piq", "skimage", "wang"] as const) {
      expect(ssimOf(planesOf(image), planesOf(image), recipe, { dataRange: 255 })).toBeCloseTo(1, 12);
      const scaled = ssimOf(planesOf(image), planesOf(other), recipe, { dataRange: 255 });
      expect(scaled).toBeCloseTo(ssimOf(planesOf(image, 1 / 255), planesOf(other, 1 / 255), recipe), 11);
    }
  });

  it("refuses pictures below the window, even windows, unknown recipes and ranges that are none", () => {
    const [a, b] = planes(8, 10);
    expect(() => ssimOf(a, b, "piq")).toThrow("at least 11 × 11");
    expect(() => ssimOf(...planes(5, 9), "torchmetrics")).toThrow(ArgumentError);
    expect(() => ssimOf(a, b, "torchmetrics", { window: "uniform", kernelSize: 4 })).toThrow("odd");
    expect(() => ssimOf(a, b, "matlab" as never)).toThrow("expected recipe");
    expect(() => ssimOf(a, b, "torchmetrics", { dataRange: 0 })).toThrow("above 0");
    expect(() => ssimOf(a, planes(10, 8)[0], "torchmetrics")).toThrow("equal size");
  });
});

describe("MS-SSIM", () => {
  it.each([
    { width: 197, height: 181, recipe: "torchmetrics", expected: 0.9976982988685685 },
    { width: 197, height: 181, recipe: "piq", expected: 0.9974779390185878 },
    { width: 530, height: 600, recipe: "torchmetrics", expected: 0.996722048357915 },
    { width: 530, height: 600, recipe: "piq", expected: 0.9966317769619533 },
  ] as const)("of $width × $height pixels is that of $recipe", ({ width, height, recipe, expected }) => {
    // torchmetrics keeps its weights in float32.
    expect(Math.abs(msSsimOf(...planes(width, height), recipe) - expected)).toBeLessThan(2e-9);
  });

  it("takes the range of each scale from the data where asked to", () => {
    expect(Math.abs(msSsimOf(...planes(197, 181), "torchmetrics", { dataRange: "data" }) - 0.9976952860058729)).toBeLessThan(2e-9);
  });

  it("refuses pictures that are too small for five scales", () => {
    expect(() => msSsimOf(...planes(170, 300), "torchmetrics")).toThrow("at least 176 × 176");
    expect(() => msSsimOf(...planes(300, 160), "piq")).toThrow("at least 161 × 161");
  });
});
