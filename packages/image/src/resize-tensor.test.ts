import { describe, expect, it } from "vitest";
import { resizeTensor, type TensorResizeMethod } from "./index.js";

const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

describe("resizeTensor", () => {
  it("bilinear: half-pixel centres, clamped at the border", () => {
    expect([...resizeTensor(ramp(2), [1, 2], { width: 4, height: 1 }, { method: "bilinear" })]).toEqual([0, 0.25, 0.75, 1]);
  });

  it("bilinear-antialias: a triangle over the covered inputs", () => {
    // Output 0 of 4 → 2: centre 1, weights of inputs 0, 1, 2: 3/4, 3/4, 1/4.
    expect(resizeTensor(ramp(4), [1, 4], { width: 2, height: 1 }, { method: "bilinear-antialias" })[0]).toBeCloseTo((0.75 + 0.5) / 1.75, 6);
  });

  it("tf1-bilinear: no half pixel", () => {
    expect([...resizeTensor(ramp(2), [2, 1], { width: 1, height: 4 }, { method: "tf1-bilinear" })]).toEqual([0, 0.5, 1, 1]);
  });

  it("area: the mean of the cells touched", () => {
    expect([...resizeTensor(ramp(5), [1, 5], { width: 2, height: 1 }, { method: "area" })]).toEqual([1, 3]);
    expect([...resizeTensor(ramp(6), [2, 3], { width: 1, height: 1 }, { method: "area" })]).toEqual([2.5]);
  });

  it("nearest: in float32 like PyTorch, where exact arithmetic says otherwise", () => {
    // torch.nn.functional.interpolate(torch.arange(93.)[None, None], 21, mode="nearest"), PyTorch 2.15.0
    const got = [...resizeTensor(ramp(93), [1, 93], { width: 21, height: 1 }, { method: "nearest" })];
    expect(got).toEqual([0, 4, 8, 13, 17, 22, 26, 30, 35, 39, 44, 48, 53, 57, 61, 66, 70, 75, 79, 84, 88]);
    expect(got).not.toEqual(got.map((_, i) => Math.floor((i * 93) / 21)));
  });

  it("keeps leading dimensions apart", () => {
    const data = Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => (i * 37) % 91);
    for (const method of ["nearest", "bilinear", "bilinear-antialias", "tf1-bilinear", "area"] as const) {
      const whole = resizeTensor(data, [2, 3, 4, 5], { width: 7, height: 3 }, { method });
      for (let plane = 0; plane < 6; plane++) {
        expect(whole.subarray(plane * 21, plane * 21 + 21)).toEqual(
          resizeTensor(data.subarray(plane * 20, plane * 20 + 20), [4, 5], { width: 7, height: 3 }, { method }),
        );
      }
    }
  });

  it("refuses what does not fit", () => {
    const size = { width: 2, height: 2 };
    expect(() => resizeTensor(ramp(5), [2, 3], size, { method: "area" })).toThrow("6 values for [2, 3], got 5");
    expect(() => resizeTensor(ramp(5), [5], size, { method: "area" })).toThrow("[..., H, W]");
    expect(() => resizeTensor(ramp(6), [2, 3], size, { method: "cubic" as TensorResizeMethod })).toThrow("got cubic");
    expect(() => resizeTensor(ramp(6), [2, 3], size, { method: "toString" as TensorResizeMethod })).toThrow("got toString");
  });
});
