import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triplet } from "../contract.js";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import { writeAuthors } from "./authors-write.js";
import { writeImageFolder } from "./image-folder-write.js";
import { verifyDataset } from "./index-file.js";
import { openTriplets } from "./open.js";
import type { WriteProgress } from "./output.js";
import { readParquet } from "./parquet-read.js";
import { writeParquet } from "./parquet-write.js";
import { collect, each, plain, testMask, testPicture, testTriplets } from "./test-triplets.test.support.js";
import { readWebDataset } from "./webdataset-read.js";
import { writeWebDataset } from "./webdataset-write.js";

const writers = { webdataset: writeWebDataset, parquet: writeParquet, "image-folder": writeImageFolder, authors: writeAuthors };
const names = ["webdataset", "parquet", "image-folder", "authors"] as const;
const coded = (code: DatasetErrorCode) => (error: unknown) => DatasetError.isInstance(error) && error.code === code;

let root: string;
let triplets: Triplet[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "refadgen-write-"));
  triplets = await testTriplets();
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function* failing(count: number): AsyncGenerator<Triplet> {
  yield* triplets.slice(0, count);
  throw new Error("the source fails");
}

describe.each(names)("the writer of %s", (name) => {
  const write = writers[name];

  it("that is stopped leaves nothing that is taken for a data set, and the next one clears up", async () => {
    const folder = join(root, `${name} stopped`);
    await write(folder, each(triplets));
    const whole = (await readdir(folder, { recursive: true })).sort();
    await expect(write(folder, failing(3))).rejects.toThrow("the source fails");
    await expect(openTriplets(folder)).rejects.toThrow("expected a finished data set");
    await expect(openTriplets(folder, { format: name })).rejects.toSatisfy(coded("format"));
    await expect(verifyDataset(folder)).rejects.toSatisfy(coded("format"));
    await write(folder, each(triplets));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(whole);
    await verifyDataset(folder);
  });

  it("stops with the signal's reason, and tells how far it is", async () => {
    const controller = new AbortController();
    const seen: WriteProgress[] = [];
    const onProgress = (progress: WriteProgress) => {
      seen.push(progress);
      if (progress.triplets === 2) controller.abort(new Error("enough"));
    };
    await expect(write(join(root, `${name} aborted`), each(triplets), { signal: controller.signal, onProgress })).rejects.toThrow("enough");
    expect(seen.map((progress) => progress.triplets)).toEqual([1, 2]);
  });

  it("refuses triplets that are not what they must be", async () => {
    const good = triplets[1]!;
    const wrong: readonly [string, object][] = [
      ["a dot in the key", { key: "a.b" }],
      ["a path as key", { key: "../a" }],
      ["no key", { key: "" }],
      ["no category", { category: "" }],
      ["a lone surrogate", { captions: ["\ud800"] }],
      ["a caption that is none", { captions: [1] }],
      ["0 and 255", { mask: { ...good.mask, data: good.mask.data.map((value) => value * 255) } }],
      ["a mask of another size", { mask: { ...good.mask, width: good.mask.width + 1 } }],
      ["another type of picture", { ad: { ...good.ad, type: "image/png" } }],
      ["no picture", { product: { bytes: new Uint8Array(9), type: "image/png" } }],
      ["a variant twice", { variants: [good.variants[0], good.variants[0]] }],
      ["a variant beyond 99", { variants: [{ ...good.variants[0], index: 100 }] }],
      ["another split", { split: "validation" }],
      ["extra without a JSON", { extra: { a: Number.NaN } }],
      ["extra of a class", { extra: { a: new Date(0) } }],
    ];
    for (const [what, part] of wrong)
      await expect(write(join(root, `${name} wrong`), each([{ ...good, ...part } as Triplet])), what).rejects.toThrow(ArgumentError);
    await expect(write(join(root, `${name} wrong`), each([good, good]))).rejects.toThrow("twice");
  });

  it("gives back variants in the order of their numbers, and values of -0 as 0", async () => {
    const folder = join(root, `${name} sorted`);
    const good = triplets[1]!;
    await write(folder, each([{ ...good, variants: good.variants.toReversed(), extra: { zero: -0 } }]));
    const source = await openTriplets(folder);
    const { variants, extra } = await source.get(0);
    await source.dispose();
    expect(variants.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(extra).toEqual({ zero: 0 });
  });

  it("writes no triplets at all", async () => {
    const folder = join(root, `${name} empty`);
    expect(await write(folder, each([]))).toMatchObject({ format: name, triplets: 0 });
    const source = await openTriplets(folder);
    expect(source.length).toBe(0);
    await source.dispose();
  });

  it("says what the system refuses, and leaves a folder of others alone", async () => {
    const path = join(root, `${name} file`);
    await writeFile(path, "");
    await expect(write(path, each(triplets))).rejects.toSatisfy(coded("storage"));
    const folder = join(root, `${name} other`);
    await mkdir(folder);
    await writeFile(join(folder, "thesis.txt"), "mine");
    await expect(write(folder, each(triplets))).rejects.toThrow(ArgumentError);
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it("clears up a data set of another format", async () => {
    const folder = join(root, `${name} instead`);
    for (const other of names) await writers[other](folder, each(triplets));
    await write(folder, each(triplets));
    const alone = join(root, `${name} alone`);
    await write(alone, each(triplets));
    const list = async (place: string) =>
      (await readdir(place, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ name: file }) => file)
        .sort();
    expect(await list(folder)).toEqual(await list(alone));
  });
});

describe("a writer that is killed", () => {
  it.each(["webdataset", "authors"] as const)("leaves no %s taken for whole, and the next run ends like an undisturbed one", async (name) => {
    const folder = join(root, `${name} killed`);
    const program = `
      import { ${writers[name].name} as write } from ${JSON.stringify(new URL(`./${name}-write.js`, import.meta.url).href)};
      import { testTriplets } from ${JSON.stringify(new URL("./test-triplets.test.support.js", import.meta.url).href)};
      const triplets = await testTriplets();
      async function* endless() {
        for (let number = 0; ; number++) {
          if (number === 4) console.log("under way");
          yield { ...triplets[1], key: "k" + number };
        }
      }
      await write(${JSON.stringify(folder)}, endless(), { maxTriplets: 2 });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await expect(openTriplets(folder)).rejects.toThrow("expected a finished data set");
    // What has its name is whole all the same.
    for (const file of await readdir(folder)) if (/\.tar$/.test(file)) expect(await collect(readWebDataset([join(folder, file)]))).toHaveLength(2);
    const other = join(root, `${name} undisturbed`);
    for (const place of [folder, other]) await writers[name](place, each(triplets));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual((await readdir(other, { recursive: true })).sort());
    expect(await readFile(join(folder, "index.json"), "utf8")).toBe(await readFile(join(other, "index.json"), "utf8"));
  });
});

describe("shards", () => {
  it("are named by split with padded numbers, and full by count or bytes", async () => {
    const many = Array.from({ length: 7 }, (_, number): Triplet => ({ ...triplets[0]!, key: `k${number}`, split: number === 3 ? "test" : "train" }));
    const byCount = await writeWebDataset(join(root, "by count"), each(many), { maxTriplets: 4 });
    expect(byCount.files.map(({ file, split, triplets: count }) => [file, split, count])).toEqual([
      ["test-000000.tar", "test", 1],
      ["train-000000.tar", "train", 4],
      ["train-000001.tar", "train", 2],
    ]);
    const two = (await stat(join(root, "by count", "train-000001.tar"))).size;
    const byBytes = await writeWebDataset(join(root, "by bytes"), each(many), { maxBytes: two });
    expect(byBytes.files.map(({ file, triplets: count }) => [file, count])).toEqual([
      ["test-000000.tar", 1],
      ["train-000000.tar", 2],
      ["train-000001.tar", 2],
      ["train-000002.tar", 2],
    ]);
    for (const { bytes } of byBytes.files) expect(bytes).toBeLessThanOrEqual(two);
    const parquet = await writeParquet(join(root, "parquet by count"), each(many), { maxTriplets: 5, rowGroupTriplets: 2 });
    expect(parquet.files.map(({ file, triplets: count }) => [file, count])).toEqual([
      ["test-000000.parquet", 1],
      ["train-000000.parquet", 5],
      ["train-000001.parquet", 1],
    ]);
    for (const maxTriplets of [0, 1.5, Number.NaN])
      await expect(writeWebDataset(join(root, "x"), each(many), { maxTriplets })).rejects.toThrow(ArgumentError);
  });

  it.each(["webdataset", "parquet"] as const)("of %s that are cut off, changed or missing are found", async (name) => {
    const folder = join(root, `${name} damaged`);
    const { files } = await writers[name](folder, each(triplets), { maxTriplets: 1 } as object);
    const path = join(folder, files[2]!.file);
    const read = name === "webdataset" ? readWebDataset : readParquet;
    const whole = await readFile(path);
    await truncate(path, whole.length - 600);
    await expect(openTriplets(folder)).rejects.toSatisfy(coded("format"));
    await expect(collect(read(folder))).rejects.toThrow(files[2]!.file);
    await expect(collect(read([path]))).rejects.toSatisfy(coded("format"));
    const changed = Buffer.from(whole);
    changed[whole.length >> 1]! ^= 1;
    await writeFile(path, changed);
    await expect(verifyDataset(folder)).rejects.toThrow(`${files[2]!.file}: its SHA-256 differs`);
    await rm(path);
    await expect(openTriplets(folder)).rejects.toSatisfy(coded("unreadable"));
  });

  it("are read one after the other when they are given as files", async () => {
    const folder = join(root, "as files");
    const { files } = await writeWebDataset(folder, each(triplets), { maxTriplets: 1 });
    const paths = files.map(({ file }) => join(folder, file));
    expect(plain(await collect(readWebDataset(paths.toReversed())))).toEqual(plain(triplets));
    await expect(collect(readWebDataset("pipe:curl http://example.org/x.tar"))).rejects.toSatisfy(coded("refused"));
    await expect(collect(readWebDataset([]))).rejects.toThrow(ArgumentError);
  });
});

describe("the authors' layout", () => {
  it("has a row per variant, shares masks as theirs does, and holds 0 and 1", async () => {
    const folder = join(root, "authors' rows");
    const [width, height] = [5, 4];
    const view = testMask(9, width, height);
    const picture = await testPicture(1, width, height);
    const variants = [0, 1, 2, 3, 4].map((index) => ({
      index,
      kind: index > 2 ? ("view" as const) : ("degraded" as const),
      product: picture,
      ...(index > 2 && { mask: view }),
    }));
    const triplet: Triplet = {
      ...triplets[0]!,
      key: "1712_5",
      ad: picture,
      product: picture,
      mask: testMask(1, width, height),
      variants,
      split: "train",
    };
    await writeAuthors(folder, each([triplet]));
    expect(JSON.parse(await readFile(join(folder, "train_sd.json"), "utf8"))).toEqual(
      [0, 1, 2, 3, 4].map((index) => ({
        image_type: "Cup",
        original_image: "1712_5.png",
        mask_image: `1712_5_0${index}.png`,
        mask_npy: index < 3 ? "1712_5.npy" : "1712_5_gs.npy",
        image_text: ["one", "two", "three", "four"],
      })),
    );
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(
      [
        ...[
          "Ad Image",
          "Product Image",
          "mask_npy",
          "index.json",
          "train_sd.json",
          "triplets.jsonl",
          "Ad Image/1712_5.png",
          "Product Image/1712_5_product.png",
        ],
        ...["mask_npy/1712_5.npy", "mask_npy/1712_5_gs.npy"],
        ...[0, 1, 2, 3, 4].map((index) => `Product Image/1712_5_0${index}.png`),
      ].sort(),
    );
    const array = await readFile(join(folder, "mask_npy", "1712_5_gs.npy"));
    expect(array.toString("latin1", 10, 128).trim()).toBe("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 5), }");
    expect([...array.subarray(128)]).toEqual([...view.data]);
    await expect(writeAuthors(join(root, "gs"), each([{ ...triplet, key: "a_gs" }]))).rejects.toThrow(ArgumentError);
  });
});
