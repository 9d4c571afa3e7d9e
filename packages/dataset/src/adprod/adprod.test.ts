import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triplet } from "../contract.js";
import { writeAuthors } from "../formats/authors-write.js";
import { writeImageFolder } from "../formats/image-folder-write.js";
import { writeParquet } from "../formats/parquet-write.js";
import { collect, each, plain, testImage, testMask, testPicture } from "../formats/test-triplets.test.support.js";
import { writeWebDataset } from "../formats/webdataset-write.js";
import { AdProd, type StreamOptions } from "./adprod.js";
import type { BatchOptions, TrainingBatch } from "./batches.js";

const [width, height] = [24, 30];
const batchOptions = { batchSize: 3, shortSide: 16, crop: { width: 12, height: 16 }, clipSize: 8 } as const;

let root: string;
let triplets: Triplet[];
let webdataset: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "refadgen-adprod-"));
  triplets = await Promise.all(
    Array.from(
      { length: 11 },
      async (_, number): Promise<Triplet> => ({
        key: `k${String(number).padStart(2, "0")}`,
        category: number % 2 ? "Cup" : "Hats",
        ad: await testPicture(number, width, height),
        product: await testPicture(number + 100, width, height),
        mask: testMask(number, width, height),
        captions: [0, 1, 2, 3].map((caption) => `caption ${caption} of ${number}`),
        variants: await Promise.all(
          Array.from({ length: number % 3 }, async (_, index) => ({
            index,
            kind: index === 1 ? ("view" as const) : ("degraded" as const),
            product: await testPicture(number + 200 + index, width, height),
            ...(index === 1 && { mask: testMask(number + 30, width, height) }),
          })),
        ),
        split: number === 4 ? "test" : "train",
      }),
    ),
  );
  webdataset = join(root, "webdataset");
  await writeWebDataset(webdataset, each(triplets), { maxTriplets: 4 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function opened<T>(work: (set: AdProd) => Promise<T>, options: Parameters<typeof AdProd.open>[1] = {}, folder = webdataset): Promise<T> {
  const set = await AdProd.open(folder, options);
  try {
    return await work(set);
  } finally {
    await set.dispose();
  }
}

const rowsOf = (options: StreamOptions) =>
  opened(async (set) =>
    (await collect(set.stream(options))).map(({ item, product, epoch, position }) => ({ name: `${epoch} ${item.key} ${product}`, position })),
  );

const batchesOf = (options: Partial<BatchOptions>, count = Number.POSITIVE_INFINITY) =>
  opened(async (set) => {
    const batches: TrainingBatch[] = [];
    for await (const batch of set.batches({ ...batchOptions, workers: 0, ...options })) if (batches.push(batch) >= count) break;
    return batches;
  });

/** Numbers become texts, which compare fast. */
const comparable = (batches: readonly TrainingBatch[]) =>
  batches.map((batch) => {
    const numbers = ([batch.ad, batch.product, batch.mask, batch.clipImage] as const).map((values) => Buffer.from(values.buffer).toString("base64"));
    return { ...batch, ad: numbers[0], product: numbers[1], mask: numbers[2], clipImage: numbers[3] };
  });

describe("AdProd.at", () => {
  it.each(["webdataset", "parquet", "image-folder", "authors"] as const)(
    "gives every triplet of %s with its pixels, in any order",
    async (format) => {
      const folder = join(root, `at ${format}`);
      const write = { webdataset: writeWebDataset, parquet: writeParquet, "image-folder": writeImageFolder, authors: writeAuthors }[format];
      await write(folder, each(triplets));
      await opened(
        async (set) => {
          expect(set.length).toBe(10);
          const train = triplets.filter(({ split }) => split === "train");
          for (const index of [9, 0, 5, 3]) {
            const item = await set.at(index);
            const wanted = train[index]!;
            const number = Number(wanted.key.slice(1));
            expect([item.index, item.key, item.category, item.captions]).toEqual([index, wanted.key, wanted.category, wanted.captions]);
            expect(Uint8Array.from((await item.ad()).data)).toEqual(testImage(number, width, height).data);
            expect(Uint8Array.from((await item.product()).data)).toEqual(testImage(number + 100, width, height).data);
            expect((await item.mask()).data).toEqual(testMask(number, width, height).data);
            for (const [at, variant] of item.variants.entries()) {
              expect(Uint8Array.from((await variant.product()).data)).toEqual(testImage(number + 200 + at, width, height).data);
              expect((await variant.mask()).data).toEqual(testMask(at === 1 ? number + 30 : number, width, height).data);
            }
            expect(plain([await item.triplet()])).toEqual(plain([wanted]));
          }
        },
        { split: "train" },
        folder,
      );
    },
  );

  it("refuses indices beyond the set, splits without triplets, folders without a set, and sets of two kinds", async () => {
    await opened(async (set) => {
      for (const index of [-1, 11, 0.5, Number.NaN]) await expect(set.at(index)).rejects.toThrow(ArgumentError);
    });
    const folder = join(root, "train alone");
    await writeWebDataset(folder, each(triplets.slice(0, 2)));
    await expect(AdProd.open(folder, { split: "test" })).rejects.toThrow("got none among 2");
    await expect(AdProd.open(root)).rejects.toThrow("expected a data set");
    await writeFile(join(root, "a.tar"), "");
    await writeFile(join(root, "a.parquet"), "");
    await expect(AdProd.open(root)).rejects.toThrow("several: webdataset, parquet");
    await expect(AdProd.open([join(root, "a.tar"), join(root, "a.parquet")])).rejects.toThrow("all .tar or all .parquet");
  });

  it("opens shards by their paths", async () => {
    await opened(async (set) => expect(set.length).toBe(4), {}, [join(webdataset, "train-000001.tar")] as never);
  });
});

describe("AdProd.stream", () => {
  it("goes through a row per variant once each epoch", async () => {
    const rows = await rowsOf({ seed: 3, epochs: 2 });
    const expected = triplets.flatMap(({ key, variants }) => (variants.length === 0 ? [`${key} 0`] : variants.map((_, at) => `${key} ${at + 1}`)));
    // Of eleven triplets four have no variant, four have one and three have two.
    expect(expected).toHaveLength(4 + 4 + 6);
    for (const epoch of [0, 1])
      expect(
        rows
          .map(({ name }) => name)
          .filter((name) => name.startsWith(`${epoch} `))
          .toSorted(),
      ).toEqual(expected.map((name) => `${epoch} ${name}`).toSorted());
    expect(rows.slice(0, 14).map(({ name }) => name.slice(2))).not.toEqual(rows.slice(14).map(({ name }) => name.slice(2)));
  });

  it.each(["none", "full", { buffer: 3 }] as const)("goes on exactly from any position, shuffled %o, over the ends of epochs", async (shuffle) => {
    for (const rank of [
      { index: 0, count: 1 },
      { index: 1, count: 3 },
    ]) {
      const options = { seed: "s", shuffle, epochs: 3, rank };
      const whole = await rowsOf(options);
      for (const at of [0, 3, 4, 13, whole.length - 2, whole.length - 1]) {
        if (at >= whole.length) continue;
        const position = JSON.parse(JSON.stringify(whole[at]!.position));
        expect(await rowsOf({ ...options, position })).toEqual(whole.slice(at + 1));
      }
    }
  });

  it("shares an epoch out to ranks", async () => {
    const ranks = await Promise.all([0, 1, 2].map((index) => rowsOf({ rank: { index, count: 3 } })));
    expect(
      ranks
        .flat()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual((await rowsOf({})).map(({ name }) => name).toSorted());
  });

  it("refuses a position of another stream", async () => {
    const { position } = (await rowsOf({ seed: 1 }))[0]!;
    for (const other of [{ seed: 2 }, { seed: 1, shuffle: "none" }, { seed: 1, rank: { index: 0, count: 2 } }] as const)
      await expect(rowsOf({ ...other, position })).rejects.toThrow("expected a position of the same data set");
    await expect(rowsOf({ seed: 1, position: { ...position, row: -1 } })).rejects.toThrow(ArgumentError);
  });
});

describe("AdProd.batches", () => {
  it("gives the trainer's tensors: sizes, ranges, mask of 0 and 1", async () => {
    const batches = await batchesOf({ seed: 5 });
    expect(batches.map(({ size }) => size)).toEqual([3, 3, 3, 3, 2]);
    for (const batch of batches) {
      expect([batch.width, batch.height]).toEqual([12, 16]);
      expect([batch.ad, batch.product, batch.mask, batch.clipImage].map(({ length }) => length / batch.size)).toEqual([
        3 * 192,
        3 * 192,
        192,
        3 * 64,
      ]);
      expect(batch.ad.every((value) => value >= -1 && value <= 1)).toBe(true);
      expect(batch.mask.every((value) => value === 0 || value === 1)).toBe(true);
      expect(batch.mask.includes(1)).toBe(true);
      for (let row = 0; row < batch.size; row++) {
        const number = Number(batch.keys[row]!.slice(1));
        expect(batch.captions[row]).toMatch(batch.dropText[row] ? /^$/ : new RegExp(`^caption [0-3] of ${number}$`));
        expect(
          [undefined, 0, 1].slice(
            ...(
              [
                [0, 1],
                [1, 2],
                [1, 3],
              ] as const
            )[number % 3]!,
          ),
        ).toContain(batch.variants[row]);
      }
    }
  });

  it("are the same with any number of threads, and with any number of rows ahead", async () => {
    const wanted = comparable(await batchesOf({ seed: 7, epochs: 2 }));
    for (const options of [
      { workers: 1, prefetch: 1 },
      { workers: 3, prefetch: 50 },
    ])
      expect(comparable(await batchesOf({ seed: 7, epochs: 2, ...options }))).toEqual(wanted);
  });

  it("go on exactly from a position", async () => {
    const whole = await batchesOf({ seed: 7, epochs: 3, shuffle: { buffer: 5 } });
    const position = JSON.parse(JSON.stringify(whole[3]!.position));
    expect(comparable(await batchesOf({ seed: 7, epochs: 3, shuffle: { buffer: 5 }, position }))).toEqual(comparable(whole.slice(4)));
  });

  it("drop pictures as zeros and captions as empty texts", async () => {
    const batches = await batchesOf({ dropout: { image: 0.3, text: 0.3, both: 0.3 }, epochs: 4 });
    const seen = new Set<string>();
    for (const { size, dropImage, dropText, captions, clipImage, product } of batches)
      for (let row = 0; row < size; row++) {
        seen.add(`${dropImage[row]} ${dropText[row]}`);
        expect(captions[row] === "").toBe(dropText[row]);
        expect(clipImage.subarray(row * 192, (row + 1) * 192).every((value) => value === 0)).toBe(dropImage[row]);
        expect(product.subarray(row * 576, (row + 1) * 576).every((value) => value === 0)).toBe(false);
      }
    expect(seen.size).toBe(4);
  });

  it("of evaluation are the same in every epoch", async () => {
    const options = { cropPlace: "center", caption: "first", shuffle: "none", dropout: { image: 0, text: 0, both: 0 } } as const;
    const [first, second] = await Promise.all([batchesOf({ ...options, epoch: 0 }), batchesOf({ ...options, epoch: 1 })]);
    const part = (batches: readonly TrainingBatch[]) => comparable(batches).map(({ ad, captions, mask }) => ({ ad, captions, mask }));
    expect(part(second)).toEqual(part(first));
    expect(first[0]!.captions.every((caption) => caption.startsWith("caption 0"))).toBe(true);
  });

  it("leave out a last batch that is not full, if told to", async () => {
    expect((await batchesOf({ lastBatch: "drop" })).map(({ size }) => size)).toEqual([3, 3, 3, 3]);
  });

  it("draw a product for each triplet", async () => {
    const batches = await opened((set) => collect(set.batches({ ...batchOptions, workers: 0, epochs: 12 })), { products: "random" });
    const drawn = new Set(batches.flatMap(({ keys, variants }) => keys.map((key, row) => `${key} ${variants[row]}`)));
    expect(["k02 undefined", "k02 0", "k02 1"].every((name) => drawn.has(name))).toBe(true);
    expect(batches.reduce((sum, { size }) => sum + size, 0)).toBe(12 * 11);
  });

  it("stop with the signal's reason, and when the caller has had enough", async () => {
    const controller = new AbortController();
    const reading = opened(async (set) => {
      for await (const _ of set.batches({ ...batchOptions, workers: 2, epochs: Number.POSITIVE_INFINITY, signal: controller.signal }))
        controller.abort(new Error("enough"));
    });
    await expect(reading).rejects.toThrow("enough");
    expect(await batchesOf({ workers: 2, epochs: Number.POSITIVE_INFINITY }, 2)).toHaveLength(2);
  });

  it("keep the event loop free while threads work", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await batchesOf({ workers: 1, shortSide: 300, crop: { width: 200, height: 300 } });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });

  it("name a broken row, or pass over it", async () => {
    const folder = join(root, "broken");
    await writeAuthors(folder, each(triplets));
    await writeFile(join(folder, "Product Image", "k01_00.png"), (await readFile(join(folder, "Product Image", "k01_00.png"))).subarray(0, 200));
    await rm(join(folder, "mask_npy", "k03.npy"));
    const keys = async (options: Partial<BatchOptions>) =>
      opened(async (set) => (await collect(set.batches({ ...batchOptions, workers: 1, ...options }))).flatMap((batch) => batch.keys), {}, folder);
    await expect(keys({ shuffle: "none" })).rejects.toThrow(/k01: product: /);
    const broken: string[] = [];
    const read = await keys({ onBroken: ({ error }) => broken.push(error.message) });
    expect(read).toHaveLength(12);
    expect(broken.toSorted()).toEqual([expect.stringContaining("mask_npy/k03.npy, got none"), expect.stringContaining("k01: product: ")]);
  });

  it("refuse settings that mean nothing", async () => {
    for (const options of [{ batchSize: 0 }, { crop: { width: 17, height: 5 } }, { workers: -1 }, { epochs: 0 }, { prefetch: 0 }])
      await expect(batchesOf(options)).rejects.toThrow(ArgumentError);
  });
});
