import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triplet } from "../contract.js";
import { DatasetError, type DatasetErrorCode } from "../error.js";
import { readAuthors } from "./authors-read.js";
import { writeAuthors } from "./authors-write.js";
import { readImageFolder } from "./image-folder-read.js";
import { writeImageFolder } from "./image-folder-write.js";
import { jsonElements, jsonLines } from "./json-stream.js";
import { readParquet } from "./parquet-read.js";
import { type BrokenTriplet, readSource } from "./stored.js";
import { readTar, type TarEntry } from "./tar-read.js";
import { writeTar } from "./tar-write.js";
import { collect, each, plain, testTriplets } from "./test-triplets.test.support.js";
import { openWebDataset, readWebDataset } from "./webdataset-read.js";
import { writeWebDataset } from "./webdataset-write.js";

const coded =
  (code: DatasetErrorCode, ...parts: readonly string[]) =>
  (error: unknown) =>
    DatasetError.isInstance(error) && error.code === code && parts.every((part) => error.message.includes(part));

let root: string;
let triplets: Triplet[];
let entries: TarEntry[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "refadgen-read-"));
  triplets = await testTriplets();
  await writeWebDataset(join(root, "shards"), each(triplets.map(({ split: _, ...rest }) => rest)));
  entries = await collect(readTar(each([await readFile(join(root, "shards", "all-000000.tar"))])));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("readWebDataset", () => {
  let number = 0;
  /** Both ways of reading say the same. */
  async function shard(list: readonly TarEntry[], onBroken?: (broken: BrokenTriplet) => void): Promise<Triplet[]> {
    const path = join(root, `${number++}.tar`);
    await writeFile(path, Buffer.concat(await collect(writeTar(list))));
    const options = onBroken ? { onBroken } : {};
    const [streamed, opened] = await Promise.allSettled([
      collect(readWebDataset([path], options)),
      collect(readSource(openWebDataset([path]), onBroken ? { onBroken: () => {} } : {})),
    ]);
    if (streamed.status === "rejected") {
      expect(String(opened.status === "rejected" && opened.reason)).toBe(String(streamed.reason));
      throw streamed.reason;
    }
    expect(opened.status === "fulfilled" && plain(opened.value)).toEqual(plain(streamed.value));
    return streamed.value;
  }
  const named = (path: string, content: string): TarEntry => ({ path, bytes: Buffer.from(content) });
  const of = (name: string) => entries.find(({ path }) => path === name)!;

  it("names the entry that is missing", async () => {
    for (const name of ["under_score-00.ad.jpg", "under_score-00.mask.png", "under_score-00.product_03.jpg", "under_score-00.mask_gs.png"])
      await expect(shard(entries.filter(({ path }) => path !== name)), name).rejects.toSatisfy(coded("format", ".tar: under_score-00"));
  });

  it("passes over what is broken, if somebody wants to be told", async () => {
    const broken: BrokenTriplet[] = [];
    const list = entries
      .map((entry) => (entry.path === "Z.ad.png" ? named("Z.ad.png", "no picture") : entry))
      .filter(({ path }) => path !== "plain.mask.png");
    const found = await shard(list, (one) => broken.push(one));
    expect(found.map(({ key }) => key).sort()).toEqual(["1712345678_123456", "a_00", "under_score-00"]);
    expect(broken.map(({ where, error }) => [where.split(": ")[1], error.code])).toEqual([
      ["plain", "format"],
      ["Z", "format"],
    ]);
  });

  it("refuses an entry twice, a triplet at two places, and keys that could be taken for something else", async () => {
    await expect(shard([entries[0]!, entries[0]!])).rejects.toSatisfy(coded("format", "twice"));
    await expect(shard([...entries, entries[0]!])).rejects.toSatisfy(coded("format", "at two places"));
    await expect(shard([named("folder/k.ad.png", "x")])).rejects.toSatisfy(coded("format", "folder/k"));
    // The key ends at the first dot, so that this one is "a", and has no ad.
    await expect(shard([{ ...of("plain.ad.png"), path: "a.b.ad.png" }, named("a.json", '{"category":"Cup"}')])).rejects.toSatisfy(
      coded("format", "a.ad.png"),
    );
  });

  it("passes over entries that belong to no sample, and files of other names", async () => {
    expect(
      plain(
        await shard([
          named("__index__.json", "x"),
          named("README", "x"),
          ...entries.flatMap((entry) => (entry.path === "plain.json" ? [entry, named("plain.depth.exr", "x")] : [entry])),
        ]),
      ),
    ).toEqual(plain(triplets.map(({ split: _, ...rest }) => rest)));
  });

  it("refuses descriptions that are not what they must be", async () => {
    for (const json of [
      "{",
      "[]",
      "{}",
      '{"category":1}',
      '{"category":"Cup","captions":[1]}',
      '{"category":"Cup","variants":{}}',
      '{"category":"Cup","variants":[{"index":0}]}',
      '{"category":"Cup","split":"x"}',
      '{"category":"Cup","extra":[]}',
      "\ufffd".repeat(3),
    ])
      await expect(shard(entries.map((entry) => (entry.path === "plain.json" ? named("plain.json", json) : entry))), json).rejects.toSatisfy(
        coded("format", "plain"),
      );
    await expect(
      shard(entries.map((entry) => (entry.path === "plain.json" ? { path: "plain.json", bytes: Uint8Array.of(0x22, 0xff, 0x22) } : entry))),
    ).rejects.toThrow("expected UTF-8");
  });

  it("reads what others put beside pictures: captions in a text file, variants without a description", async () => {
    const pick = (from: string, to: string) => ({ ...of(from), path: to });
    const [triplet] = await shard([
      pick("under_score-00.ad.jpg", "n.AD.JPEG"),
      named("n.json", '{"image_type":"Hats"}'),
      pick("under_score-00.mask.png", "n.mask.png"),
      pick("under_score-00.mask_gs.png", "n.mask_gs.png"),
      pick("under_score-00.product_00.png", "n.product_01.png"),
      pick("under_score-00.product_03.jpg", "n.product_04.jpg"),
      named("n.txt", "first\r\nsecond\n"),
    ]);
    const [first, view] = triplet!.variants;
    expect([triplet!.category, triplet!.captions, triplet!.product]).toEqual(["Hats", ["first", "second"], first!.product]);
    expect([first!.index, first!.kind, first!.mask, view!.index, view!.kind, view!.mask]).toEqual([
      1,
      "degraded",
      undefined,
      4,
      "view",
      triplets[1]!.variants[3]!.mask,
    ]);
  });

  it("reads a stream, and shards compressed by gzip, which it says are for streaming alone", async () => {
    const bytes = await readFile(join(root, "shards", "all-000000.tar"));
    expect(await collect(readWebDataset(each([bytes])))).toHaveLength(5);
    const path = join(root, "zipped.tar.gz");
    await writeFile(path, gzipSync(bytes));
    expect(await collect(readWebDataset(path))).toHaveLength(5);
    await expect(openWebDataset(path)).rejects.toThrow("readWebDataset reads it");
    await writeFile(path, gzipSync(bytes).subarray(0, 3000));
    await expect(collect(readWebDataset(path))).rejects.toSatisfy(coded("format", "gzip"));
    await writeFile(path, gzipSync(Buffer.concat(await collect(writeTar([{ path: "a.ad.png", bytes: Buffer.alloc(2 ** 22) }])))));
    await expect(collect(readWebDataset(path, { maxFileBytes: 2 ** 20 }))).rejects.toSatisfy(coded("too-large"));
  });
});

