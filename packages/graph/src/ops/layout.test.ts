import { describe, expect, it } from "vitest";
import { Graph } from "../graph.js";
import { evaluate, expectClose, expectGraphError, float32, gaussian, int64, parameter, reader, tabulate } from "./evaluate.test.support.js";
import { argMax, embedding, pickRows } from "./gather.js";
import { concat, expand, reshape, slice, transpose } from "./layout.js";

describe("layout", () => {
  const x = gaussian("x", [2, 3, 5]);
  const read = reader(x);

  it("reshape keeps the elements in order", async () => {
    const { y, same } = await evaluate({ x }, (inputs) => ({ y: reshape(inputs.x!, [5, 6]), same: reshape(inputs.x!, [2, 3, 5]) }));
    expectClose(y, { dims: [5, 6], data: x.data }, 1e-12);
    expectClose(same, x, 1e-12);
  });

  it.each([[[0, 2, 1]], [[2, 0, 1]], [[0, 1, 2]], [[1, 0, 2]]])("transpose %j", async (order) => {
    const { y } = await evaluate({ x }, (inputs) => ({ y: transpose(inputs.x!, order) }));
    const expected = tabulate(
      order.map((axis) => x.dims[axis]!),
      (...index) => {
        const place: number[] = [];
        for (const [at, axis] of order.entries()) place[axis] = index[at]!;
        return read(...place);
      },
    );
    expectClose(y, expected, 1e-12);
  });

  it.each([0, 1, 2])("concat along axis %d, slice takes the parts out again", async (axis) => {
    const [b, w] = [gaussian("b", x.dims.with(axis, 4)), gaussian("w", x.dims.with(axis, 1))];
    const sizes = [x.dims[axis]!, 4, 1];
    const { y, first, second, third } = await evaluate({ x, b }, (inputs) => {
      const y = concat([inputs.x!, inputs.b!, parameter("w", w)], axis);
      const part = (index: number) =>
        slice(
          y,
          axis,
          sizes.slice(0, index).reduce((a, s) => a + s, 0),
          sizes.slice(0, index + 1).reduce((a, s) => a + s, 0),
        );
      return { y, first: part(0), second: part(1), third: part(2) };
    });
    const [readB, readW] = [reader(b), reader(w)];
    const joined = tabulate(x.dims.with(axis, sizes[0]! + 5), (...index) => {
      const at = index[axis]! - sizes[0]!;
      if (at < 0) return read(...index);
      return at < 4 ? readB(...index.with(axis, at)) : readW(...index.with(axis, at - 4));
    });
    expectClose(y, joined, 1e-12);
    expectClose(first, x, 1e-12);
    expectClose(second, b, 1e-12);
    expectClose(third, w, 1e-12);
  });

  it("expand repeats values and parameters", async () => {
    const [a, w] = [gaussian("a", [3, 1]), gaussian("w", [1, 4])];
    const { y, z } = await evaluate({ a }, (inputs, graph) => ({
      y: expand(inputs.a!, graph, [2, 3, 5]),
      z: expand(parameter("w", w), graph, [3, 4]),
    }));
    expectClose(
      y,
      tabulate([2, 3, 5], (_, i) => a.data[i]!),
      1e-12,
    );
    expectClose(
      z,
      tabulate([3, 4], (_, j) => w.data[j]!),
      1e-12,
    );
  });
});

