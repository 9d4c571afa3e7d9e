import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createGunzip } from "node:zlib";
import { decodeImage, toRgb } from "@refadgen/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triplet, TripletMask, TripletPicture } from "../contract.js";
import { DatasetError } from "../error.js";
import { readAuthors } from "./authors-read.js";
import { readImageFolder } from "./image-folder-read.js";
import { decodeNpy, encodeNpy } from "./npy.js";
import { openTriplets } from "./open.js";
import { readParquet } from "./parquet-read.js";
import { loadTriplet } from "./stored.js";
import { readTar } from "./tar-read.js";
import { collect } from "./test-triplets.test.support.js";
import { readWebDataset } from "./webdataset-read.js";

// fixtures/python.tar.gz: conformance/record/dataset_files.py with webdataset 1.0.2, datasets 5.2.0, NumPy 2.4.6; --seed 11 --count 4
let root: string;
let expected: {
  triplets: Record<string, { key: string }[]>;
  arrays: { file: string; refused?: boolean; shape: number[]; values: number[] }[];
  archives: { file: string; refused?: boolean; entries: object[] }[];
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "refadgen-python-"));
  const stream = createReadStream(new URL("../../fixtures/python.tar.gz", import.meta.url)).pipe(createGunzip());
  for await (const { path, bytes } of readTar(stream)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
  expected = JSON.parse(await readFile(join(root, "expected.json"), "utf8"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const typed = (error: unknown): boolean => DatasetError.isInstance(error);

async function described(triplet: Triplet): Promise<object> {
  const pixels = async ({ bytes }: TripletPicture) => {
    const { width, height, data } = toRgb(await decodeImage(bytes));
    return { width, height, sha256: sha256(data) };
  };
  const mask = ({ width, height, data }: TripletMask) => ({ width, height, sha256: sha256(data) });
  return {
    ...triplet,
    ad: await pixels(triplet.ad),
    product: await pixels(triplet.product),
    mask: mask(triplet.mask),
    variants: await Promise.all(
      triplet.variants.map(async (variant) => ({
        ...variant,
        product: await pixels(variant.product),
        ...(variant.mask && { mask: mask(variant.mask) }),
      })),
    ),
  };
}

const readers = { webdataset: readWebDataset, parquet: readParquet, "image-folder": readImageFolder, authors: readAuthors };

describe.each(["webdataset", "parquet", "image-folder", "authors"] as const)("%s as Python's packages write it", (format) => {
  it("is read exactly: pixels, masks of any type, texts", async () => {
    const triplets = await Promise.all((await collect(readers[format](join(root, format)))).map(described));
    const byKey = (list: readonly object[]) => list.toSorted((a, b) => (String(Reflect.get(a, "key")) < String(Reflect.get(b, "key")) ? -1 : 1));
    expect(triplets).toHaveLength(4);
    expect(byKey(triplets)).toEqual(byKey(expected.triplets[format]!));
  });

  it("is read in any order", async () => {
    const source = await openTriplets(join(root, format));
    const wanted = new Map(expected.triplets[format]!.map((triplet) => [triplet.key, triplet]));
    for (const index of [2, 0, 3, 1]) {
      const triplet = await loadTriplet(await source.get(index));
      expect(await described(triplet)).toEqual(wanted.get(triplet.key));
      wanted.delete(triplet.key);
    }
    expect(wanted.size).toBe(0);
    await source.dispose();
  });
});

describe("decodeNpy", () => {
  it("reads what NumPy writes: 17 types, both byte orders, both orders of dimensions, three versions", async () => {
    for (const { file, refused, shape, values } of expected.arrays) {
      const bytes = await readFile(join(root, "arrays", file));
      if (refused) expect(() => decodeNpy(bytes), file).toThrow(DatasetError);
      else {
        const array = decodeNpy(bytes);
        expect({ shape: array.shape, values: Array.from<number | bigint, number>(array.data, Number) }, file).toEqual({ shape, values });
      }
    }
    expect(expected.arrays.length).toBeGreaterThan(100);
  });
});

describe("encodeNpy", () => {
  it("writes what NumPy writes, byte for byte", async () => {
    let compared = 0;
    for (const { file, refused } of expected.arrays) {
      const bytes = await readFile(join(root, "arrays", file));
      if (refused || !file.endsWith("-C-1.npy") || !/'descr': '(\|u1|\|i1|<[ui][248]|<f[48])'/.test(bytes.toString("latin1", 0, 128))) continue;
      expect(Buffer.compare(encodeNpy(decodeNpy(bytes)), bytes), file).toBe(0);
      compared++;
    }
    expect(compared).toBe(9);
  });
});

describe("readTar", () => {
  it("reads USTAR, GNU and pax archives of Python's tarfile, and refuses broken and dangerous ones", async () => {
    for (const { file, refused, entries } of expected.archives) {
      const read = async () =>
        (await collect(readTar(createReadStream(join(root, "archives", file))))).map(({ path, bytes }) => ({ path, sha256: sha256(bytes) }));
      if (refused) await expect(read(), file).rejects.toSatisfy(typed);
      else expect(await read(), file).toEqual(entries);
    }
    expect(expected.archives).toHaveLength(12);
  });
});