describe("readAuthors", () => {
  interface Row {
    original_image: string;
    mask_image: string;
    mask_npy: string;
    image_type: string;
    image_text: string[];
  }
  let folder: string;
  let rows: Row[];
  beforeAll(async () => {
    folder = join(root, "authors");
    await writeAuthors(folder, each(triplets.map((triplet) => ({ ...triplet, split: "train" as const }))));
    rows = JSON.parse(await readFile(join(folder, "train_sd.json"), "utf8"));
  });
  async function changed(edit: (rows: Row[]) => unknown, details = true): Promise<Triplet[]> {
    const copy = join(root, `authors ${Math.floor(performance.now() * 1000)}`);
    await cp(folder, copy, { recursive: true });
    const list: Row[] = structuredClone(rows);
    await writeFile(join(copy, "train_sd.json"), JSON.stringify(edit(list) ?? list, undefined, 4));
    if (!details) for (const name of ["triplets.jsonl", "index.json"]) await rm(join(copy, name));
    return collect(readAuthors(copy));
  }

  it("follows rows that were taken out by hand", async () => {
    const found = await changed((list) => list.filter(({ mask_image: name }) => !name.includes("under_score-00_01") && !name.startsWith("Z")));
    expect(found.map(({ key, variants }) => [key, variants.map(({ index }) => index)])).toEqual([
      ["plain", []],
      ["under_score-00", [0, 2, 3, 4]],
      ["1712345678_123456", [0, 3, 4]],
      ["a_00", [1, 2, 4]],
    ]);
    expect(found[1]!.extra).toEqual(triplets[1]!.extra);
  });

  it("reads rows without our details by the authors' rule", async () => {
    const found = await changed((list) => list.filter(({ original_image: name }) => name.startsWith("under")), false);
    const wanted = triplets[1]!;
    expect(plain(found)).toEqual(
      plain([
        {
          key: wanted.key,
          category: wanted.category,
          captions: wanted.captions,
          ad: wanted.ad,
          mask: wanted.mask,
          variants: wanted.variants,
          product: wanted.variants[0]!.product,
          split: "train",
        },
      ]),
    );
  });

  it("names the row that is wrong", async () => {
    const wrong: readonly [string, DatasetErrorCode, (list: Row[]) => unknown][] = [
      [
        "other captions",
        "format",
        (list) => {
          list[2]!.image_text = ["other"];
        },
      ],
      [
        "another category",
        "format",
        (list) => {
          list[2]!.image_type = "Car";
        },
      ],
      [
        "a product twice",
        "format",
        (list) => {
          list[2]!.mask_image = list[1]!.mask_image;
        },
      ],
      [
        "a product that is not there",
        "format",
        (list) => {
          list[1]!.mask_image = "gone_00.png";
        },
      ],
      [
        "a mask that is not there",
        "format",
        (list) => {
          list[1]!.mask_npy = "gone.npy";
        },
      ],
      [
        "a path that leaves the folder",
        "refused",
        (list) => {
          list[1]!.mask_npy = "../../etc/passwd";
        },
      ],
      [
        "an absolute path",
        "refused",
        (list) => {
          list[0]!.original_image = "/etc/passwd";
        },
      ],
      ["no name", "format", (list) => [{ ...list[0], original_image: undefined }]],
      ["no list", "format", () => ({ rows: [] })],
    ];
    for (const [what, code, edit] of wrong) {
      const details = !what.startsWith("a path") && !what.startsWith("an absolute") && !what.includes("not there");
      await expect(changed(edit, details), what).rejects.toSatisfy(coded(code, "train_sd.json"));
    }
  });

  it("refuses an ad in both lists: it would be in training and test", async () => {
    const copy = join(root, "leak");
    await cp(folder, copy, { recursive: true });
    await writeFile(join(copy, "test_sd.json"), JSON.stringify(rows.slice(0, 1)));
    await expect(collect(readAuthors(copy, { json: [join(copy, "train_sd.json"), join(copy, "test_sd.json")] }))).rejects.toSatisfy(
      coded("format", "an ad in one list"),
    );
  });
});

