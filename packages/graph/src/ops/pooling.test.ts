import { describe, expect, it, test } from "vitest";
import { Graph } from "../graph.js";
import { evaluate, expectClose, expectGraphError, gaussian, reader, sum, tabulate } from "./evaluate.test.support.js";
import { averagePool2d, maxPool2d, mean, sumOfSquares } from "./pooling.js";

const sizes = [
  [2, 3, 7, 9],
  [1, 2, 8, 5],
  [3, 1, 6, 11],
] as const;
const windows = [
  { kernel: 3, stride: 2, padding: 0 },
  { kernel: 3, stride: 1, padding: 1 },
  { kernel: 2, stride: 2, padding: 0 },
  { kernel: 4, stride: 3, padding: 2 },
] as const;
const cases = sizes.flatMap((dims) => windows.map((window) => ({ dims, ...window })));

describe("maxPool2d takes the largest of each window", () => {
  it.each(cases.flatMap((entry) => [false, true].map((ceil) => ({ ...entry, ceil }))))("%j", async ({ dims, kernel, stride, padding, ceil }) => {
    const x = gaussian("x", dims);
    const { y } = await evaluate({ x }, (inputs) => ({ y: maxPool2d(inputs.x!, { kernel, stride, padding, ceil }) }));
    const read = reader(x);
    // Windows that begin inside: as many as there are starts (with ceil), or that also end inside.
    const starts = (size: number) =>
      Array.from({ length: size + padding }, (_, index) => index * stride - padding).filter((at) =>
        ceil ? at < size && at - stride + kernel < size + padding : at + kernel <= size + padding,
      );
    const [rows, columns] = [starts(dims[2]), starts(dims[3])];
    const inside = (at: number, size: number) => Array.from({ length: kernel }, (_, k) => at + k).filter((index) => index >= 0 && index < size);
    expectClose(
      y,
      tabulate([dims[0], dims[1], rows.length, columns.length], (b, c, i, j) =>
        Math.max(...inside(rows[i!]!, dims[2]).flatMap((row) => inside(columns[j!]!, dims[3]).map((column) => read(b!, c!, row, column)))),
      ),
      1e-7,
    );
  });
});

test("a window larger than the picture counts where windows may reach beyond the end, as in PyTorch", async () => {
  const x = gaussian("x", [1, 2, 2, 2]);
  const { y } = await evaluate({ x }, (inputs) => ({ y: maxPool2d(inputs.x!, { kernel: 3, stride: 2, ceil: true }) }));
  expectClose(y, { dims: [1, 2, 1, 1], data: [Math.max(...x.data.slice(0, 4)), Math.max(...x.data.slice(4))] }, 1e-7);
  expectGraphError(() => maxPool2d(new Graph("small").input("x", "float32", [1, 2, 2, 2]), { kernel: 3, stride: 2 }), /smaller than the window of 3/);
});

describe("averagePool2d takes the mean of each window", () => {
  it.each(cases.flatMap((entry) => [false, true].map((countPadding) => ({ ...entry, countPadding }))))(
    "%j",
    async ({ dims, kernel, stride, padding, countPadding }) => {
      const x = gaussian("x", dims);
      const { y } = await evaluate({ x }, (inputs) => ({ y: averagePool2d(inputs.x!, { kernel, stride, padding, countPadding }) }));
      const read = reader(x);
      const out = [dims[2], dims[3]].map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1) as [number, number];
      const covered = (at: number, size: number) => sum(kernel, (k) => (at + k >= 0 && at + k < size ? 1 : 0));
      expectClose(
        y,
        tabulate([dims[0], dims[1], ...out], (b, c, i, j) => {
          const [top, left] = [i! * stride - padding, j! * stride - padding];
          const total = sum(kernel, (k) => sum(kernel, (l) => read(b!, c!, top + k, left + l)));
          return total / (countPadding ? kernel ** 2 : covered(top, dims[2]) * covered(left, dims[3]));
        }),
        1e-6,
      );
    },
  );
});

it("mean leaves its axes out, sumOfSquares keeps them", async () => {
  const dims = [2, 3, 4, 5];
  const x = gaussian("x", dims);
  const { y, z, whole } = await evaluate({ x }, (inputs) => ({
    y: mean(inputs.x!, [2, 3]),
    z: sumOfSquares(inputs.x!, [1]),
    whole: mean(inputs.x!, [0, 1, 2, 3]),
  }));
  const read = reader(x);
  expectClose(
    y,
    tabulate([2, 3], (b, c) => sum(4, (i) => sum(5, (j) => read(b!, c!, i, j))) / 20),
    1e-6,
  );
  expectClose(
    z,
    tabulate([2, 1, 4, 5], (b, _, i, j) => sum(3, (c) => read(b!, c, i!, j!) ** 2)),
    1e-6,
  );
  expect(whole!.dims).toEqual([]);
  expect(whole!.data[0]).toBeCloseTo(x.data.reduce((a, b) => a + b) / 120, 6);
});

describe("refused", () => {
  const graph = new Graph("guards");
  const x = graph.input("x", "float32", [1, 2, 3, 4]);
  it.each<[string, () => unknown, RegExp]>([
    [
      "three dimensions",
      () => maxPool2d(graph.input("flat", "float32", [2, 3, 4]), { kernel: 2 }),
      /maxPool2d: expected x \[B, C, H, W\], got \[2, 3, 4\]/,
    ],
    ["a window of 0", () => maxPool2d(x, { kernel: 0 }), /window and a stride of at least 1, got 0/],
    ["half a step", () => averagePool2d(x, { kernel: 2, stride: 1.5 }), /got 2 and 1.5/],
    ["more padding than half the window", () => averagePool2d(x, { kernel: 3, padding: 2 }), /half the window of 3, got 2/],
    ["a window that does not fit", () => maxPool2d(x, { kernel: 4 }), /\[1, 2, 3, 4\] is smaller than the window of 4/],
    ["an axis that is not there", () => mean(x, [4]), /different axes of \[1, 2, 3, 4\], got \[4\]/],
    ["an axis twice", () => sumOfSquares(x, [1, 1]), /got \[1, 1\]/],
    ["no axis", () => mean(x, []), /got \[\]/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
