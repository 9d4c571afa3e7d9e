import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeImage, type Image } from "@refadgen/image";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileStore } from "../contract.js";
import { folderStore } from "../store/folder-store.js";
import { type Baked, type BakeLimits, bake } from "./bake.js";

let folder: string;
let files: FileStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-bake-"));
  files = folderStore(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Light at the top left, dark elsewhere; not square. */
const [width, height] = [40, 24];
const pixels = Buffer.from(
  Array.from({ length: width * height * 3 }, (_, index) => (Math.floor(index / 3) % width < 20 && Math.floor(index / 3 / width) < 12 ? 240 : 16)),
);
const picture = () => sharp(pixels, { raw: { width, height, channels: 3 } });

async function baked(bytes: Uint8Array, limits: BakeLimits = {}): Promise<Baked & { readonly bytes: Uint8Array; readonly image: Image }> {
  const result = await bake(bytes, files, limits);
  if ("rejected" in result) throw new Error(result.rejected[0]?.message);
  const stored = await files.get(result.picture);
  return { ...result, bytes: stored, image: await decodeImage(stored) };
}

function brightest({ width: across, height: down, channels, data }: Image): string {
  const at = (x: number, y: number) => data[(y * across + x) * channels]!;
  const corners = { "top left": at(3, 3), "top right": at(across - 4, 3), "bottom left": at(3, down - 4), "bottom right": at(across - 4, down - 4) };
  return Object.entries(corners).sort((a, b) => b[1] - a[1])[0]![0];
}

describe("bake", () => {
  it("keeps the compressed pixels of a JPEG that is upright, without what its file says besides", async () => {
    const plain = await picture().jpeg({ quality: 90 }).toBuffer();
    const talkative = await picture()
      .jpeg({ quality: 90 })
      .withExif({ IFD0: { Copyright: "somebody", Artist: "the same" } })
      .toBuffer();
    expect(talkative.includes("somebody")).toBe(true);
    const result = await baked(talkative);
    expect(result).toMatchObject({ picture: { type: "image/jpeg" }, width, height, orientation: 1, format: "jpeg" });
    expect(Buffer.from(result.bytes).includes("somebody")).toBe(false);
    expect(result.image.data).toEqual((await decodeImage(plain)).data);
    expect((await baked(plain)).picture.bytes).toBe(plain.length);
  });

  it.each([
    [1, "top left"],
    [3, "bottom right"],
    [6, "top right"],
    [8, "bottom left"],
  ])("turns orientation %i upright", async (orientation, corner) => {
    const result = await baked(await picture().jpeg({ quality: 95 }).withMetadata({ orientation }).toBuffer());
    expect([result.orientation, brightest(result.image)]).toEqual([orientation, corner]);
    expect([result.width, result.height]).toEqual(orientation >= 5 ? [height, width] : [width, height]);
    expect((await sharp(result.bytes).metadata()).orientation).toBeUndefined();
  });

  it("makes three channels of grey, keeps alpha that hides something, drops alpha that does not", async () => {
    const grey = await baked(await picture().greyscale().jpeg().toBuffer());
    expect(grey.image.channels).toBe(3);
    const opaque = await baked(await picture().ensureAlpha(1).png().toBuffer());
    expect(opaque.image.channels).toBe(3);
    const clear = await baked(await picture().ensureAlpha(0.5).png().toBuffer());
    expect([clear.image.channels, clear.picture.type]).toEqual([4, "image/png"]);
  });

  it("keeps a PNG that is nothing but pixels, and writes others anew", async () => {
    const plain = await picture().png().toBuffer();
    expect(Buffer.from((await baked(plain)).bytes).equals(plain)).toBe(true);
    const profiled = await picture().png().withIccProfile("p3").toBuffer();
    const result = await baked(profiled);
    expect(Buffer.from(result.bytes).includes("iCCP")).toBe(false);
  });

  it("makes large pictures smaller when told", async () => {
    const result = await baked(await picture().jpeg().toBuffer(), { maxSide: 20 });
    expect([result.width, result.height, result.image.width]).toEqual([20, 12, 20]);
    expect(brightest(result.image)).toBe("top left");
  });

  it.each([
    ["half a JPEG", async () => (await picture().jpeg().toBuffer()).subarray(0, 300)],
    [
      "half a PNG",
      async () =>
        (
          await sharp({ create: { width: 200, height: 200, channels: 3, background: "red", noise: { type: "gaussian", mean: 99, sigma: 30 } } })
            .png()
            .toBuffer()
        ).subarray(0, 9000),
    ],
    ["an SVG", async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ["text", async () => Buffer.from("hello")],
    ["nothing", async () => Buffer.alloc(0)],
  ])("refuses %s with a reason", async (_, bytes) => {
    expect(await bake(await bytes(), files)).toMatchObject({ rejected: [{ code: expect.stringMatching(/^[a-z-]+$/), message: expect.any(String) }] });
  });

  it("refuses more pixels and bytes than allowed, judged before decoding", async () => {
    const bytes = await picture().jpeg().toBuffer();
    expect(await bake(bytes, files, { maxPixels: 100 })).toMatchObject({ rejected: [{ code: "too-large" }] });
    expect(await bake(bytes, files, { maxBytes: 100 })).toMatchObject({ rejected: [{ code: "too-large" }] });
  });
});
