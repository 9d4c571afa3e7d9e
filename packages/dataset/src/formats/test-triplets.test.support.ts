import { encodeImage, type Image } from "@refadgen/image";
import type { Triplet, TripletMask, TripletPicture } from "../contract.js";

/** Pixels that are a function of their place and a number, so that no two pictures are alike. */
export function testImage(number: number, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at++) data[at] = (at * 7 + number * 31 + Math.floor(at / (width * 3)) * 13) % 256;
  return { width, height, channels: 3, data };
}

export async function testPicture(number: number, width: number, height: number, format: "png" | "jpeg" | "webp" = "png"): Promise<TripletPicture> {
  return { bytes: await encodeImage(testImage(number, width, height), { format }), type: `image/${format}` };
}

export function testMask(number: number, width: number, height: number): TripletMask {
  const data = new Uint8Array(width * height);
  for (let at = 0; at < data.length; at++) data[at] = (at + number) % 3 === 0 || at % (number + 2) === 1 ? 1 : 0;
  return { width, height, data };
}

/** Odd sizes, every kind of text, variants with and without a mask of their own, none at all, all three kinds of files. */
export async function testTriplets(): Promise<Triplet[]> {
  const triplets: Triplet[] = [];
  for (const [number, [width, height]] of (
    [
      [7, 5],
      [5, 7],
      [13, 11],
      [1, 3],
      [16, 9],
    ] as const
  ).entries()) {
    const kind = (["png", "jpeg", "webp"] as const)[number % 3]!;
    const own = testMask(number + 10, width, height);
    const view = async (index: number, mask: TripletMask) => ({
      index,
      kind: "view" as const,
      product: await testPicture(number * 10 + index, width, height, kind),
      mask,
    });
    const degraded = async (index: number) => ({ index, kind: "degraded" as const, product: await testPicture(number * 10 + index, width, height) });
    const variants = [
      [],
      [await degraded(0), await degraded(1), await degraded(2), await view(3, own), await view(4, own)],
      [await degraded(0), await view(3, own), await view(4, testMask(number + 20, width, height))],
      [await view(7, own)],
      [await degraded(1), { ...(await degraded(2)), kind: "view" as const }, { ...(await degraded(4)), mask: own }],
    ][number]!;
    triplets.push({
      key: ["plain", "under_score-00", "1712345678_123456", "Z", "a_00"][number]!,
      category: ["Cup", "Body wash", "背包", 'quote" \\', "Wine glass"][number]!,
      ad: await testPicture(number, width, height, kind),
      product: await testPicture(number + 50, width, height, kind),
      mask: testMask(number, width, height),
      captions: [
        ["one", "two", "three", "four"],
        ["“Ünïcode” — 杯子 🥤 \u202eright to left", "line\nbreak\ttab\r\n", "nul \u0000 bell \u0007 escape \u001b[31m del \u007f"],
        [],
        ["", " ", '"quoted", comma; <b>markup</b> \\ backslash \u2028 separator'],
        ["same", "same"],
      ][number]!,
      variants,
      ...((["train", "test", undefined, "train", "train"] as const)[number] && {
        split: (["train", "test", undefined, "train", "train"] as const)[number]!,
      }),
      ...(number !== 2 && {
        extra: number === 0 ? {} : { source: { sha256: "00", score: 0.1 + number, list: [1, "two", null, { deep: [[]] }] }, "key with \u0000": true },
      }),
    });
  }
  return triplets;
}

export async function* each<T>(values: readonly T[]): AsyncGenerator<T, void, void> {
  yield* values;
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** Bytes become texts, which compare fast, in the order of keys. */
export function plain(triplets: readonly Triplet[]): object[] {
  const picture = ({ bytes, type }: TripletPicture) => ({ bytes: Buffer.from(bytes).toString("base64"), type });
  const mask = ({ width, height, data }: TripletMask) => ({ width, height, data: data.join("") });
  return triplets
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map((triplet) => ({
      ...triplet,
      ad: picture(triplet.ad),
      product: picture(triplet.product),
      mask: mask(triplet.mask),
      variants: triplet.variants.map((variant) => ({
        ...variant,
        product: picture(variant.product),
        ...(variant.mask && { mask: mask(variant.mask) }),
      })),
    }));
}
