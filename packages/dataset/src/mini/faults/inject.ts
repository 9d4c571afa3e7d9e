import { ArgumentError } from "@refadgen/errors";
import { encodeImage, type Image } from "@refadgen/image";
import { type Random, random } from "../random.js";
import type { MiniMask, MiniTriplet } from "../triplet.js";
import { corrupted } from "./corrupt.js";
import { duplicated } from "./duplicate.js";
import { occluded } from "./occlusion.js";
import { markedBox, markedCount } from "./placement.js";
import { blurred, compressed, dark, lowResolution } from "./quality.js";
import { withText } from "./text.js";
import { type Change, type FaultKind, type FaultStyle, type FaultTruth, type FaultyAd, faultKinds, faultStyles } from "./truth.js";
import { watermarked } from "./watermark.js";

export interface FaultOptions {
  /** Whole number or text: another seed is another fault. */
  readonly seed: number | string;
  /** 0 (plain to see for one who looks) to 1 (ruins the picture); default drawn. */
  readonly strength?: number;
  /** One of the kind's `faultStyles`; default drawn. */
  readonly style?: FaultStyle;
  /** Of the file; default `png`. Kinds that are about files choose themselves. */
  readonly format?: "png" | "jpeg";
}

/** What of a triplet can be spoilt. */
export type FaultSubject = Pick<MiniTriplet, "key"> & { readonly ad: Pick<MiniTriplet["ad"], "image" | "mask"> };

/** JPEG files of ads, as shops serve them. */
export const adQuality = 92;

/**
 * Spoils the ad of a triplet, and says exactly how: the truth that filters are measured against. Depends on the ad, kind and options only.
 *
 * @throws ArgumentError for an unknown kind, a style of another kind, a strength outside 0 to 1, an ad that is not RGB or has a mask of another size
 */
export async function injectFault(triplet: FaultSubject, kind: FaultKind, options: FaultOptions): Promise<FaultyAd> {
  check(triplet, kind, options);
  const { image, mask } = triplet.ad;
  const draw = random("fault", options.seed, triplet.key, kind);
  const strength = options.strength ?? draw.uniform();
  const style = options.style ?? draw.pick<FaultStyle>(faultStyles[kind]);
  const format = options.format ?? "png";
  const base = { kind, style, strength, of: triplet.key };
  if (kind === "corrupt") {
    const { bytes, extension, readable, details } = await corrupted(image, style as FaultStyle<"corrupt">, strength, draw.fork(style));
    return { file: { bytes, extension }, ...(readable && { image, mask }), truth: { ...base, readable, details } };
  }
  const change = await changed(kind, style, { image, mask, strength, draw: draw.fork(style) });
  const file = change.file ?? (await fileOf(change.image, format));
  const left = change.mask ?? mask;
  const truth: FaultTruth = { ...base, readable: true, details: change.details };
  if (!change.local) return { file, image: change.image, mask: left, truth };
  const region = changedPixels(image, change.image);
  return {
    file,
    image: change.image,
    mask: left,
    region,
    truth: { ...truth, ...placeOf(region, mask), ...(kind === "occlusion" && { visible: markedCount(left) / Math.max(1, markedCount(mask)) }) },
  };
}

/** A file of a picture, the same as `writeMini` writes it. */
async function fileOf(image: Image, format: "png" | "jpeg"): Promise<FaultyAd["file"]> {
  return format === "png"
    ? { bytes: await encodeImage(image, { format }), extension: "png" }
    : { bytes: await encodeImage(image, { format, quality: adQuality }), extension: "jpg" };
}

interface Subject {
  readonly image: Image;
  readonly mask: MiniMask;
  readonly strength: number;
  readonly draw: Random;
}

function changed(kind: Exclude<FaultKind, "corrupt">, style: FaultStyle, { image, mask, strength, draw }: Subject): Change | Promise<Change> {
  switch (kind) {
    case "watermark":
      return watermarked(image, style as FaultStyle<"watermark">, strength, draw);
    case "text":
      return withText(image, mask, style as FaultStyle<"text">, strength, draw);
    case "occlusion":
      return occluded(image, mask, style as FaultStyle<"occlusion">, strength, draw);
    case "blur":
      return blurred(image, style as FaultStyle<"blur">, strength, draw);
    case "low-resolution":
      return lowResolution(image, mask, style as FaultStyle<"low-resolution">, strength, draw);
    case "dark":
      return dark(image, style as FaultStyle<"dark">, strength, draw);
    case "jpeg":
      return compressed(image, style as FaultStyle<"jpeg">, strength, draw);
    case "duplicate":
      return duplicated(image, mask, style as FaultStyle<"duplicate">, strength, draw);
  }
}

function changedPixels(before: Image, after: Image): MiniMask {
  const { width, height } = before;
  const data = new Uint8Array(width * height);
  for (let index = 0; index < before.data.length; index++) if (before.data[index] !== after.data[index]) data[Math.floor(index / 3)] = 1;
  return { width, height, data };
}

function placeOf(region: MiniMask, product: MiniMask): Pick<FaultTruth, "share" | "outside" | "box"> {
  const pixels = region.data.length;
  let outside = 0;
  for (let pixel = 0; pixel < pixels; pixel++) if (region.data[pixel] === 1 && product.data[pixel] === 0) outside++;
  const box = markedBox(region);
  return { share: markedCount(region) / pixels, outside: outside / pixels, ...(box && { box: [box[0], box[1], box[2] - box[0], box[3] - box[1]] }) };
}

function check({ key, ad: { image, mask } }: FaultSubject, kind: FaultKind, { seed, strength, style, format }: FaultOptions): void {
  const fail = (expected: string, got: unknown): never => {
    throw new ArgumentError(`injectFault: expected ${expected}, got ${String(got)}`);
  };
  if (typeof key !== "string") fail("a triplet with a key", key);
  if (!faultKinds.includes(kind)) fail(`a kind of ${faultKinds.join(", ")}`, kind);
  if (typeof seed !== "string" && !Number.isFinite(seed)) fail("seed to be a number or text", seed);
  if (strength !== undefined && !(strength >= 0 && strength <= 1)) fail("strength from 0 to 1", strength);
  if (style !== undefined && !(faultStyles[kind] as readonly string[]).includes(style)) fail(`a style of ${faultStyles[kind].join(", ")}`, style);
  if (format !== undefined && format !== "png" && format !== "jpeg") fail("format png or jpeg", format);
  if (image.channels !== 3) fail("an RGB picture", `${image.channels} channels`);
  if (mask.width !== image.width || mask.height !== image.height)
    fail(`a mask of ${image.width} × ${image.height}`, `${mask.width} × ${mask.height}`);
}
