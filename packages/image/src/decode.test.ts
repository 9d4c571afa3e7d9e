import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { ArgumentError } from "@refadgen/errors";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage, decodeWithMode, encodeImage, type Image, ImageError, type ImageErrorCode, loadImage } from "./index.js";
import { gradient, picture } from "./pictures.test.fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

function raw({ data, width, height, channels }: Image): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function codeOf(promise: Promise<unknown>): Promise<ImageErrorCode | undefined> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !ImageError.isInstance(error)) throw error;
  return error?.code;
}

/** The CRC-32 of PNG and zip; Node 20.19's zlib has none in its types. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PNG of any header; `pixels` are the filtered rows. */
function png(
  width: number,
  height: number,
  depth: number,
  colourType: number,
  pixels: Uint8Array,
  extra: readonly (readonly [string, Uint8Array])[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType], 8);
  const chunk = (type: string, body: Uint8Array) => {
    const content = Buffer.concat([Buffer.from(type, "latin1"), body]);
    const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    checksum.writeUInt32BE(crc32(content));
    return Buffer.concat([length, content, checksum]);
  };
  const chunks = [
    chunk("IHDR", header),
    ...extra.map(([type, body]) => chunk(type, body)),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...chunks]);
}

describe("decodeImage", () => {
  it("reads every format from a path and from bytes", async () => {
    const image = gradient(37, 21, 3);
    for (const format of ["png", "jpeg", "webp", "avif"] as const) {
      const bytes = await encodeImage(image, { format });
      await writeFile(join(folder, "picture.anything"), bytes);
      const fromPath = await decodeImage(join(folder, "picture.anything"));
      expect(fromPath).toEqual(await decodeImage(bytes));
      expect([fromPath.width, fromPath.height, fromPath.channels]).toEqual([37, 21, 3]);
      const worst = image.data.reduce((most, value, i) => Math.max(most, Math.abs(value - fromPath.data[i]!)), 0);
      expect(worst).toBeLessThanOrEqual(format === "png" ? 0 : 8);
    }
  });

  it("applies the EXIF orientation, all eight", async () => {
    const width = 3;
    const height = 2;
    const stored = picture(width, height, 3, 7);
    const from: Readonly<Record<number, (x: number, y: number) => [number, number]>> = {
      1: (x, y) => [x, y],
      2: (x, y) => [width - 1 - x, y],
      3: (x, y) => [width - 1 - x, height - 1 - y],
      4: (x, y) => [x, height - 1 - y],
      5: (x, y) => [y, x],
      6: (x, y) => [y, height - 1 - x],
      7: (x, y) => [width - 1 - y, height - 1 - x],
      8: (x, y) => [width - 1 - y, x],
    };
    for (const [orientation, source] of Object.entries(from)) {
      const bytes = await raw(stored)
        .withMetadata({ orientation: Number(orientation) })
        .webp({ lossless: true })
        .toBuffer();
      const image = await decodeImage(bytes);
      expect([image.width, image.height]).toEqual(Number(orientation) < 5 ? [3, 2] : [2, 3]);
      for (let y = 0; y < image.height; y++) {
        for (let x = 0; x < image.width; x++) {
          const [u, v] = source(x, y);
          const at = (y * image.width + x) * 3;
          expect([...image.data.subarray(at, at + 3)]).toEqual([...stored.data.subarray((v * width + u) * 3, (v * width + u) * 3 + 3)]);
        }
      }
      expect(await decodeImage(bytes, { applyOrientation: false })).toEqual(stored);
    }
  });

  it("keeps grey grey and alpha as it is, also under full transparency", async () => {
    for (const channels of [1, 2, 3, 4] as const) {
      const image = picture(19, 11, channels, 20 + channels);
      expect(await decodeImage(await encodeImage(image, { format: "png" }))).toEqual(image);
    }
  });

  it("takes the upper 8 of 16 bits", async () => {
    const values = [0, 1, 255, 256, 32767, 32768, 65279, 65535];
    const rows = (perPixel: number) =>
      Buffer.from([
        0,
        ...values.flatMap((value) =>
          Array(perPixel)
            .fill([value >> 8, value & 255])
            .flat(),
        ),
      ]);
    const upper = values.map((value) => value >> 8);
    const grey = await decodeWithMode(png(8, 1, 16, 0, rows(1)));
    expect([grey.mode, grey.image.channels, ...grey.image.data]).toEqual(["I;16", 1, ...upper]);
    const rgb = await decodeWithMode(png(8, 1, 16, 2, rows(3)));
    expect([rgb.mode, rgb.image.channels, ...rgb.image.data]).toEqual(["RGB", 3, ...upper.flatMap((value) => [value, value, value])]);
    const greyAlpha = await decodeWithMode(png(8, 1, 16, 4, rows(2)));
    expect([greyAlpha.mode, greyAlpha.image.channels, ...greyAlpha.image.data]).toEqual(["RGBA", 2, ...upper.flatMap((value) => [value, value])]);
  });

  it("expands 1, 2 and 4 bits and palettes, with and without transparency", async () => {
    const bits = await decodeWithMode(png(8, 1, 1, 0, Buffer.from([0, 0b10110001])));
    expect([bits.mode, ...bits.image.data]).toEqual(["1", 255, 0, 255, 255, 0, 0, 0, 255]);
    const nibbles = await decodeWithMode(png(3, 1, 4, 0, Buffer.from([0, 0x0f, 0x80])));
    expect([nibbles.mode, ...nibbles.image.data]).toEqual(["L", 0, 255, 136]);
    const palette = Buffer.from([1, 2, 3, 200, 100, 50, 9, 9, 9]);
    const coloured = await decodeWithMode(png(3, 1, 8, 3, Buffer.from([0, 1, 0, 2]), [["PLTE", palette]]));
    expect([coloured.mode, coloured.image.channels, ...coloured.image.data]).toEqual(["P", 3, 200, 100, 50, 1, 2, 3, 9, 9, 9]);
    expect(Buffer.from(coloured.palette!)).toEqual(palette);
    const transparent = await decodeImage(
      png(3, 1, 8, 3, Buffer.from([0, 1, 0, 2]), [
        ["PLTE", palette],
        ["tRNS", Buffer.from([7, 8])],
      ]),
    );
    expect([...transparent.data]).toEqual([200, 100, 50, 8, 1, 2, 3, 7, 9, 9, 9, 255]);
  });

  it("converts CMYK", async () => {
    const image = gradient(48, 40, 3);
    const bytes = await raw(image).toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const { image: got, mode } = await decodeWithMode(bytes);
    expect([mode, got.channels]).toEqual(["CMYK", 3]);
    const mean = image.data.reduce((sum, value, i) => sum + Math.abs(value - got.data[i]!), 0) / image.data.length;
    expect(mean).toBeLessThan(8); // the inks cannot print every colour
  });

  it("converts Display P3 to sRGB, unless told not to", async () => {
    const image: Image = { width: 4, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 30, 60, 200, 128, 128, 128) };
    const bytes = await raw(image).withIccProfile("p3").png().toBuffer();
    const converted = await decodeImage(bytes);
    for (const [i, value] of image.data.entries()) expect(Math.abs(converted.data[i]! - value)).toBeLessThanOrEqual(3);
    const stored = await decodeImage(bytes, { applyProfile: false });
    // sRGB's red in Display P3 is (0.9175, 0.2003, 0.1386) (CSS Color 4).
    for (const [i, value] of [234, 51, 35].entries()) expect(Math.abs(stored.data[i]! - value)).toBeLessThanOrEqual(1);
  });

  it("takes the first frame of an animation", async () => {
    const frames = [picture(9, 5, 3, 1), picture(9, 5, 3, 2)];
    const strip = { ...frames[0]!, height: 10, data: Uint8Array.from([...frames[0]!.data, ...frames[1]!.data]) };
    const bytes = await sharp(strip.data, { raw: { width: 9, height: 10, channels: 3, pageHeight: 5 } })
      .webp({ lossless: true })
      .toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(2);
    const got = await decodeImage(bytes);
    expect([got.width, got.height]).toEqual([9, 5]);
    expect([...got.data].filter((_, i) => got.channels === 3 || i % 4 !== 3)).toEqual([...frames[0]!.data]);
  });
});

