import { createWriteStream } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";
import { encodeImage, ImageError } from "@refadgen/image";
import { pack } from "tar-stream";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../evaluate/fixture-images.test-support.js";
import { MetricError } from "../metrics/error.js";
import { patterned } from "../metrics/fake-networks.test-support.js";
import { imageOf } from "../networks/pictures.js";
import { digestOf } from "./digest.js";
import { listFolder } from "./listing.js";
import { oddFile } from "./odd-files.test-support.js";
import { readRows } from "./pairs.js";
import { type ReadOptions, readImages } from "./read.js";
import type { ImageSource } from "./source.js";

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

async function png(seed: number): Promise<Uint8Array> {
  return encodeImage(patterned(seed), { format: "png" });
}

async function write(name: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const root = join(folder, name);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(join(root, file, ".."), { recursive: true });
    await writeFile(join(root, file), content);
  }
  return root;
}

async function readAll(source: ImageSource, options?: ReadOptions) {
  const stream = await readImages("generated", source, options);
  const all: { name: string; data?: Uint8Array; code?: string }[] = [];
  for await (const image of stream) {
    all.push("skipped" in image ? { name: image.name, code: image.skipped.code } : { name: image.name, data: imageOf(image.picture).data });
  }
  return { count: stream.count, all, names: all.map(({ name }) => name) };
}

async function tar(path: string, entries: Readonly<Record<string, Uint8Array>>, gzip = false): Promise<void> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, Buffer.from(content));
  archive.finalize();
  const file = createWriteStream(path);
  await (gzip ? pipeline(archive, createGzip(), file) : pipeline(archive, file));
}

describe("listFolder", () => {
  it("counts the files that each package counts, in Python's order", async () => {
    const root = await write("listing", {
      "b.png": "",
      "a.jpg": "",
      "UPPER.PNG": "",
      "Mixed.Jpg": "",
      "ö.png": "",
      "z.webp": "",
      "x.npy": "",
      "y.gif": "",
      "notes.txt": "",
      ".hidden.png": "",
      "sub/c.png": "",
      "sub/.deep/d.png": "",
    });
    await symlink(join(root, "b.png"), join(root, "link.png"));
    await symlink(join(root, "sub"), join(root, "linked-folder"));
    expect(await listFolder(root, { listing: "pytorch-fid" })).toEqual([".hidden.png", "a.jpg", "b.png", "link.png", "z.webp", "ö.png"]);
    expect(await listFolder(root, { listing: "clean-fid" })).toEqual([
      "UPPER.PNG",
      "a.jpg",
      "b.png",
      "link.png",
      "sub/c.png",
      "x.npy",
      "z.webp",
      "ö.png",
    ]);
    expect(await listFolder(root, { listing: "torch-fidelity" })).toEqual([
      ".hidden.png",
      "Mixed.Jpg",
      "UPPER.PNG",
      "a.jpg",
      "b.png",
      "link.png",
      "ö.png",
    ]);
    expect(await listFolder(root)).toContain("y.gif");
    expect(await listFolder(root)).not.toContain(".hidden.png");
    expect(await listFolder(root, { recursive: false })).not.toContain("sub/c.png");
    expect(await listFolder(root, { listing: "pytorch-fid", recursive: true })).toContain("sub/.deep/d.png");
    await expect(listFolder(join(root, "absent"))).rejects.toThrow(ArgumentError);
    await expect(listFolder(join(root, "b.png"))).rejects.toThrow("that is a file");
    await expect(listFolder(root, { listing: "x" as never })).rejects.toThrow(ArgumentError);
  });
});