describe("gather", () => {
  it("embedding takes rows of a table", async () => {
    const [table, indices] = [gaussian("table", [7, 3]), int64([2, 4], [0, 6, 3, 3, 5, 1, 0, 2])];
    const { y } = await evaluate({ indices }, (inputs) => ({ y: embedding(inputs.indices!, parameter("table", table)) }));
    expectClose(
      y,
      tabulate([2, 4, 3], (b, t, c) => table.data[Number(indices.data[b * 4 + t]) * 3 + c]!),
      1e-12,
    );
  });

  it("pickRows takes one row per item", async () => {
    const [x, positions] = [gaussian("x", [3, 5, 4]), int64([3], [4, 0, 2])];
    const { y } = await evaluate({ x, positions }, (inputs) => ({ y: pickRows(inputs.x!, inputs.positions!) }));
    const read = reader(x);
    expectClose(
      y,
      tabulate([3, 4], (b, c) => read(b, Number(positions.data[b]), c)),
      1e-12,
    );
  });

  it("argMax takes the first of equals", async () => {
    const x = float32([2, 4], [1, 5, 5, 2, -3, -1, -2, -1]);
    const { y, whole } = await evaluate({ x, n: int64([2, 1, 3], [7, 9, 9, 4, 0, 1]) }, (inputs) => ({
      y: argMax(inputs.x!),
      whole: argMax(inputs.n!),
    }));
    expect([y!.dtype, ...y!.data]).toEqual(["int64", 1n, 1n]);
    expect([whole!.dims, ...whole!.data]).toEqual([[2, 1], 1n, 0n]);
  });
});

describe("layout and gather refuse", () => {
  const graph = new Graph("guards");
  let count = 0;
  const value = (...dims: number[]) => graph.input(`v${count++}`, "float32", dims);
  const whole = (...dims: number[]) => graph.input(`n${count++}`, "int64", dims);
  it.each<[string, () => unknown, RegExp]>([
    ["another number of elements", () => reshape(value(2, 3), [4]), /reshape: \[2, 3\] does not fit \[4\]/],
    ["an axis that comes twice", () => transpose(value(2, 3), [0, 0]), /transpose: expected an order of 2 axes, got \[0, 0\]/],
    ["too few axes", () => transpose(value(2, 3), [0]), /transpose: expected an order of 2 axes, got \[0\]/],
    ["other sizes joined", () => concat([value(2, 3), value(3, 3)], 1), /concat: sizes do not fit along axis 1: \[2, 3\], \[3, 3\]/],
    ["an axis that is not there", () => concat([value(2, 3), value(2, 3)], 2), /concat: .*axis 2/],
    ["an axis from the end", () => concat([value(2, 3), value(2, 3)], -1), /concat: .*axis -1/],
    ["element types that differ", () => concat([value(2, 3), whole(2, 3)], 0), /concat: .*int64/],
    ["nothing to join", () => concat([], 0), /concat: expected at least one/],
    ["an empty slice", () => slice(value(2, 3), 1, 2, 2), /slice: 2 to 2 along axis 1 is outside \[2, 3\]/],
    ["a slice beyond the end", () => slice(value(2, 3), 1, 0, 4), /slice: 0 to 4 along axis 1/],
    ["a slice before the start", () => slice(value(2, 3), 0, -1, 1), /slice: -1 to 1/],
    ["a slice of an axis that is not there", () => slice(value(2, 3), 2, 0, 1), /slice: .*axis 2/],
    ["half an element", () => slice(value(2, 3), 1, 0.5, 2), /slice: 0.5 to 2/],
    ["sizes that cannot be repeated", () => expand(value(2, 3), graph, [4, 3]), /expand: \[2, 3\] does not fit \[4, 3\]/],
    ["fewer dimensions", () => expand(value(2, 3), graph, [3]), /expand: \[2, 3\] does not fit \[3\]/],
    ["real indices", () => embedding(value(2), value(4, 3)), /embedding: expected whole indices and a table \[N, C\], got float32/],
    ["a table that is not a matrix", () => embedding(whole(2), value(4)), /embedding: expected whole indices/],
    [
      "another number of positions",
      () => pickRows(value(2, 3, 4), whole(3)),
      /pickRows: expected x \[B, T, C\] and int64 \[B\], got \[2, 3, 4\] and int64 \[3\]/,
    ],
    ["real positions", () => pickRows(value(2, 3, 4), value(2)), /pickRows: expected/],
    ["the largest of a scalar", () => argMax(value()), /argMax: expected \[…, N\], got \[\]/],
  ])("%s", (_, build, message) => expectGraphError(build, message));
});
