import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { checkMask, checkPicture } from "./picture.js";
import { type Border, type Point, type Warp, warpPicture, warpPoints } from "./warp.js";

/** A picture that belongs to a product and moves along with it: depth, normals, a label map. */
export interface Companion {
  /** Of the product picture's size. */
  readonly image: Image;
  /** Labels take `"nearest"` (default), which invents no values; pictures `"bilinear"`. */
  readonly interpolation?: "bilinear" | "nearest";
  /** What comes in from outside: white or 0 (default). The edge is repeated where the picture's is. */
  readonly outside?: "white" | "zero";
}

/** What recipes work on. */
export interface Sample {
  readonly image: Image;
  /** One channel, 255 where the product is. */
  readonly mask?: Image;
  readonly companions?: Readonly<Record<string, Companion>>;
  /** Corners, key points: px, pixel centres at whole numbers. One that leaves the picture's domain becomes undefined. */
  readonly points?: readonly (Point | undefined)[];
}

/**
 * Throws unless everything is of the picture's size.
 *
 * @throws ArgumentError
 */
export function checkSample(name: string, sample: Sample): void {
  if (typeof sample !== "object" || sample === null) throw new ArgumentError(`${name}: expected a sample, got ${String(sample)}`);
  checkPicture(name, sample.image);
  if (!(sample.image.data instanceof Uint8Array)) throw new ArgumentError(`${name}: expected a picture of 8 bits, got float32`);
  if (sample.mask) checkMask(name, sample.mask, sample.image);
  for (const [key, { image }] of Object.entries(sample.companions ?? {})) {
    checkPicture(`${name}: companion ${key}`, image);
    if (image.width !== sample.image.width || image.height !== sample.image.height)
      throw new ArgumentError(
        `${name}: expected companion ${key} of the picture's size, ${sample.image.width} × ${sample.image.height}, got ${image.width} × ${image.height}`,
      );
  }
}

/** Moves everything in a sample: the mask and labels by nearest neighbour, points through the inverse. */
export function warpSample(sample: Sample, warp: Warp, border: Border): Sample {
  // Where the edge is repeated or reflected, so is what stands there in the mask.
  const filling = border === "white" ? "zero" : border;
  return {
    ...sample,
    image: warpPicture(sample.image, warp, { border }),
    ...(sample.mask && { mask: warpPicture(sample.mask, warp, { interpolation: "nearest", border: filling }) }),
    ...(sample.companions && {
      companions: Object.fromEntries(
        Object.entries(sample.companions).map(([key, companion]) => [
          key,
          {
            ...companion,
            image: warpPicture(companion.image, warp, {
              interpolation: companion.interpolation ?? "nearest",
              border: border === "white" || border === "zero" ? (companion.outside ?? "zero") : border,
            }),
          },
        ]),
      ),
    }),
    ...(sample.points && {
      points: sample.points.map((point) => point && warpPoints([point], warp)[0]),
    }),
  };
}
