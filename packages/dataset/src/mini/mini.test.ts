import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { decodeImage } from "@refadgen/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdProd } from "../adprod/adprod.js";
import type { Triplet } from "../contract.js";
import { decodeNpy } from "../formats/npy.js";
import { tableOneCounts } from "../report/table-one.js";
import { huMoments } from "./hu-moments.test.support.js";
import { miniTriplets } from "./mini-triplets.js";
import { miniCategories } from "./products/catalogue.js";
import { type MiniMask, miniProduct, miniTriplet } from "./triplet.js";
import { writeMini } from "./write-mini.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-mini-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const small = { seed: 7, width: 72, height: 88 };

async function digests(triplets: AsyncIterable<Triplet>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, ad, product, mask, captions, extra } of triplets) {
    const hash = createHash("sha256").update(ad.bytes).update(product.bytes).update(mask.data);
    found.push(`${key} ${hash.update(JSON.stringify([captions, extra])).digest("hex")}`);
  }
  return found;
}

const share = ({ data }: MiniMask) => data.reduce((sum, inside) => sum + inside, 0) / data.length;

describe("miniTriplets", () => {
  it("gives the same bytes in the same order on one thread and on three, from any start", async () => {
    const one = await digests(miniTriplets(4, { ...small, workers: 1 }));
    expect(await digests(miniTriplets(4, { ...small, workers: 3 }))).toEqual(one);
    expect(await digests(miniTriplets(2, { ...small, first: 2, workers: 2 }))).toEqual(one.slice(2, 4));
    expect(new Set(one.map((line) => line.slice(7))).size).toBe(4);
    expect(await digests(miniTriplets(1, { ...small, seed: 8 }))).not.toEqual(one.slice(0, 1));
  });

  it("stops at once when aborted, tells how far it is, and refuses wrong options before it starts", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const all = miniTriplets(1000, { ...small, workers: 1, signal: controller.signal, onProgress: ({ done }) => seen.push(done) });
    await all.next();
    const next = all.next();
    controller.abort(new Error("enough"));
    await expect(next.then(() => all.next())).rejects.toThrow("enough");
    expect(seen.slice(0, 1)).toEqual([1]);
    for (const wrong of [{ width: 63 }, { height: 641 }, { categories: ["spaceship"] }, { workers: 0 }, { first: -1 }])
      await expect(miniTriplets(1, { ...small, ...wrong }).next()).rejects.toThrow(ArgumentError);
    await expect(miniTriplets(-1, small).next()).rejects.toThrow(/count/);
  });
});

describe("a triplet", () => {
  it.each([
    [64, 64],
    [64, 101],
    [133, 77],
    [640, 64],
  ])("of %d × %d has every part in that size", (width, height) => {
    const { ad, product, views } = miniTriplet(11, { seed: "sizes", width, height, views: 1 });
    for (const { image, mask, matte, depth } of [ad, product, ...views]) {
      expect(image).toMatchObject({ width, height, channels: 3 });
      expect(mask).toMatchObject({ width, height });
      for (const part of [mask.data, matte, depth]) expect(part).toHaveLength(width * height);
      expect(share(mask)).toBeGreaterThan(0.002);
    }
  });

  it("has captions that are four, differ, are short, and name the product", () => {
    const words = new Map(miniCategories.map(({ name, phrase }) => [name, phrase.replace(/^an? /, "")]));
    for (let index = 0; index < 60; index++) {
      const { captions, category, mentions } = miniTriplet(index, { seed: 3, width: 64, height: 64 });
      expect(new Set(captions).size).toBe(4);
      expect(mentions.category).toBe(category);
      for (const caption of captions) {
        expect(caption.split(/\s+/).length).toBeLessThanOrEqual(50);
        const last = words.get(category)!.split(" ").at(-1)!;
        expect(caption.toLowerCase()).toContain(last.toLowerCase());
      }
    }
  });

  it("shows the product as another photo on white: whole, alone, and not the ad's pixels", () => {
    for (let index = 0; index < 30; index++) {
      const { ad, product } = miniTriplet(index, small);
      const { image, mask, matte } = product;
      let [outside, border] = [0, 0];
      for (let y = 0; y < image.height; y++)
        for (let x = 0; x < image.width; x++) {
          const pixel = y * image.width + x;
          const white = [0, 1, 2].every((channel) => image.data[3 * pixel + channel]! >= 250);
          if (matte[pixel] === 0 && !white) outside++;
          if (mask.data[pixel] === 1 && (x === 0 || y === 0 || x === image.width - 1 || y === image.height - 1)) border++;
        }
      expect([index, outside, border]).toEqual([index, 0, 0]);
      expect(Buffer.compare(ad.image.data, image.data)).not.toBe(0);
    }
  });

  it("has a mask that is where the depth is nearer than what lies behind, half a pixel at most of its matte", () => {
    const { ad } = miniTriplet(4, { seed: 1, width: 120, height: 150 });
    for (const [pixel, inside] of ad.mask.data.entries()) {
      expect(inside).toBe(ad.matte[pixel]! >= 128 ? 1 : 0);
      if (inside) expect(Number.isFinite(ad.depth[pixel]!)).toBe(true);
    }
  });
});