describe("readImageFolder", () => {
  it("names the line and field that are wrong", async () => {
    const folder = join(root, "images");
    await writeImageFolder(folder, each(triplets.map(({ split: _, ...rest }) => rest)));
    const path = join(folder, "all", "metadata.jsonl");
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    const edits: readonly [DatasetErrorCode, object][] = [
      ["format", { ad_file_name: "gone.png" }],
      ["refused", { ad_file_name: "../../x.png" }],
      ["format", { mask_file_name: null }],
      ["format", { variant_index: [0] }],
      ["format", { variant_kind: ["a", "b", "c", "d", "e"] }],
      ["format", { key: "a.b" }],
      ["format", { category: 5 }],
      ["format", { mask_file_name: "ad" }],
    ];
    for (const [code, edit] of edits) {
      const copy = join(root, "images copy");
      await rm(copy, { recursive: true, force: true });
      await cp(folder, copy, { recursive: true });
      await rm(join(copy, "index.json"));
      await writeFile(
        join(copy, "all", "metadata.jsonl"),
        [lines[0], JSON.stringify({ ...JSON.parse(lines[1]!), ...edit }), ...lines.slice(2)].join("\n"),
      );
      await expect(collect(readImageFolder(copy)), JSON.stringify(edit)).rejects.toSatisfy(coded(code, "metadata.jsonl: line 2"));
      const broken: BrokenTriplet[] = [];
      expect(await collect(readImageFolder(copy, { onBroken: (one) => broken.push(one) }))).toHaveLength(4);
      expect(broken).toHaveLength(1);
    }
    await mkdir(join(root, "csv"));
    await writeFile(join(root, "csv", "metadata.csv"), "file_name,text\n");
    await expect(collect(readImageFolder(join(root, "csv")))).rejects.toSatisfy(coded("format", "metadata.jsonl"));
  });
});

