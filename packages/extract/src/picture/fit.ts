import type { Image } from "@refadgen/image";
import { labOf } from "../color/lab.js";
import { dilateMask } from "../mask/clean.js";
import type { Mask } from "../mask/mask.js";
import { type Salience, salienceOf } from "./barrier.js";
import { shadowLike } from "./shadow.js";

/** How well a mask goes with its picture; all from 0, badly, to 1. */
export interface Fit {
  /** Of what stands out in the mask and around it, how much the mask holds, and how little else. */
  readonly salient: number;
  /** How near to the middle of the picture it is. */
  readonly central: number;
  /** The share that no shadow on the background would explain. */
  readonly unshadowed: number;
  /** Hellinger distance of its colours to those around it. */
  readonly contrast: number;
}

/** A picture with what is measured of it once for all masks. */
export interface Measured {
  readonly image: Image;
  readonly salience: Salience;
  /** `[H, W]`, cells of colour. */
  readonly cells: Uint16Array;
}

/** @param image RGB, small: cost grows with its pixels, and what is told does not */
export function measured(image: Image): Measured {
  const lab = labOf(image);
  const cell = (value: number, from: number, to: number) => Math.min(7, Math.max(0, Math.floor((8 * (value - from)) / (to - from))));
  const cells = Uint16Array.from(
    { length: image.width * image.height },
    (_, pixel) => (cell(lab[pixel * 3]!, 0, 100) * 8 + cell(lab[pixel * 3 + 1]!, -60, 60)) * 8 + cell(lab[pixel * 3 + 2]!, -60, 60),
  );
  return { image, salience: salienceOf(lab, image), cells };
}

/** Where a picture's subject is looked for: 1 in the middle, less towards the sides. */
export function centrality({ width, height }: Pick<Mask, "width" | "height">): Float32Array {
  return Float32Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) / width, Math.floor(pixel / width) / height];
    return Math.exp(-(((x - 0.5) / 0.3) ** 2 + ((y - 0.52) / 0.32) ** 2) / 2);
  });
}

/** What is surely background, whatever the mask: far from it, and not standing out. */
export function backgroundAround({ salience: { barrier, threshold } }: Measured, mask: Mask): Uint8Array {
  const near = dilateMask(mask, 0.03 * Math.max(mask.width, mask.height));
  return near.data.map((value, pixel) => (value === 1 || barrier[pixel]! > threshold ? 0 : 1));
}

export interface FitOptions {
  /** `centrality` of the size. */
  readonly middle?: Float32Array;
  /** What may be shadow; default what the background around the mask says. */
  readonly shadows?: Uint8Array;
}

/** @param mask not empty, of the picture's size */
export function fitOf(picture: Measured, mask: Mask, options: FitOptions = {}): Fit {
  const { middle = centrality(mask), shadows = shadowLike(picture.image, backgroundAround(picture, mask)) } = options;
  const { salience, cells } = picture;
  const longest = Math.max(mask.width, mask.height);
  const [near, ring] = [dilateMask(mask, 0.06 * longest), dilateMask(mask, 0.1 * longest)];
  const [own, around] = [new Float64Array(512), new Float64Array(512)];
  let [area, inside, outside, central, shadowed, surroundings] = [0, 0, 0, 0, 0, 0];
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    const salient = salience.threshold === 0 ? 0 : Math.min(1, salience.barrier[pixel]! / (0.8 * salience.threshold));
    if (mask.data[pixel] === 1) {
      area++;
      inside += salient;
      central += middle[pixel]!;
      shadowed += shadows[pixel]!;
      own[cells[pixel]!]!++;
      continue;
    }
    if (near.data[pixel] === 1) outside += salient;
    if (ring.data[pixel] === 1) {
      surroundings++;
      around[cells[pixel]!]!++;
    }
  }
  const overlap = own.reduce((sum, count, cell) => sum + Math.sqrt((count / area) * (around[cell]! / Math.max(1, surroundings))), 0);
  return {
    salient: inside / (area + outside),
    central: central / area,
    unshadowed: 1 - shadowed / area,
    contrast: Math.sqrt(Math.max(0, 1 - overlap)),
  };
}
