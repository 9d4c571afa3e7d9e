import { describe, it } from "vitest";
import type { Value } from "../graph.js";
import { Graph } from "../graph.js";
import { conv2d } from "./convolution.js";
import { evaluate, expectClose, expectGraphError, float32, gaussian, parameter, reader, sum, tabulate } from "./evaluate.test.support.js";
import { batchNorm, groupNorm, layerNorm } from "./normalization.js";

/** Mean 0 and variance 1 over every run of `length` values, in float64. */
function normalized(data: ArrayLike<number>, length: number, epsilon: number): number[] {
  const out: number[] = [];
  for (let at = 0; at < data.length; at += length) {
    const run = Array.from({ length }, (_, index) => data[at + index]!);
    const mean = run.reduce((total, value) => total + value, 0) / length;
    const variance = run.reduce((total, value) => total + (value - mean) ** 2, 0) / length;
    for (const value of run) out.push((value - mean) / Math.sqrt(variance + epsilon));
  }
  return out;
}

describe("groupNorm", () => {
  it.each([
    [[2, 6, 3, 5], 3],
    [[3, 4, 7], 1],
    [[1, 5, 2, 3], 5],
    [[2, 8, 11, 13], 4],
    [[2, 4, 2, 3, 2], 2],
    [[1, 2, 1, 1], 1],
  ])("%j in %d groups equals the float64 definition", async (dims, groups) => {
    const [x, weight, bias] = [gaussian("x", dims), gaussian("weight", [dims[1]!]), gaussian("bias", [dims[1]!])];
    const { y } = await evaluate({ x }, (inputs) => ({
      y: groupNorm(inputs.x!, parameter("n.weight", weight), parameter("n.bias", bias), { groups, epsilon: 1e-5 }),
    }));
    const perChannel = dims.slice(2).reduce((product, size) => product * size, 1);
    const normal = normalized(x.data, (perChannel * dims[1]!) / groups, 1e-5);
    const channel = (index: number) => Math.floor(index / perChannel) % dims[1]!;
    expectClose(y, { dims, data: normal.map((value, index) => value * weight.data[channel(index)]! + bias.data[channel(index)]!) }, 1e-6);
  });

  it("keeps its digits at large offsets and many values", async () => {
    const dims = [1, 4, 160, 129];
    const noise = gaussian("x", dims);
    const x = float32(
      dims,
      noise.data.map((value) => value * 0.1 + 30),
    );
    const [weight, bias] = [float32([4], [1, 1, 1, 1]), float32([4], [0, 0, 0, 0])];
    const build = (inputs: Readonly<Record<string, Value>>) => ({
      y: groupNorm(inputs.x!, parameter("n.weight", weight), parameter("n.bias", bias), { groups: 2, epsilon: 1e-6 }),
    });
    // One unit in the last place of the mean is 2e-5 of the deviation.
    const { y } = await evaluate({ x }, build, { between: 2e-5 });
    expectClose(y, { dims, data: normalized(x.data, 2 * 160 * 129, 1e-6) }, 2e-5);
  });
});

describe("layerNorm", () => {
  it.each([
    [[3, 5, 7], 1e-5],
    [[4, 6], 1e-12],
    [[2, 3, 4, 9], 1e-3],
  ])("%j with epsilon %d equals the float64 definition", async (dims, epsilon) => {
    const width = dims.at(-1)!;
    const [x, weight, bias] = [gaussian("x", dims), gaussian("weight", [width]), gaussian("bias", [width])];
    const { y } = await evaluate({ x }, (inputs) => ({
      y: layerNorm(inputs.x!, parameter("n.weight", weight), parameter("n.bias", bias), { epsilon }),
    }));
    const normal = normalized(x.data, width, epsilon);
    expectClose(y, { dims, data: normal.map((value, index) => value * weight.data[index % width]! + bias.data[index % width]!) }, 1e-6);
  });
});

describe("normalisations refuse", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  const norm =
    (x: number[], groups: number, weight = x[1]!) =>
    () =>
      groupNorm(value(...x), value(weight), value(x[1]!), { groups, epsilon: 1e-5 });
  it.each<[string, () => unknown, RegExp]>([
    ["groups that do not divide", norm([1, 6, 3, 5], 4), /groupNorm: \[1, 6, 3, 5\] does not split into 4 groups/],
    ["no groups", norm([1, 6, 3, 5], 0), /does not split into 0 groups/],
    ["a negative number of groups", norm([1, 6, 3, 5], -2), /does not split into -2 groups/],
    ["no positions", norm([2, 6], 2), /groupNorm/],
    ["another weight", norm([1, 6, 3, 5], 2, 5), /groupNorm: expected \[6\], got v\d+ \[5\]/],
    ["another weight of layerNorm", () => layerNorm(value(2, 3), value(2), value(3)), /layerNorm: expected \[3\], got v\d+ \[2\]/],
    ["another bias of layerNorm", () => layerNorm(value(2, 3), value(3), value(1, 3)), /layerNorm: expected \[3\], got v\d+ \[1, 3\]/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});

describe("batchNorm", () => {
  it("scales and shifts each channel by fixed statistics, alone and folded into a convolution", async () => {
    const [batch, channels, height, width] = [2, 3, 4, 5];
    const x = gaussian("x", [batch, channels, height, width]);
    const named = (name: string, dims: readonly number[]) => gaussian(`bn-${name}`, dims);
    const [weight, bias, mean] = [named("weight", [channels]), named("bias", [channels]), named("mean", [channels])];
    const variance = { ...named("variance", [channels]), data: named("variance", [channels]).data.map((value) => value ** 2 + 0.1) };
    const kernel = named("kernel", [channels, channels, 3, 3]);
    const epsilon = 0.001;
    const statistics = {
      weight: parameter("bn.weight", weight),
      bias: parameter("bn.bias", bias),
      mean: parameter("bn.running_mean", mean),
      variance: parameter("bn.running_var", variance),
    };
    const { alone, folded } = await evaluate({ x }, (inputs) => ({
      alone: batchNorm(inputs.x!, statistics, { epsilon }),
      folded: batchNorm(conv2d(inputs.x!, parameter("conv.weight", kernel), undefined, { padding: 1 }), statistics, { epsilon }),
    }));
    const normal = (value: number, c: number) => ((value - mean.data[c]!) / Math.sqrt(variance.data[c]! + epsilon)) * weight.data[c]! + bias.data[c]!;
    const [read, tap] = [reader(x), reader(kernel)];
    const convolved = (b: number, k: number, i: number, j: number) =>
      sum(channels, (c) => sum(3, (u) => sum(3, (v) => read(b, c, i + u - 1, j + v - 1) * tap(k, c, u, v))));
    expectClose(
      alone,
      tabulate(x.dims, (b, c, i, j) => normal(read(b!, c!, i!, j!), c!)),
      1e-6,
    );
    expectClose(
      folded,
      tabulate(x.dims, (b, c, i, j) => normal(convolved(b!, c!, i!, j!), c!)),
      1e-6,
    );
  });

  it("refuses statistics of other sizes", () => {
    const graph = new Graph("guards");
    const x = graph.input("x", "float32", [1, 2, 3, 4]);
    const [two, three] = [graph.input("two", "float32", [2]), graph.input("three", "float32", [3])];
    expectGraphError(() => batchNorm(x, { weight: two, bias: two, mean: three, variance: two }), /batchNorm: expected \[2\], got three \[3\]/);
    expectGraphError(() => batchNorm(two, { weight: two, bias: two, mean: two, variance: two }), /expected x \[B, C, …\], got \[2\]/);
  });
});
