import { cropImage, encodeImage, type Image, loadImage, resizeImage } from "@refadgen/image";
import { beforeAll, describe, expect, test } from "vitest";
import { miniTriplet } from "../mini/triplet.js";
import { type FingerprintedItem, findDuplicates } from "./find-duplicates.js";
import { fingerprintPicture, fingerprintStage } from "./fingerprint.js";
import { likeness, readThumbnail } from "./thumbnail.js";

const count = 18;
const ads: Image[] = [];

beforeAll(() => {
  for (let index = 0; index < count; index++) ads.push(miniTriplet(index, { seed: "duplicates", width: 128, height: 160 }).ad.image);
}, 60_000);

function item(key: string, image: Image, more: Partial<FingerprintedItem> = {}): FingerprintedItem {
  return { key, fingerprint: fingerprintPicture(image), width: image.width, height: image.height, ...more };
}

function mirrored(image: Image): Image {
  const { width, height, data } = image;
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = data[(y * width + width - 1 - x) * 3 + c]!;
  return { ...image, data: out };
}

const cut = (image: Image, left: number, top: number, right: number, bottom: number) =>
  cropImage(image, { left, top, width: image.width - left - right, height: image.height - top - bottom });

const saved = async (image: Image, quality: number) => loadImage(await encodeImage(image, { format: "jpeg", quality }));

/** What others make of a picture, with the reasons that may be given for it. */
const repeats: readonly (readonly [string, (image: Image) => Image | Promise<Image>, readonly string[]])[] = [
  ["re-encoded", (image) => saved(image, 35), ["alike"]],
  ["smaller", (image) => resizeImage(image, { width: 80, height: 100 }, { filter: "bilinear" }), ["alike"]],
  ["squeezed", (image) => resizeImage(image, { width: 120, height: 120 }, { filter: "bicubic" }), ["alike"]],
  ["mirrored", mirrored, ["mirrored", "alike"]],
  ["mirrored and re-encoded", (image) => saved(mirrored(image), 60), ["mirrored", "alike"]],
  ["cropped evenly", (image) => cut(image, 6, 8, 6, 8), ["cropped", "alike"]],
  ["cropped on two sides", (image) => cut(image, 11, 13, 0, 0), ["cropped", "alike"]],
  [
    "cropped, mirrored, smaller and re-encoded",
    (image) => saved(resizeImage(mirrored(cut(image, 0, 5, 9, 6)), { width: 90, height: 110 }), 70),
    ["cropped", "mirrored", "alike"],
  ],
  ["darker", (image) => ({ ...image, data: image.data.map((level) => Math.round(level * 0.75)) }), ["alike"]],
];