describe("readImages", () => {
  it("reads folders, files, patterns, shards, lists and streams, in order", async () => {
    const [one, two, three] = [await png(1), await png(2), await png(3)];
    const root = await write("sources", { "a.png": one, "sub/b.png": two, "c.txt": "no picture" });
    await tar(join(root, "shard-0.tar"), { "x/1.png": one, "x/1.txt": Buffer.from("caption"), "x/2.png": two });
    await tar(join(root, "shard-1.tar.gz"), { "x/3.png": three }, true);
    expect(await readAll(root)).toMatchObject({ count: 2, names: ["a.png", "sub/b.png"] });
    expect(await readAll(join(root, "a.png"))).toMatchObject({ count: 1, names: ["a.png"] });
    expect(await readAll(join(root, "**/*.png"))).toMatchObject({ count: 2, names: ["a.png", "sub/b.png"] });
    expect(await readAll(join(root, "shard-0.tar"))).toMatchObject({ names: ["x/1.png", "x/2.png"] });
    const shards = await readAll(join(root, "shard-{0,1}.tar*"));
    expect(shards.count).toBeUndefined();
    expect(shards.all.map(({ data }) => data)).toEqual([1, 2, 3].map((seed) => patterned(seed).data));
    const tensor = { dtype: "float32" as const, dims: [2, 3, 1, 2], data: Float32Array.from([0, 1, 0.5, 0.25, 1, 0, 1, 1, 0, 0, 0.2, 0.4]) };
    const list = await readAll([
      join(root, "a.png"),
      two,
      patterned(3),
      { image: patterned(4), mode: "RGB" },
      { name: "given", content: one },
      tensor,
    ]);
    expect(list).toMatchObject({ count: 7, names: [join(root, "a.png"), "1", "2", "3", "given", "5.0", "5.1"] });
    expect([...list.all[5]!.data!]).toEqual([0, 128, 255, 255, 64, 0]);
    const stream = await readAll(
      (async function* () {
        yield one;
        yield patterned(2);
      })(),
    );
    expect(stream.names).toEqual(["0", "1"]);
    expect(stream.all[0]!.data).toEqual(patterned(1).data);
  });

  it("decodes a bounded number ahead", async () => {
    let [given, used, most] = [0, 0, 0];
    const source = (async function* () {
      for (let index = 0; index < 40; index++) {
        given++;
        most = Math.max(most, given - used);
        yield patterned(index);
      }
    })();
    for await (const _ of await readImages("generated", source, { decodeAhead: 3 })) used++;
    expect([given, used]).toEqual([40, 40]);
    expect(most).toBeLessThanOrEqual(4);
  });

  it("names what is no source", async () => {
    const empty = await write("empty", { "notes.txt": "" });
    const code = async (source: ImageSource) => (await readAll(source).catch((error: unknown) => error as MetricError)) as MetricError;
    for (const source of [empty, join(folder, "nowhere"), join(empty, "*.png"), []]) expect(await code(source)).toMatchObject({ code: "no-images" });
    await expect(readAll(patterned(1) as never)).rejects.toThrow("put it into a list");
    await expect(readAll(null as never)).rejects.toThrow(ArgumentError);
    await expect(readAll([7 as never])).rejects.toThrow("expected a picture at 0");
    await expect(readAll([{ dtype: "float32", dims: [3, 1, 1], data: Float32Array.of(0, 1, 2) }])).rejects.toThrow("values from 0 to 1, got 2");
    await expect(readAll([{ dtype: "float32", dims: [3, 1, 1], data: Float32Array.of(0, Number.NaN, 1) }])).rejects.toThrow("got NaN");
    await expect(readAll([{ dtype: "float32", dims: [2, 1, 1], data: new Float32Array(2) }])).rejects.toThrow("1 or 3 channels");
  });

  it("ends at a bad picture with its name, or lists it", async () => {
    const whole = await png(1);
    const root = await write("bad", {
      "0-good.png": whole,
      "1-zero-byte.png": "",
      "2-text.png": "this is no picture",
      "3-truncated.png": whole.subarray(0, whole.length - 20),
      "4-corrupt.png": Buffer.from(whole).fill(0x55, 60, 90),
      "5-huge.png": await encodeImage(patterned(1, { width: 60, height: 50 }), { format: "png" }),
      "6-animated.gif": oddFile("animatedGif"),
      "7-good.png": await png(7),
    });
    const skipped = await readAll(root, { onBadImage: "skip", maxPixels: 2000 });
    expect(skipped.all.map(({ name, code }) => [name, code])).toEqual([
      ["0-good.png", undefined],
      ["1-zero-byte.png", "truncated"],
      ["2-text.png", "unsupported"],
      ["3-truncated.png", "truncated"],
      ["4-corrupt.png", "malformed"],
      ["5-huge.png", "limit"],
      ["6-animated.gif", "unsupported"],
      ["7-good.png", undefined],
    ]);
    const error = (await readAll(root).catch((caught: unknown) => caught)) as MetricError;
    expect(error).toMatchObject({ code: "bad-image" });
    expect(error.message).toContain("1-zero-byte.png");
    expect(ImageError.isInstance(error.cause)).toBe(true);
    expect((await readAll([join(root, "absent.png")], { onBadImage: "skip" })).all).toMatchObject([{ code: "missing-file" }]);
    expect((await readAll([await png(1)], { onBadImage: "skip", maxBytes: 20 })).all).toMatchObject([{ code: "limit" }]);
    await expect(readAll(root, { onBadImage: "ignore" as never })).rejects.toThrow(ArgumentError);
    await expect(readAll(root, { decodeAhead: 0 })).rejects.toThrow(ArgumentError);
  });

  it("reads CMYK, 16 bits and the first frame of animations", async () => {
    const { all } = await readAll([oddFile("cmykJpeg"), oddFile("sixteenBitPng"), oddFile("animatedWebp")]);
    const [cmyk, grey, animated] = all.map(({ data }) => data!);
    expect(cmyk!.length).toBe(192);
    expect(cmyk![0]).toBeGreaterThan(200);
    expect(Math.max(cmyk![1]!, cmyk![2]!)).toBeLessThan(60);
    expect([...grey!]).toEqual(Array.from({ length: 12 }, (_, index) => (index * 5000) >> 8));
    expect([...animated!.subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  it("says where a shard is broken", async () => {
    const path = join(folder, "broken.tar");
    await tar(path, { "1.png": await png(1), "2.png": await png(2) });
    const { readFile } = await import("node:fs/promises");
    await writeFile(path, (await readFile(path)).subarray(0, 900));
    await expect(readAll(path)).rejects.toThrow(/whole tar archive/);
  });

  it("remembers files by their content, and stops when told to", async () => {
    const root = await write("digests", { "a.png": await png(1), "b.png": await png(1), "c.png": await png(2) });
    const digests: (string | undefined)[] = [];
    for await (const image of await readImages("real", root)) if ("picture" in image) digests.push(digestOf(image.picture));
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[0]);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of await readImages("real", root, { signal: controller.signal, decodeAhead: 1 })) controller.abort(new Error("stop"));
    })();
    await expect(reading).rejects.toThrow("stop");
  });
});

