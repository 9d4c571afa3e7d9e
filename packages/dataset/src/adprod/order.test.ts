import { ArgumentError } from "@refadgen/errors";
import { describe, expect, it } from "vitest";
import { checkedDropout, defaultDropout, drawRow } from "./draws.js";
import { epochOrder, rowsOfRank } from "./order.js";
import { createRows } from "./rows.js";

const runs = [5, 0, 9, 1, 23];
const all = Array.from({ length: 38 }, (_, row) => row);

describe("epochOrder", () => {
  it.each(["full", { buffer: 1 }, { buffer: 4 }, { buffer: 1000 }] as const)(
    "has every row once, and another order each epoch and seed: %o",
    (shuffle) => {
      const orders = [0, 1].flatMap((epoch) => [0, "text"].map((seed) => [...epochOrder({ runs, shuffle, seed, epoch })]));
      for (const order of orders) expect(order.toSorted((a, b) => a - b)).toEqual(all);
      expect(new Set(orders.map(String)).size).toBe(4);
      expect([...epochOrder({ runs, shuffle, seed: 0, epoch: 0 })]).toEqual(orders[0]);
    },
  );

  it("without a shuffle is the order of the rows", () => {
    expect([...epochOrder({ runs, shuffle: "none", seed: 3, epoch: 2 })]).toEqual(all);
  });

  it("with a buffer of one row gives whole shards in another order", () => {
    const order = [...epochOrder({ runs, shuffle: { buffer: 1 }, seed: 1, epoch: 0 })];
    const breaks = order.filter((row, at) => at === 0 || order[at - 1] !== row - 1);
    expect(breaks.every((row) => [0, 5, 14, 15].includes(row))).toBe(true);
  });

  it("with a buffer never gives a row before its turn could come", () => {
    const order = epochOrder({ runs: [200], shuffle: { buffer: 8 }, seed: 5, epoch: 0 });
    for (const [at, row] of order.entries()) expect(row).toBeLessThan(at + 8);
    expect(epochOrder({ runs: [], shuffle: { buffer: 8 }, seed: 5, epoch: 0 })).toHaveLength(0);
  });

  it("is uniform: each row is first about as often as any other", () => {
    const counts = new Array<number>(6).fill(0);
    for (let epoch = 0; epoch < 6000; epoch++) counts[epochOrder({ runs: [6], shuffle: "full", seed: 9, epoch })[0]!]!++;
    // Binomial: mean 1000, deviation 29.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it("refuses what is no shuffle", () => {
    expect(() => epochOrder({ runs, shuffle: { buffer: 0 }, seed: 0, epoch: 0 })).toThrow(ArgumentError);
  });
});

describe("rowsOfRank", () => {
  it("shares all rows out, none twice", () => {
    const order = epochOrder({ runs, shuffle: "full", seed: 0, epoch: 0 });
    const ranks = [0, 1, 2].map((index) => [...rowsOfRank(order, { index, count: 3 })]);
    expect(ranks.flat().toSorted((a, b) => a - b)).toEqual(all);
    expect(ranks.map(({ length }) => length)).toEqual([13, 13, 12]);
    expect([0, 1, 2].map((index) => rowsOfRank(order, { index, count: 3, uneven: "drop" }).length)).toEqual([12, 12, 12]);
    expect(() => rowsOfRank(order, { index: 3, count: 3 })).toThrow(ArgumentError);
  });
});

describe("createRows", () => {
  const counts = Uint8Array.from([0, 2, 5, 1]);
  const chosen = Uint32Array.from([0, 2, 3]);
  const list = (products: Parameters<typeof createRows>[3]) => {
    const rows = createRows(chosen, [2, 2], counts, products);
    return { runs: rows.runs, rows: Array.from({ length: rows.length }, (_, row) => rows.at(row)).map(({ triplet, product }) => [triplet, product]) };
  };

  it("has a row per variant, and one for a product without", () => {
    expect(list("variants")).toEqual({
      runs: [1, 6],
      rows: [
        [0, 0],
        [2, 1],
        [2, 2],
        [2, 3],
        [2, 4],
        [2, 5],
        [3, 1],
      ],
    });
  });

  it("has a row for the product too, or for it alone, or one to be drawn", () => {
    expect(list("all").rows).toEqual([
      [0, 0],
      [2, 0],
      [2, 1],
      [2, 2],
      [2, 3],
      [2, 4],
      [2, 5],
      [3, 0],
      [3, 1],
    ]);
    expect(list("original")).toEqual({
      runs: [1, 2],
      rows: [
        [0, 0],
        [2, 0],
        [3, 0],
      ],
    });
    expect(list("random").rows).toEqual([
      [0, -1],
      [2, -1],
      [3, -1],
    ]);
  });
});

describe("drawRow", () => {
  it("drops 5 % images, 5 % texts and 5 % both, and draws captions and crops evenly", () => {
    const draws = Array.from({ length: 8000 }, (_, row) => drawRow({ seed: 1, epoch: 0, row }, 4, 6, defaultDropout));
    const share = (test: (draw: (typeof draws)[number]) => boolean) => draws.filter(test).length / draws.length;
    // Deviation of a share of 0.05 in 8000: 0.0024.
    for (const [image, text] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      expect(Math.abs(share((draw) => draw.dropImage === image && draw.dropText === text) - 0.05)).toBeLessThan(0.01);
    for (let caption = 0; caption < 4; caption++) expect(Math.abs(share((draw) => draw.caption === caption) - 0.25)).toBeLessThan(0.02);
    expect(Math.abs(share((draw) => draw.down < 0.5 && draw.right < 0.5) - 0.25)).toBeLessThan(0.02);
  });

  it("depends on seed, epoch and row alone, and not on dropout for the rest", () => {
    const draw = drawRow({ seed: 1, epoch: 2, row: 3 }, 4, 6, defaultDropout);
    expect(drawRow({ seed: 1, epoch: 2, row: 3 }, 4, 6, defaultDropout)).toEqual(draw);
    const without = drawRow({ seed: 1, epoch: 2, row: 3 }, 4, 6, { image: 0, text: 0, both: 0 });
    expect(without).toEqual({ ...draw, dropImage: false, dropText: false });
    for (const other of [{ seed: 2 }, { epoch: 3 }, { row: 4 }])
      expect(drawRow({ seed: 1, epoch: 2, row: 3, ...other }, 4, 6, defaultDropout).down).not.toBe(draw.down);
    expect(drawRow({ seed: 1, epoch: 2, row: 3 }, 0, 1, { image: 0, text: 0, both: 1 })).toMatchObject({
      caption: -1,
      product: 0,
      dropImage: true,
      dropText: true,
    });
  });

  it("refuses probabilities that leave no room for each other", () => {
    expect(() => checkedDropout({ image: 0.5, text: 0.5 })).toThrow(ArgumentError);
    expect(() => checkedDropout({ image: -0.1 })).toThrow(ArgumentError);
    expect(checkedDropout({ image: 0 })).toEqual({ image: 0, text: 0.05, both: 0.05 });
  });
});