describe("findDuplicates", () => {
  test("different ads are not duplicates", async () => {
    expect(await findDuplicates(ads.map((ad, index) => item(`ad${index}`, ad)))).toEqual([]);
  });

  test.each(repeats)("finds the %s one of each ad, and keeps the larger", async (_, repeat, reasons) => {
    const again = await Promise.all(ads.map(repeat));
    const groups = await findDuplicates([
      ...again.map((image, index) => item(`b${index}`, image, { width: 10, height: 10 })),
      ...ads.map((image, index) => item(`a${index}`, image)),
    ]);
    const found = new Map(groups.flatMap(({ kept, duplicates }) => duplicates.map((one) => [one.key, { kept, ...one }] as const)));
    const missed = [...ads.keys()].filter((index) => !found.has(`b${index}`));
    expect(missed.length).toBeLessThanOrEqual(1);
    for (const [key, { kept, reason }] of found) {
      expect(kept).toBe(key.replace("b", "a"));
      expect(reasons).toContain(reason);
    }
  });

  test("the same file and the same pixels are named as such, without any hash", async () => {
    const fingerprint = { pixels: "p", hashes: [] };
    const groups = await findDuplicates([
      { key: "c", fingerprint, sha256: "2" },
      { key: "b", fingerprint: { pixels: "q", hashes: [] }, sha256: "1" },
      { key: "a", fingerprint, sha256: "1" },
      { key: "d", fingerprint: { pixels: "r", hashes: [] } },
    ]);
    expect(groups).toEqual([
      {
        kept: "a",
        duplicates: [
          { key: "b", reason: "bytes", distance: 0 },
          { key: "c", reason: "pixels", distance: 0 },
        ],
      },
    ]);
  });

  test("quality decides before size, size before key", async () => {
    const fingerprint = { pixels: "p", hashes: [] };
    const kept = async (...items: Omit<FingerprintedItem, "fingerprint">[]) =>
      (await findDuplicates(items.map((one) => ({ ...one, fingerprint }))))[0]!.kept;
    expect(await kept({ key: "b" }, { key: "a" })).toBe("a");
    expect(await kept({ key: "b", width: 20, height: 20 }, { key: "a", width: 10, height: 20 })).toBe("b");
    expect(await kept({ key: "b", width: 20, height: 20 }, { key: "a", width: 10, height: 20, quality: 1 })).toBe("a");
  });

  test("without thumbnails hashes count up to the radius, and chains do not grow", async () => {
    const row = (key: string, hash: string) => ({ key, fingerprint: { pixels: key, hashes: [hash] } });
    const chain = ["0000000000000000", "0000000000000007", "000000000000003f", "00000000000001ff"].map((hash, index) => row(`k${index}`, hash));
    expect(await findDuplicates(chain)).toEqual([
      { kept: "k0", duplicates: [{ key: "k1", reason: "alike", distance: 3 }] },
      { kept: "k2", duplicates: [{ key: "k3", reason: "alike", distance: 3 }] },
    ]);
    expect(await findDuplicates(chain, { radius: 2 })).toEqual([]);
    expect((await findDuplicates(chain, { radius: 9 }))[0]!.duplicates.map(({ key }) => key)).toEqual(["k1", "k2", "k3"]);
  });

  test("the answer does not depend on the order of the items", async () => {
    const small = ads.slice(0, 8);
    const items = [...small.map((ad, index) => item(`a${index}`, ad)), ...small.map((ad, index) => item(`b${index}`, mirrored(ad)))];
    const forward = await findDuplicates(items);
    expect(forward.length).toBe(8);
    expect(await findDuplicates([...items].reverse())).toEqual(forward);
    async function* stream() {
      yield* items;
    }
    expect(await findDuplicates(stream())).toEqual(forward);
  });

  test("embeddings find what hashes cannot, by their cosine", async () => {
    const embedded = (key: string, degrees: number, length: number) => ({
      key,
      fingerprint: { pixels: key, hashes: [] },
      embedding: [length * Math.cos((degrees * Math.PI) / 180), length * Math.sin((degrees * Math.PI) / 180), 0],
    });
    const items = [embedded("a", 0, 1), embedded("b", 9.9, 5), embedded("c", 10.1, 0.1), embedded("d", 90, 1)];
    expect(await findDuplicates(items, { cosine: Math.cos((10 * Math.PI) / 180) })).toEqual([
      { kept: "a", duplicates: [{ key: "b", reason: "embedding", distance: null }] },
    ]);
    await expect(findDuplicates([...items, { ...embedded("e", 0, 1), embedding: [1, 0] }])).rejects.toThrow(
      "expected embeddings of 3 numbers, got 2 for e",
    );
    await expect(findDuplicates([embedded("z", 0, 0)])).rejects.toThrow("of finite length above 0 for z");
  });

  test("refuses keys twice, hashes that are none, and radii out of range; stops when asked to", async () => {
    const one = item("a", ads[0]!);
    await expect(findDuplicates([one, one])).rejects.toThrow("expected keys to differ, got a twice");
    await expect(findDuplicates([{ key: "a", fingerprint: { pixels: "p", hashes: ["12"] } }])).rejects.toThrow("16 hexadecimal digits");
    await expect(findDuplicates([{ key: "a", fingerprint: { pixels: "p", hashes: [], thumbnail: "AAAA" } }])).rejects.toThrow(
      "thumbnail of this version",
    );
    await expect(findDuplicates([], { radius: 17 })).rejects.toThrow("expected radius to be 0 to 16 bits, got 17");
    await expect(findDuplicates([], { wideRadius: 2 })).rejects.toThrow("at least radius, 3, got 2");
    await expect(findDuplicates([], { detail: 0 })).rejects.toThrow("expected detail to be above 0");
    const signal = AbortSignal.abort(new Error("enough"));
    const many = Array.from({ length: 2000 }, (_, at) => ({ key: `k${at}`, fingerprint: { pixels: `${at}`, hashes: [] } }));
    await expect(findDuplicates(many, { signal })).rejects.toThrow("enough");
  });
});

describe("thumbnails", () => {
  test("the part that a crop shows is found again", () => {
    const of = (image: Image) => readThumbnail(fingerprintPicture(image).thumbnail!)!;
    const ad = ads[3]!;
    const { part, correlation } = likeness(of(cut(ad, 8, 4, 4, 12)), of(ad));
    expect(correlation).toBeGreaterThan(0.97);
    const expected = { left: 8 / 128, top: 4 / 160, right: 1 - 4 / 128, bottom: 1 - 12 / 160 };
    for (const side of ["left", "top", "right", "bottom"] as const) expect(Math.abs(part[side] - expected[side])).toBeLessThan(0.02);
  });

  test("plain pictures are alike if their level is", () => {
    const plain = (level: number) =>
      readThumbnail(fingerprintPicture({ width: 40, height: 30, channels: 3, data: new Uint8Array(3600).fill(level) }).thumbnail!)!;
    expect(likeness(plain(100), plain(102)).correlation).toBe(1);
    expect(likeness(plain(100), plain(120)).correlation).toBe(0);
  });
});

test("fingerprintStage hashes pixels and their size, not the file", async () => {
  const image = ads[0]!;
  const files = new Map<string, Uint8Array>();
  const store = {
    put: () => Promise.reject(new Error("nothing is written")),
    get: (file: { sha256: string }) => Promise.resolve(files.get(file.sha256)!),
  };
  const run = async (bytes: Uint8Array, name: string) => {
    files.set(name, bytes);
    const ingest = { picture: { sha256: name, bytes: bytes.length, type: "image/png" }, width: 1, height: 1, provenance: {} } as never;
    const outcome = await fingerprintStage().run({ key: "k", rows: { ingest } }, { files: store });
    return outcome.outcome === "done" ? outcome.row : undefined;
  };
  const png = await run(await encodeImage(image, { format: "png" }), "one");
  expect(png).toEqual(fingerprintPicture(image));
  expect((await run(await encodeImage(image, { format: "jpeg", quality: 40 }), "two"))?.pixels).not.toBe(png?.pixels);
  const wide = fingerprintPicture({ ...image, width: image.height, height: image.width });
  expect(wide.pixels).not.toBe(png!.pixels);
  await expect(fingerprintStage().run({ key: "k", rows: {} }, { files: store })).rejects.toThrow("expected k to have a row of ingest");
});