describe("readParquet", () => {
  it("names the row and column that are wrong, and refuses what is no Parquet file", async () => {
    const { ad, product } = triplets[0]!;
    const table = async (columns: Readonly<Record<string, unknown>>): Promise<Triplet[]> => {
      const writer = new ByteWriter();
      const columnData = Object.entries({ category: "Cup", ad: ad.bytes, product: product.bytes, mask: product.bytes, ...columns })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => ({ name, data: [value] }));
      parquetWrite({ writer, columnData });
      const path = join(root, "table.parquet");
      await writeFile(path, writer.getBytes());
      return collect(readParquet(path));
    };
    // Another tool's table of plain bytes; the product is no mask.
    await expect(table({})).rejects.toSatisfy(coded("format", "row 0 (00000000): mask"));
    const shards = await readFile(join(root, "shards", "all-000000.tar"));
    const mask = (await collect(readTar(each([shards])))).find(({ path }) => path === "plain.mask.png")!.bytes;
    expect(plain(await table({ mask }))).toMatchObject([
      { key: "00000000", category: "Cup", captions: [], variants: [], mask: { data: triplets[0]!.mask.data.join("") } },
    ]);
    expect((await table({ mask, key: "k", text: "one" }))[0]).toMatchObject({ key: "k", captions: ["one"] });
    for (const [column, columns] of Object.entries({
      category: { category: undefined },
      ad: { ad: undefined },
      key: { key: "a.b" },
      split: { split: "both" },
      extra: { extra: "[" },
    }))
      await expect(table({ mask, ...columns }), column).rejects.toSatisfy(coded("format", "row 0", column));
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from("PAR1PAR1"),
      Buffer.alloc(100, 0xff),
      Buffer.concat([Buffer.alloc(50), Buffer.from("\u00ff\u00ff\u00ff\u007fPAR1", "latin1")]),
      Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(40, 0x99), Buffer.from("\u0020\u0000\u0000\u0000PAR1", "latin1")]),
    ]) {
      await writeFile(join(root, "bad.parquet"), bytes);
      await expect(collect(readParquet(join(root, "bad.parquet")))).rejects.toSatisfy(coded("format", "bad.parquet"));
    }
  });
});

describe("jsonElements and jsonLines", () => {
  it("split as JSON.parse does, whatever stands in texts and wherever pieces end", async () => {
    const values = [1, 'a,]}\\"', { "[": ["]", { deep: [[]] }] }, null, [], "\u2028 杯", `${"x".repeat(300_000)},`, { a: 1 }];
    const path = join(root, "elements.json");
    for (const text of [JSON.stringify(values), JSON.stringify(values, undefined, 2), `\ufeff  ${JSON.stringify(values)}\n\n`]) {
      await writeFile(path, text);
      expect((await collect(jsonElements(path))).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()))).toEqual(values);
    }
    await writeFile(path, values.map((value) => JSON.stringify(value)).join("\n\n"));
    const lines = await collect(jsonLines(path));
    expect(lines.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()))).toEqual(values);
    const whole = await readFile(path);
    for (const { bytes, offset } of lines) expect(whole.subarray(offset, offset + bytes.length).equals(bytes)).toBe(true);
    await writeFile(path, " [ ] ");
    expect(await collect(jsonElements(path))).toEqual([]);
  });

  it("refuse what is not one whole array", async () => {
    const path = join(root, "no-array.json");
    for (const text of ["", "[", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "{}", "[1] 2", "[1][2]", '["a]']) {
      await writeFile(path, text);
      await expect(collect(jsonElements(path)), text).rejects.toSatisfy(coded("format", "no-array.json"));
    }
  });
});
