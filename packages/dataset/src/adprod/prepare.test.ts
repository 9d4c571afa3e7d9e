import { readFile } from "node:fs/promises";
import { encodeImage } from "@refadgen/image";
import { describe, expect, it } from "vitest";
import { DatasetError } from "../error.js";
import { encodeMask } from "../formats/mask-file.js";
import { decodeNpy } from "../formats/npy.js";
import { testImage, testMask } from "../formats/test-triplets.test.support.js";
import { type PrepareJob, prepareRow } from "./prepare.js";

const folder = new URL("../../fixtures/preparation/", import.meta.url);
const file = async (name: string) => Uint8Array.from(await readFile(new URL(name, folder)));

interface Recorded extends Pick<PrepareJob, "shortSide" | "crop" | "place" | "clipSize"> {
  readonly window: { readonly top: number; readonly left: number };
}

async function recordedCases(): Promise<readonly Recorded[]> {
  return JSON.parse(new TextDecoder().decode(await file("cases.json"))).cases;
}

describe("prepareRow", () => {
  it.each([0, 1, 2])("gives the numbers of Pillow and NumPy (case %i)", async (number) => {
    const { window, ...settings } = (await recordedCases())[number]!;
    const [ad, product, mask] = await Promise.all([file(`${number}.ad.png`), file(`${number}.product.png`), file(`${number}.mask.npy`)]);
    const row = await prepareRow({ key: "k", ad, product, mask, maxPixels: 1e6, ...settings });
    expect(row.window).toEqual({ ...settings.crop, ...window });
    for (const name of ["ad", "product", "mask"] as const) {
      const { data } = decodeNpy(await file(`${number}.expected-${name}.npy`));
      expect(Buffer.compare(Buffer.from(row[name].buffer), Buffer.from(data.buffer)), name).toBe(0);
    }
    const clip = decodeNpy(await file(`${number}.expected-clip.npy`)).data as Float32Array;
    // NumPy multiplies by 1/255 in float64 first: one rounding apart.
    expect(Math.max(...row.clipImage.map((value, at) => Math.abs(value - clip[at]!)))).toBeLessThan(5e-7);
  });

  it("leaves pixels as they are when nothing is to be resized", async () => {
    const [width, height] = [20, 31];
    const image = testImage(3, width, height);
    const mask = testMask(1, width, height);
    const row = await prepareRow({
      key: "k",
      ad: await encodeImage(image, { format: "png" }),
      product: await encodeImage(image, { format: "png" }),
      mask: await encodeMask(mask, "png"),
      shortSide: width,
      crop: { width: 11, height: 17 },
      place: { down: 0.999, right: 0 },
      clipSize: 8,
      maxPixels: 1000,
    });
    for (let y = 0; y < 17; y++)
      for (let x = 0; x < 11; x++) {
        expect(row.mask[y * 11 + x]).toBe(mask.data[(y + 14) * width + x]);
        for (let c = 0; c < 3; c++) expect(row.ad[(c * 17 + y) * 11 + x]).toBeCloseTo(image.data[((y + 14) * width + x) * 3 + c]! / 127.5 - 1, 6);
      }
  });

  it("refuses a product or mask that is not on the ad's canvas", async () => {
    const job = {
      key: "k",
      ad: await encodeImage(testImage(1, 9, 8), { format: "png" }),
      product: await encodeImage(testImage(1, 9, 8), { format: "png" }),
      mask: await encodeMask(testMask(1, 8, 9), "npy"),
      shortSide: 8,
      crop: { width: 8, height: 8 },
      place: "center",
      clipSize: 4,
      maxPixels: 1000,
    } as const;
    await expect(prepareRow(job)).rejects.toThrow("k: expected the mask on the ad's canvas of 9 × 8, got 8 × 9");
    await expect(prepareRow({ ...job, product: job.mask })).rejects.toSatisfy((error) => DatasetError.isInstance(error) && error.code === "format");
  });
});
