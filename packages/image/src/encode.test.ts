import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage, decodeWithMode, encodeImage, ImageError, saveImage } from "./index.js";
import { gradient, picture } from "./pictures.test.fixture.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "refadgen-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("encodeImage", () => {
  it("is lossless where it says so", async () => {
    const image = picture(23, 17, 4, 1);
    expect(await decodeImage(await encodeImage(image, { format: "png", compressionLevel: 0 }))).toEqual(image);
    expect(await decodeImage(await encodeImage(image, { format: "webp", lossless: true }))).toEqual(image);
  });

  it("keeps grey in JPEG and follows the quality", async () => {
    const grey = await decodeWithMode(await encodeImage(gradient(40, 30, 1), { format: "jpeg" }));
    expect([grey.mode, grey.image.channels]).toEqual(["L", 1]);
    for (const format of ["jpeg", "webp", "avif"] as const) {
      const [small, large] = await Promise.all([20, 95].map((quality) => encodeImage(picture(40, 30, 3, 1), { format, quality })));
      expect(small!.length).toBeLessThan(large!.length);
    }
  });

  it("refuses alpha in JPEG, options of other formats and values out of range", async () => {
    await expect(encodeImage(picture(4, 4, 4, 1), { format: "jpeg" })).rejects.toThrow("JPEG has no alpha");
    await expect(encodeImage(picture(4, 4, 3, 1), { format: "png", quality: 5 } as never)).rejects.toThrow("png has no option quality");
    await expect(encodeImage(picture(4, 4, 3, 1), { format: "jpeg", quality: 0 })).rejects.toThrow("from 1 to 100, got 0");
    await expect(encodeImage(picture(4, 4, 3, 1), { format: "bmp" } as never)).rejects.toThrow(ArgumentError);
    await expect(encodeImage(picture(20_000, 1, 3, 1), { format: "webp" })).rejects.toThrow(ImageError); // WebP ends at 16383
  });
});

describe("saveImage", () => {
  it("takes the format from the name and replaces what was there", async () => {
    const image = picture(9, 7, 3, 1);
    const path = join(folder, "out.PNG");
    await writeFile(path, "old");
    await saveImage(image, path);
    expect(await decodeImage(path)).toEqual(image);
    await saveImage(image, join(folder, "out.jpg"), { quality: 80 });
    expect((await decodeWithMode(join(folder, "out.jpg"))).format).toBe("jpeg");
    expect((await readdir(folder)).sort()).toEqual(["out.PNG", "out.jpg"]);
  });

  it("leaves nothing behind when it fails", async () => {
    const image = picture(9, 7, 4, 1);
    await expect(saveImage(image, join(folder, "out.bmp"))).rejects.toMatchObject({ code: "unsupported" });
    await expect(saveImage(image, join(folder, "no-folder", "a.png"))).rejects.toMatchObject({ code: "unwritable" });
    const before = await readFile(join(folder, "out.jpg"));
    await expect(saveImage(image, join(folder, "out.jpg"))).rejects.toThrow("JPEG has no alpha");
    expect(await readFile(join(folder, "out.jpg"))).toEqual(before);
    // A folder of that name: the temporary file is written, the rename fails.
    await rm(join(folder, "taken.png"), { recursive: true, force: true });
    await import("node:fs/promises").then(({ mkdir }) => mkdir(join(folder, "taken.png", "inside"), { recursive: true }));
    await expect(saveImage(image, join(folder, "taken.png"))).rejects.toMatchObject({ code: "unwritable" });
    expect((await readdir(folder)).sort()).toEqual(["out.PNG", "out.jpg", "taken.png"]);
  });
});