describe("categories", () => {
  it("are at least 24 of Table 1's", () => {
    const known = new Set(Object.keys(tableOneCounts).map((name) => name.toLowerCase()));
    expect(miniCategories.filter(({ name }) => known.has(name)).length).toBeGreaterThanOrEqual(24);
  });

  it("are of one piece from top to bottom, caps on their bottles", () => {
    const categories = ["body wash", "bottle", "coffee", "foundation", "lipstick", "shampoo"];
    for (let index = 0; index < 10 * categories.length; index++) {
      const { category, picture } = miniProduct(index, { seed: "pieces", width: 64, height: 80, categories });
      const { width, height, data } = picture.mask;
      const rows = Array.from({ length: height }, (_, y) => data.subarray(y * width, (y + 1) * width).includes(1));
      expect([index, category, rows.slice(rows.indexOf(true), rows.lastIndexOf(true)).includes(false)]).toEqual([index, category, false]);
    }
  });

  it("differ in shape: the nearest of Hu's moments names a silhouette well above chance", () => {
    const each = 5;
    const shapes = miniCategories.flatMap((_, category) =>
      Array.from({ length: each }, (_, example) => {
        const { picture } = miniProduct(category + example * miniCategories.length, { seed: "shapes", width: 96, height: 96 });
        return { category, moments: huMoments(picture.mask) };
      }),
    );
    const right = shapes.filter(({ category, moments }, self) => {
      const distance = (other: readonly number[]) => Math.hypot(...other.map((value, index) => value - moments[index]!));
      const nearest = shapes.filter((_, index) => index !== self).reduce((a, b) => (distance(b.moments) < distance(a.moments) ? b : a));
      return nearest.category === category;
    });
    // Chance is one of thirty.
    expect(right.length / shapes.length).toBeGreaterThan(8 / miniCategories.length);
  });
});

describe("writeMini", () => {
  it("writes a data set that opens, with details beside it, and leaves a finished one alone", async () => {
    const path = join(folder, "mini");
    const options = { ...small, views: 1, details: true, format: "webdataset" } as const;
    const index = await writeMini(path, 5, options);
    expect(index.triplets).toBe(5);
    const set = await AdProd.open(path);
    expect(set.length).toBe(5);
    const keys = (await readdir(`${path}-details`)).sort();
    expect(keys).toEqual(["000000", "000001", "000002", "000003", "000004"]);
    const files = (await readdir(join(`${path}-details`, "000003"))).sort();
    expect(files).toEqual([
      "ad_depth.npy",
      "ad_mask.png",
      "ad_matte.png",
      "product_depth.npy",
      "product_mask.png",
      "product_matte.png",
      "view_00_depth.npy",
      "view_00_mask.png",
      "view_00_matte.png",
      "view_00_picture.png",
    ]);
    const made = miniTriplet(3, { ...small, views: 1 });
    const depth = decodeNpy(await readFile(join(`${path}-details`, "000003", "ad_depth.npy")));
    expect(depth).toMatchObject({ shape: [88, 72], data: made.ad.depth });
    const view = await decodeImage(join(`${path}-details`, "000003", "view_00_picture.png"));
    expect(Buffer.compare(view.data, made.views[0]!.image.data)).toBe(0);
    let told = 0;
    expect(await writeMini(path, 5, { ...options, onProgress: () => told++ })).toMatchObject(index);
    expect(told).toBe(0);
    expect((await writeMini(path, 4, { ...options, onProgress: () => told++ })).triplets).toBe(4);
    expect(told).toBe(4);
  });

  it("refuses a folder of other things and formats that it does not know", async () => {
    await expect(writeMini(folder, 1, small)).rejects.toThrow(/other files/);
    await expect(writeMini(join(folder, "x"), 1, { ...small, format: "zip" as "parquet" })).rejects.toThrow(/format/);
  });
});