describe("decodeImage on bad input", () => {
  it("calls truncated files truncated, wherever they end", async () => {
    const image = gradient(64, 48, 3);
    for (const format of ["png", "jpeg", "webp", "avif"] as const) {
      const bytes = await encodeImage(image, { format });
      const codes = new Set<string>();
      for (let length = 32; length < bytes.length; length += Math.ceil(bytes.length / 97))
        codes.add(`${await codeOf(decodeImage(bytes.subarray(0, length)))}`);
      codes.add(`${await codeOf(decodeImage(bytes.subarray(0, bytes.length - 1)))}`);
      expect([format, ...codes]).toEqual([format, "truncated"]);
    }
  });

  it("names what is not an image", async () => {
    const code = (...bytes: number[]) => codeOf(decodeImage(Uint8Array.from(bytes)));
    expect(await code()).toBe("truncated");
    for (let byte = 0; byte < 256; byte += 15) expect(await code(byte)).toBe("unsupported");
    expect(await codeOf(decodeImage(Buffer.from("just text, no picture at all")))).toBe("unsupported");
    expect(await codeOf(decodeImage(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')))).toBe("unsupported");
    expect(await codeOf(decodeImage(Buffer.from("\0\0\0\x14ftypheic\0\0\0\0mif1", "latin1")))).toBe("unsupported");
    expect(await code(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)).toBe("truncated");
    expect(await code(0xff, 0xd8, 0xff)).toBe("truncated");
  });

  it("refuses broken insides", async () => {
    const good = Buffer.from(await encodeImage(gradient(64, 48, 3), { format: "png" }));
    const broken = Buffer.from(good);
    broken.fill(0x55, 60, 90); // inside the compressed data
    expect(await codeOf(decodeImage(broken))).toBe("malformed");
    const wrongType = Buffer.from(good);
    wrongType.write("\x00\x01\x02\x03", 12, "latin1");
    expect(await codeOf(decodeImage(wrongType))).toBe("malformed");
    expect(await codeOf(decodeImage(png(4, 4, 8, 5, Buffer.alloc(20))))).toBe("malformed");
  });

  it("judges bombs by their header, at once", async () => {
    const started = performance.now();
    expect(await codeOf(decodeImage(png(100_000, 100_000, 8, 2, Buffer.alloc(64))))).toBe("limit");
    expect(performance.now() - started).toBeLessThan(1000);
    const bytes = await encodeImage(picture(40, 30, 1, 0), { format: "png" });
    expect(await codeOf(decodeImage(bytes, { maxPixels: 1199 }))).toBe("limit");
    expect(await codeOf(decodeImage(bytes, { maxPixels: 1200 }))).toBeUndefined();
    expect(await codeOf(decodeImage(bytes, { maxBytes: bytes.length - 1 }))).toBe("limit");
    await writeFile(join(folder, "big.png"), bytes);
    expect(await codeOf(decodeImage(join(folder, "big.png"), { maxBytes: 10 }))).toBe("limit");
  });

  it("tells missing files from unreadable ones", async () => {
    expect(await codeOf(decodeImage(join(folder, "nothing.png")))).toBe("missing-file");
    await writeFile(join(folder, "file"), "x");
    expect(await codeOf(decodeImage(join(folder, "file", "below.png")))).toBe("missing-file");
    expect(await codeOf(decodeImage(folder))).toBe("unreadable");
    expect(await codeOf(decodeImage("/dev/null"))).toBe("unreadable");
  });

  it("refuses wrong arguments, and stops on a signal", async () => {
    await expect(decodeImage(7 as unknown as string)).rejects.toThrow(ArgumentError);
    await expect(decodeImage(new Uint8Array(9), { maxPixels: 0 })).rejects.toThrow("expected maxPixels to be a positive integer, got 0");
    await expect(decodeImage(join(folder, "nothing.png"), { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
  });
});

describe("loadImage", () => {
  it("hands pixels back and checks them", async () => {
    const image = picture(5, 4, 3, 1);
    expect(await loadImage(image)).toBe(image);
    expect((await loadImage(await encodeImage(image, { format: "png" }))).data).toEqual(image.data);
    await expect(loadImage({ ...image, height: 5 })).rejects.toThrow("loadImage: expected 75 values for 5 × 5 × 3, got 60");
    await expect(loadImage({ ...image, data: [...image.data] as unknown as Uint8Array })).rejects.toThrow("Uint8Array");
    await expect(loadImage(undefined as unknown as Image)).rejects.toThrow(ArgumentError);
    expect(await codeOf(loadImage(image, { maxPixels: 19 }))).toBe("limit");
  });
});
