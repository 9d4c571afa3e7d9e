import { decodeImage, loadImage } from "@refadgen/image";
import { beforeAll, describe, expect, test } from "vitest";
import { type MiniTriplet, miniTriplet } from "../triplet.js";
import { injectFault } from "./inject.js";
import { type FaultKind, type FaultStyle, faultKinds, faultStyles } from "./truth.js";

const triplets: MiniTriplet[] = [];

beforeAll(() => {
  for (const index of [0, 3, 8]) triplets.push(miniTriplet(index, { seed: "faults", width: 112, height: 144 }));
}, 60_000);

const local: readonly FaultKind[] = ["watermark", "text", "occlusion"];
const styles = faultKinds.flatMap((kind) => faultStyles[kind].map((style) => [kind, style] as const));

describe.each(styles)("%s: %s", (kind, style) => {
  test("says exactly what it changed", async () => {
    for (const [index, triplet] of triplets.entries()) {
      const { image: before, mask: whole } = triplet.ad;
      const fault = await injectFault(triplet, kind, { seed: index, style });
      const { truth, image, mask, region, file } = fault;
      expect(truth).toMatchObject({ kind, style, of: triplet.key });
      expect(truth.strength).toBeGreaterThanOrEqual(0);
      expect(truth.strength).toBeLessThanOrEqual(1);
      expect(JSON.parse(JSON.stringify(truth))).toEqual(truth);
      if (!truth.readable) {
        expect(image).toBeUndefined();
        // The decoder gives no picture, or refuses: never the ad.
        const decoded = await decodeImage(file.bytes).catch(() => undefined);
        if (decoded) expect(decoded.data.length).not.toBe(before.data.length);
        continue;
      }
      if (!image || !mask) throw new Error("expected a picture and its mask");
      expect([mask.width, mask.height]).toEqual([image.width, image.height]);
      expect(mask.data.every((value) => value <= 1)).toBe(true);
      if (kind !== "corrupt" || truth.readable) {
        const read = await loadImage(file.bytes);
        expect([read.width, read.height]).toEqual([image.width, image.height]);
        if (file.extension === "png") expect(Buffer.compare(Buffer.from(read.data), Buffer.from(image.data))).toBe(0);
      }
      if (!local.includes(kind)) {
        expect(region).toBeUndefined();
        continue;
      }
      const changed = Uint8Array.from({ length: before.width * before.height }, (_, pixel) =>
        [0, 1, 2].some((c) => before.data[pixel * 3 + c] !== image.data[pixel * 3 + c]) ? 1 : 0,
      );
      expect(Buffer.compare(Buffer.from(region!.data), Buffer.from(changed))).toBe(0);
      const count = changed.reduce((sum, value) => sum + value, 0);
      expect(count).toBeGreaterThan(20);
      expect(truth.share).toBeCloseTo(count / changed.length, 12);
      const outside = changed.filter((value, pixel) => value === 1 && whole.data[pixel] === 0).length;
      expect(truth.outside).toBeCloseTo(outside / changed.length, 12);
      const xs = [...changed.keys()].filter((pixel) => changed[pixel]).map((pixel) => pixel % before.width);
      const ys = [...changed.keys()].filter((pixel) => changed[pixel]).map((pixel) => Math.floor(pixel / before.width));
      const [left, top] = [Math.min(...xs), Math.min(...ys)];
      expect(truth.box).toEqual([left, top, Math.max(...xs) - left + 1, Math.max(...ys) - top + 1]);
      if (kind !== "occlusion") {
        expect(Buffer.compare(Buffer.from(mask.data), Buffer.from(whole.data))).toBe(0);
        continue;
      }
      // What is hidden was the product's, and was painted over.
      let [visible, all] = [0, 0];
      for (let pixel = 0; pixel < mask.data.length; pixel++) {
        visible += mask.data[pixel]!;
        all += whole.data[pixel]!;
      }
      expect(mask.data.every((value, pixel) => value <= whole.data[pixel]!)).toBe(true);
      expect(truth.visible).toBeCloseTo(visible / all, 12);
      expect(truth.visible).toBeLessThan(1);
    }
  });
});

test("the same seed is the same fault, another is another", async () => {
  for (const kind of ["watermark", "text", "occlusion", "blur", "duplicate"] as const) {
    const of = async (seed: number) => (await injectFault(triplets[0]!, kind, { seed, strength: 0.5 })).file.bytes;
    expect(Buffer.compare(await of(5), await of(5))).toBe(0);
    const others = await Promise.all([6, 7, 8].map(of));
    const own = await of(5);
    expect(others.some((bytes) => Buffer.compare(bytes, own) !== 0)).toBe(true);
  }
});

test("strength shows: more is darker, softer, smaller", async () => {
  const at = async (kind: FaultKind, style: FaultStyle, strength: number) =>
    (await injectFault(triplets[1]!, kind, { seed: 1, style, strength })).image!;
  const mean = ({ data }: { data: Uint8Array }) => data.reduce((sum, value) => sum + value, 0) / data.length;
  expect(mean(await at("dark", "underexposed", 1))).toBeLessThan(mean(await at("dark", "underexposed", 0)));
  expect((await at("low-resolution", "small", 1)).width).toBeLessThan((await at("low-resolution", "small", 0)).width);
  const steps = ({ data }: { data: Uint8Array }) => data.reduce((sum, value, index) => sum + (index > 2 ? Math.abs(value - data[index - 3]!) : 0), 0);
  expect(steps(await at("blur", "gaussian", 1))).toBeLessThan(steps(await at("blur", "gaussian", 0)));
});

test("refuses what it does not know", async () => {
  const triplet = triplets[0]!;
  await expect(injectFault(triplet, "scratch" as FaultKind, { seed: 1 })).rejects.toThrow("expected a kind of");
  await expect(injectFault(triplet, "blur", { seed: 1, style: "tiled" })).rejects.toThrow("expected a style of defocus, motion");
  await expect(injectFault(triplet, "blur", { seed: 1, strength: 1.5 })).rejects.toThrow("strength from 0 to 1, got 1.5");
  await expect(injectFault(triplet, "blur", { seed: Number.NaN })).rejects.toThrow("seed to be a number or text");
  const wrong = { ...triplet, ad: { ...triplet.ad, mask: { width: 3, height: 3, data: new Uint8Array(9) } } };
  await expect(injectFault(wrong, "blur", { seed: 1 })).rejects.toThrow("a mask of 112 × 144, got 3 × 3");
});
