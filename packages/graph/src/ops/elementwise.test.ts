import { describe, expect, it } from "vitest";
import { Graph, type Value } from "../graph.js";
import { activation, gelu, quickGelu, silu, softmax } from "./activation.js";
import { add, cast, clamp, cos, divide, exp, multiply, relu, scalar, sigmoid, sin, sqrt, subtract, tanh } from "./elementwise.js";
import { evaluate, expectClose, expectGraphError, float32, gaussian, int64, reader, sum, tabulate } from "./evaluate.test.support.js";

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
/** Φ by its series, good to 1e-15 within ±6. */
function normalDistribution(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    total += term / (2 * n + 1);
  }
  return 0.5 + total / Math.sqrt(2 * Math.PI);
}

describe("functions of one value", () => {
  it.each<[string, (x: Value) => Value, (x: number) => number]>([
    ["exp", exp, Math.exp],
    ["sin", sin, Math.sin],
    ["cos", cos, Math.cos],
    ["tanh", tanh, Math.tanh],
    ["sigmoid", sigmoid, logistic],
    ["relu", relu, (x) => Math.max(0, x)],
    ["silu", silu, (x) => x * logistic(x)],
    ["quickGelu", quickGelu, (x) => x * logistic(1.702 * x)],
    ["gelu", gelu, (x) => x * normalDistribution(x)],
    ["activation silu", activation("silu"), (x) => x * logistic(x)],
    ["activation swish", activation("swish"), (x) => x * logistic(x)],
    ["activation gelu", activation("gelu"), (x) => x * normalDistribution(x)],
    ["activation quick_gelu", activation("quick_gelu"), (x) => x * logistic(1.702 * x)],
    ["clamp", (x) => clamp(x, -0.5, 1.25), (x) => Math.min(1.25, Math.max(-0.5, x))],
  ])("%s", async (_, op, exact) => {
    const x = gaussian("x", [3, 5, 7]);
    const { y } = await evaluate({ x }, (inputs) => ({ y: op(inputs.x!) }));
    expectClose(y, { dims: x.dims, data: Array.from(x.data, exact) }, 1e-6);
  });

  it("sqrt", async () => {
    const { y } = await evaluate({ x: float32([2, 3], [0, 1, 2, 4, 9, 1e6]) }, (inputs) => ({ y: sqrt(inputs.x!) }));
    expectClose(y, { dims: [2, 3], data: [0, 1, Math.SQRT2, 2, 3, 1000] }, 1e-6);
  });

  it("softmax over the last dimension", async () => {
    const x = gaussian("x", [2, 3, 5]);
    const { y } = await evaluate({ x }, (inputs) => ({ y: softmax(inputs.x!) }));
    const read = reader(x);
    expectClose(
      y,
      tabulate(x.dims, (b, i, j) => Math.exp(read(b, i, j)) / sum(5, (k) => Math.exp(read(b, i, k)))),
      1e-6,
    );
  });
});

describe("functions of two values broadcast as ONNX does", () => {
  const ops = {
    add: [add, (a, b) => a + b],
    subtract: [subtract, (a, b) => a - b],
    multiply: [multiply, (a, b) => a * b],
    divide: [divide, (a, b) => a / b],
  } satisfies Record<string, [typeof add, (a: number, b: number) => number]>;
  it.each([
    [
      [2, 3, 5],
      [2, 3, 5],
    ],
    [[2, 3, 5], [5]],
    [
      [2, 3, 5],
      [3, 1],
    ],
    [
      [3, 1],
      [2, 1, 4],
    ],
    [[2, 3], []],
  ])("%j and %j", async (aDims, bDims) => {
    const [a, b] = [gaussian("a", aDims), gaussian("b", bDims)];
    const results = await evaluate({ a, b }, ({ a, b }) => Object.fromEntries(Object.entries(ops).map(([name, [op]]) => [name, op(a!, b!)])));
    const rank = Math.max(aDims.length, bDims.length);
    const aligned = (dims: number[]) => [...Array<number>(rank - dims.length).fill(1), ...dims];
    const [left, right] = [aligned(aDims), aligned(bDims)];
    const [readA, readB] = [reader({ ...a, dims: left }), reader({ ...b, dims: right })];
    const at = (dims: number[], index: number[]) => index.map((i, axis) => (dims[axis] === 1 ? 0 : i));
    for (const [name, [, exact]] of Object.entries(ops)) {
      expectClose(
        results[name],
        tabulate(
          left.map((size, axis) => Math.max(size, right[axis]!)),
          (...index) => exact(readA(...at(left, index)), readB(...at(right, index))),
        ),
        1e-6,
      );
    }
  });

  it("take numbers", async () => {
    const { y } = await evaluate({ x: float32([2], [3, -5]) }, (inputs) => ({ y: divide(subtract(multiply(add(inputs.x!, 1), 2), 3), 5) }));
    expectClose(y, { dims: [2], data: [1, -2.2] }, 1e-6);
  });
});

it("cast converts, and is nothing where nothing changes", async () => {
  const { whole, real, same, truth } = await evaluate({ x: float32([4], [1.75, -2.5, 0, 7]), n: int64([2], [3, -4]) }, ({ x, n }) => ({
    whole: cast(x!, "int64"),
    real: cast(n!, "float32"),
    same: cast(x!, "float32"),
    truth: cast(x!, "bool"),
  }));
  expect([...whole!.data]).toEqual([1n, -2n, 0n, 7n]);
  expect([...real!.data]).toEqual([3, -4]);
  expect([...same!.data]).toEqual([1.75, -2.5, 0, 7]);
  expect([...truth!.data].map(Number)).toEqual([1, 1, 0, 1]);
});

describe("element by element, refused are", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  const whole = graph.input("whole", "int64", [3]);
  it.each<[string, () => unknown, RegExp]>([
    ["sizes that do not fit", () => add(value(2, 3), value(2)), /Add: \[2, 3\] and \[2\] do not fit/],
    ["element types that differ", () => multiply(value(3), whole), /Mul: expected float32, got int64/],
    ["a number with integers", () => subtract(whole, 1), /Sub: expected int64, got float32/],
    ["a function of integers", () => exp(whole), /Exp: expected real numbers, got int64/],
    ["limits for integers", () => clamp(whole, 0, 1), /clamp: expected float32, got int64/],
    ["limits the wrong way round", () => clamp(value(3), 1, 0), /clamp: expected low below high, got 1 and 0/],
    ["an unknown activation", () => activation("toString"), /activation: expected one of silu, swish, gelu, quick_gelu, got "toString"/],
    ["values of two graphs", () => add(value(3), scalar(new Graph("other"), 1)), /belongs to the graph "other"/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
