import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { reshaped, rows } from "../weights/weights.js";
import { evaluate, expectClose, expectGraphError, float32, gaussian, parameter, sum, tabulate } from "./evaluate.test.support.js";
import { linear, matMul } from "./linear.js";

describe("linear equals x · weightᵀ + bias", () => {
  it.each([[[5]], [[3, 5]], [[2, 3, 5]], [[2, 3, 4, 5]], [[1, 1, 5]]])("for x %j", async (dims) => {
    const [x, weight, bias] = [gaussian("x", dims), gaussian("weight", [7, 5]), gaussian("bias", [7])];
    const { plain, shifted } = await evaluate({ x }, (inputs) => ({
      plain: linear(inputs.x!, parameter("a.weight", weight)),
      shifted: linear(inputs.x!, parameter("b.weight", weight), parameter("b.bias", bias)),
    }));
    const product = Array.from({ length: x.data.length / 5 }, (_, row) =>
      Array.from({ length: 7 }, (_, k) => sum(5, (c) => x.data[row * 5 + c]! * weight.data[k * 5 + c]!)),
    ).flat();
    const outDims = [...dims.slice(0, -1), 7];
    expectClose(plain, { dims: outDims, data: product }, 1e-6);
    expectClose(shifted, { dims: outDims, data: product.map((value, index) => value + bias.data[index % 7]!) }, 1e-6);
  });

  it("with rows of a parameter, and a parameter in other sizes", async () => {
    const [x, weight, bias] = [gaussian("x", [3, 5]), gaussian("weight", [7, 5, 1, 1]), gaussian("bias", [7])];
    const { part, whole } = await evaluate({ x }, (inputs) => {
      const flat = reshaped(parameter("conv.weight", weight), [7, 5]);
      return { part: linear(inputs.x!, rows(flat, 2, 6), rows(parameter("conv.bias", bias), 2, 6)), whole: linear(inputs.x!, flat) };
    });
    const product = (i: number, k: number) => sum(5, (c) => x.data[i * 5 + c]! * weight.data[k * 5 + c]!);
    expectClose(
      part,
      tabulate([3, 4], (i, k) => product(i, k + 2) + bias.data[k + 2]!),
      1e-6,
    );
    expectClose(whole, tabulate([3, 7], product), 1e-6);
  });
});

describe("matMul equals the sum of its definition", () => {
  it.each([
    [
      [3, 4],
      [4, 5],
    ],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    [
      [2, 2, 3, 4],
      [2, 2, 4, 1],
    ],
    [
      [2, 3, 4],
      [4, 5],
    ],
  ])("%j · %j", async (aDims, bDims) => {
    const [a, b] = [gaussian("a", aDims), gaussian("b", bDims)];
    const { product } = await evaluate({ a, b }, (inputs) => ({ product: matMul(inputs.a!, inputs.b!) }));
    const [m, k, n] = [aDims.at(-2)!, aDims.at(-1)!, bDims.at(-1)!];
    const stacked = bDims.length > 2 ? 1 : 0;
    const expected = tabulate([a.data.length / m / k, m, n], (batch, i, j) =>
      sum(k, (c) => a.data[(batch * m + i) * k + c]! * b.data[stacked * batch * k * n + c * n + j]!),
    );
    expectClose(product, { dims: [...aDims.slice(0, -1), n], data: expected.data }, 1e-6);
  });
});

describe("rows and reshaped", () => {
  const weight = parameter("w", float32([4, 3], Array(12).keys()));

  it("say where they begin", () => {
    expect(rows(weight, 1, 3)).toMatchObject({ dims: [2, 3], start: 3 });
    expect(rows(rows(weight, 1, 4), 1, 2)).toMatchObject({ dims: [1, 3], start: 6 });
    expect(reshaped(rows(weight, 2, 4), [6])).toMatchObject({ dims: [6], start: 6 });
  });

  it.each([
    [-1, 2],
    [2, 2],
    [3, 2],
    [0, 5],
    [0.5, 2],
  ])("refuse rows %d to %d of 4", (from, to) => {
    expect(() => rows(weight, from, to)).toThrow(/rows: expected rows of w \[4, 3\], got/);
  });

  it("refuse sizes of another number of elements", () => {
    expect(() => reshaped(weight, [5, 2])).toThrow("reshaped: w [4, 3] does not fit [5, 2]");
  });
});

describe("linear and matMul refuse", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  it.each<[string, () => unknown, RegExp]>([
    ["another number of channels", () => linear(value(2, 3), value(4, 5)), /linear: expected x \[…, 5\] for weight v\d+ \[4, 5\], got \[2, 3\]/],
    ["a weight that is not a matrix", () => linear(value(2, 3), value(4, 3, 1)), /linear: expected/],
    ["a scalar", () => linear(value(), value(4, 5)), /linear: expected/],
    ["another bias", () => linear(value(2, 5), value(4, 5), value(5)), /linear: expected bias \[4\], got v\d+ \[5\]/],
    ["inner sizes that differ", () => matMul(value(2, 3), value(4, 5)), /matMul: \[2, 3\] and \[4, 5\] do not fit/],
    ["batches that differ", () => matMul(value(2, 3, 4), value(3, 4, 5)), /do not fit/],
    ["a batch in b alone", () => matMul(value(3, 4), value(2, 4, 5)), /do not fit/],
    ["vectors", () => matMul(value(3), value(3, 4)), /do not fit/],
    ["element types that differ", () => linear(graph.input("whole", "int64", [2, 5]), value(4, 5)), /linear: expected .*int64/],
    ["element types that differ in a product", () => matMul(graph.input("wholes", "int64", [2, 4]), value(4, 5)), /matMul: expected .*int64/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
