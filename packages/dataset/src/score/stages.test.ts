import { createHash } from "node:crypto";
import { encodeImage, type Image } from "@refadgen/image";
import { expect, test } from "vitest";
import type { FileStore, Item, StoredFile } from "../contract.js";
import { miniTriplet } from "../mini/triplet.js";
import { inspectProduct, scorePicture } from "./score-picture.js";
import { inspectStage, scoreStage } from "./stages.js";

const { ad } = miniTriplet(4, { seed: "stages", width: 96, height: 128 });

function memory(): FileStore {
  const files = new Map<string, Uint8Array>();
  return {
    async put(bytes, type) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      files.set(sha256, bytes);
      return { sha256, bytes: bytes.length, type };
    },
    get: async ({ sha256 }) => files.get(sha256)!,
  };
}

async function ingested(files: FileStore, image: Image): Promise<{ item: Item; picture: StoredFile }> {
  const picture = await files.put(await encodeImage(image, { format: "png" }), "image/png");
  const provenance = { kind: "mini", location: "4", sha256: picture.sha256, orientation: 1, format: "png" } as const;
  return { picture, item: { key: "a", rows: { ingest: { provenance, picture, width: image.width, height: image.height } } } };
}

test("scoreStage writes what scorePicture says, and null for models that are not there", async () => {
  const files = memory();
  const { item } = await ingested(files, ad.image);
  expect(await scoreStage().run(item, { files })).toEqual({
    outcome: "done",
    row: { ...scorePicture(ad.image), watermarkModel: null, aesthetic: null },
  });
});

test("the quality of a JPEG is read from its file", async () => {
  const files = memory();
  const { item } = await ingested(files, ad.image);
  const picture = await files.put(await encodeImage(ad.image, { format: "jpeg", quality: 60 }), "image/jpeg");
  const outcome = await scoreStage().run({ ...item, rows: { ingest: { ...item.rows.ingest!, picture } } }, { files });
  expect(outcome).toMatchObject({ outcome: "done", row: { jpegQuality: 60 } });
});

test("models are asked, named in the settings, and disposed; what they say must be a number", async () => {
  const files = memory();
  const { item } = await ingested(files, ad.image);
  let disposed = 0;
  const model = (name: string, score: number) => ({
    name,
    score: async ({ width, channels }: Image) => score + (width === 96 && channels === 3 ? 0 : 1000),
    dispose: async () => {
      disposed++;
    },
  });
  const stage = scoreStage({ models: { aesthetic: model("laion v2", 6.5), watermark: model("net", 0.25) } });
  expect(stage.settings).toMatchObject({ aesthetic: "laion v2", watermark: "net" });
  expect(await stage.run(item, { files })).toMatchObject({ row: { aesthetic: 6.5, watermarkModel: 0.25 } });
  await stage.dispose?.();
  expect(disposed).toBe(2);
  await expect(scoreStage({ models: { aesthetic: model("broken", Number.NaN) } }).run(item, { files })).rejects.toThrow(
    "a finite number of broken, got NaN",
  );
});

test("inspectStage looks by the mask of extract; boxes of text count outside the product, once where they overlap", async () => {
  const files = memory();
  const { item, picture } = await ingested(files, ad.image);
  const mask = await files.put(
    await encodeImage({ width: 96, height: 128, channels: 1, data: ad.mask.data.map((value) => value * 255) }, { format: "png" }),
    "image/png",
  );
  const extract = { product: picture, mask, driver: "test", score: 1, reasons: [] };
  const found: Item = { key: "a", rows: { ...item.rows, extract } };
  const expected = inspectProduct(ad.image, ad.mask);
  expect(await inspectStage().run(found, { files })).toEqual({ outcome: "done", row: { ...expected, textBoxes: null } });
  const boxes = [
    { left: 0, top: 0, width: 30, height: 20 },
    { left: 10, top: 10, width: 30, height: 20 },
    { left: 90, top: 120, width: 50, height: 50 },
  ];
  const stage = inspectStage({ models: { text: { name: "ocr", boxes: async () => boxes } } });
  let area = 0;
  for (let pixel = 0; pixel < ad.mask.data.length; pixel++) {
    const [x, y] = [pixel % 96, Math.floor(pixel / 96)];
    const inside = boxes.some(({ left, top, width, height }) => x >= left && x < left + width && y >= top && y < top + height);
    if (inside && ad.mask.data[pixel] === 0) area++;
  }
  expect(await stage.run(found, { files })).toMatchObject({ row: { textBoxes: (100 * area) / (96 * 128) } });
  await expect(inspectStage().run(item, { files })).rejects.toThrow("expected a to have a row of extract");
  const { picture: small } = await ingested(files, miniTriplet(4, { seed: "stages", width: 64, height: 64 }).ad.image);
  await expect(inspectStage().run({ key: "a", rows: { ...found.rows, extract: { ...extract, mask: small } } }, { files })).rejects.toThrow(
    "the mask of a to be 96 × 128, got 64 × 64",
  );
});

test("alpha is the product's: it is scored on white", async () => {
  const files = memory();
  const rgba = { width: 32, height: 24, channels: 4 as const, data: new Uint8Array(32 * 24 * 4) };
  const { item } = await ingested(files, rgba);
  expect(await scoreStage().run(item, { files })).toMatchObject({ row: { brightness: 1, shadows: 1 } });
});