describe("readRows", () => {
  async function rows(sources: Readonly<Record<"generated" | "reference", ImageSource>>, options?: Parameters<typeof readRows>[1]) {
    const stream = await readRows(sources, options);
    const names: string[] = [];
    for await (const row of stream) names.push("skipped" in row ? `${row.name}: ${row.skipped.code}` : row.name);
    return { names, count: stream.count, unmatched: stream.unmatched };
  }

  it("pairs folders by stem and lists by order", async () => {
    const generated = await write("pairs/generated", { "a.png": await png(1), "sub/b.png": await png(2), "c.png": await png(3) });
    const reference = await write("pairs/reference", { "a.webp": await png(4), "sub/b.png": "", "d.png": await png(5) });
    await expect(rows({ generated, reference })).rejects.toThrow("2 pictures have no partner: c.png (generated without reference), d.png");
    await expect(rows({ generated, reference }, { onUnmatched: "skip" })).rejects.toThrow("sub/b.png cannot be read (truncated)");
    const result = await rows({ generated, reference }, { onUnmatched: "skip", onBadImage: "skip" });
    expect(result.names).toEqual(["a.png", "sub/b.png: truncated"]);
    expect(result.unmatched).toMatchObject([
      { name: "c.png", code: "unmatched" },
      { name: "d.png", code: "unmatched" },
    ]);
    expect((await rows({ generated: [patterned(1), patterned(2)], reference: [patterned(3), patterned(4)] })).names).toEqual(["0", "1"]);
    await expect(rows({ generated: [patterned(1)], reference: [patterned(3), patterned(4)] })).rejects.toThrow("1 generated, 2 reference");
    expect((await rows({ generated, reference }, { match: "order", onBadImage: "skip" })).count).toBe(3);
    await expect(rows({ generated, reference }, { match: "size" as never })).rejects.toThrow(ArgumentError);
  });

  it("refuses names that could mean two pictures, and sets without any pair", async () => {
    const twice = await write("pairs/twice", { "a.png": await png(1), "a.webp": await png(2) });
    const other = await write("pairs/other", { "z.png": await png(1) });
    await expect(rows({ generated: twice, reference: other })).rejects.toThrow("same stem");
    await expect(rows({ generated: join(twice, "a.png"), reference: other }, { onUnmatched: "skip" })).rejects.toThrow(MetricError);
  });
});
