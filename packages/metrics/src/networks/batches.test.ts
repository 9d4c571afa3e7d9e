import { Graph, multiply } from "@refadgen/graph";
import { expect, test } from "vitest";
import { BatchRunner, smallerBatches, type Variant } from "./batches.js";

/** Doubles rows of three. */
function doubling(batches: number[]): Variant {
  return {
    key: "doubling",
    batch: 4,
    build: (batch) => {
      batches.push(batch);
      const graph = new Graph("doubling");
      graph.output("y", multiply(graph.input("x", "float32", [batch, 3]), 2));
      return graph;
    },
  };
}

const inputs = { x: { dims: [3], dtype: "float32" } } as const;

test.each([1, 2, 3, 4, 5, 7, 8, 13])("%i rows come out in order, whatever fits into a batch", async (count) => {
  const batches: number[] = [];
  const runner = new BatchRunner({ threads: 1 });
  const asked: number[] = [];
  try {
    const { y } = await runner.run(doubling(batches), {
      count,
      inputs,
      row: (index) => {
        asked.push(index);
        return { x: Float32Array.of(index, index + 0.5, -index) };
      },
    });
    expect(y!.dims).toEqual([count, 3]);
    expect([...y!.data]).toEqual(Array.from({ length: count }, (_, index) => [2 * index, 2 * index + 1, -2 * index]).flat());
    expect(asked).toEqual(Array.from({ length: count }, (_, index) => index));
    // Up to half a batch goes one by one.
    expect(batches.sort()).toEqual([...(count % 4 === 1 || count % 4 === 2 ? [1] : []), ...(count > 2 ? [4] : [])]);
  } finally {
    await runner.dispose();
  }
});

test.each([
  [1, [1]],
  [2, [2]],
  [3, [4]],
  [5, [1, 4]],
  [6, [8]],
  [8, [8]],
  [19, [8, 4]],
])("%i rows with smaller batches are run in graphs of %j", async (count, expected) => {
  const batches: number[] = [];
  const runner = new BatchRunner({ threads: 1 });
  try {
    const variant = { ...doubling(batches), batch: 8, rest: smallerBatches(8) };
    const { y } = await runner.run(variant, { count, inputs, row: (index) => ({ x: Float32Array.of(index, 0, 0) }) });
    expect([...y!.data].filter((_, place) => place % 3 === 0)).toEqual(Array.from({ length: count }, (_, index) => 2 * index));
    expect(batches.toSorted()).toEqual(expected.toSorted());
  } finally {
    await runner.dispose();
  }
});

test("an abort ends a run between batches, an error of a row reaches the caller", async () => {
  const runner = new BatchRunner({ threads: 1 });
  try {
    const controller = new AbortController();
    const rows = (row: (index: number) => { readonly x: Float32Array }) => ({ count: 20, inputs, row });
    const aborted = runner.run(
      doubling([]),
      rows((index) => {
        if (index === 5) controller.abort(new Error("enough"));
        return { x: new Float32Array(3) };
      }),
      { signal: controller.signal },
    );
    await expect(aborted).rejects.toThrow("enough");
    const failing = runner.run(
      doubling([]),
      rows((index) => {
        if (index === 6) throw new Error("row 6");
        return { x: new Float32Array(3) };
      }),
    );
    await expect(failing).rejects.toThrow("row 6");
  } finally {
    await runner.dispose();
  }
  await expect(runner.run(doubling([]), { count: 1, inputs, row: () => ({ x: new Float32Array(3) }) })).rejects.toThrow(/disposed/);
});
