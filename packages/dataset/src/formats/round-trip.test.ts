import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Triplet } from "../contract.js";
import { readAuthors } from "./authors-read.js";
import { writeAuthors } from "./authors-write.js";
import { readImageFolder } from "./image-folder-read.js";
import { writeImageFolder } from "./image-folder-write.js";
import { type DatasetIndex, verifyDataset } from "./index-file.js";
import { openTriplets } from "./open.js";
import { readParquet } from "./parquet-read.js";
import { writeParquet } from "./parquet-write.js";
import { loadTriplet } from "./stored.js";
import { collect, each, plain, testTriplets } from "./test-triplets.test.support.js";
import { readWebDataset } from "./webdataset-read.js";
import { writeWebDataset } from "./webdataset-write.js";

interface Format {
  readonly write: (folder: string, triplets: AsyncIterable<Triplet>) => Promise<DatasetIndex>;
  readonly read: (folder: string) => AsyncIterable<Triplet>;
}

const formats: Readonly<Record<string, Format>> = {
  webdataset: { write: (folder, triplets) => writeWebDataset(folder, triplets), read: (folder) => readWebDataset(folder) },
  "webdataset of arrays, a triplet a shard": {
    write: (folder, triplets) => writeWebDataset(folder, triplets, { masks: "npy", maxBytes: 1 }),
    read: (folder) => readWebDataset(folder),
  },
  parquet: { write: (folder, triplets) => writeParquet(folder, triplets, { maxTriplets: 2 }), read: (folder) => readParquet(folder) },
  "parquet in row groups of one": {
    write: (folder, triplets) => writeParquet(folder, triplets, { rowGroupTriplets: 1 }),
    read: (folder) => readParquet(folder),
  },
  "image folder": { write: (folder, triplets) => writeImageFolder(folder, triplets), read: (folder) => readImageFolder(folder) },
  authors: { write: (folder, triplets) => writeAuthors(folder, triplets), read: (folder) => readAuthors(folder) },
  "authors with originals": {
    write: (folder, triplets) => writeAuthors(folder, triplets, { originals: "always" }),
    read: (folder) => readAuthors(folder),
  },
};
const names = Object.keys(formats);
/** One way of writing each format; the other ways are read by the same reader. */
const plainNames = ["webdataset", "parquet", "image folder", "authors"];

let root: string;
let triplets: Triplet[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "refadgen-formats-"));
  triplets = await testTriplets();
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function filesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.sort().map(async (path) => [path.slice(folder.length), await readFile(path, "base64")] as const)));
}

describe.each(names)("from %s", (from) => {
  it.each(plainNames.includes(from) ? plainNames : [from])("to %s and back: every byte of pictures, masks, texts and extra", async (to) => {
    const first = join(root, `${from} to ${to} 1`);
    const second = join(root, `${from} to ${to} 2`);
    const index = await formats[from]!.write(first, each(triplets));
    expect(index.triplets).toBe(triplets.length);
    await formats[to]!.write(second, formats[from]!.read(first));
    const back = await collect(formats[to]!.read(second));
    expect(plain(back)).toEqual(plain(triplets));
  });

  it("again over what is there: the same files of the same bytes, none left over", async () => {
    const folder = join(root, `${from} again`);
    await formats[from]!.write(folder, each(triplets));
    const before = await filesOf(folder);
    await formats[from]!.write(folder, each([...triplets, { ...triplets[1]!, key: "one-more" }]));
    expect((await filesOf(folder)).size).toBeGreaterThanOrEqual(before.size);
    await formats[from]!.write(folder, each(triplets));
    expect(await filesOf(folder)).toEqual(before);
    await expect(verifyDataset(folder)).resolves.toMatchObject({ triplets: triplets.length });
  });

  it("in any order", async () => {
    const folder = join(root, `${from} in any order`);
    await formats[from]!.write(folder, each(triplets));
    const source = await openTriplets(folder);
    try {
      expect(source.length).toBe(triplets.length);
      const counts = await source.variantCounts();
      const found: Triplet[] = [];
      for (const index of [4, 0, 3, 1, 2]) {
        const triplet = await loadTriplet(await source.get(index));
        expect(counts[index]).toBe(triplet.variants.length);
        expect(source.splitOf(index)).toBe(triplet.split);
        found.push(triplet);
      }
      expect(plain(found)).toEqual(plain(triplets));
    } finally {
      await source.dispose();
    }
  });
});
