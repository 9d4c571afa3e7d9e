import { ArgumentError } from "@refadgen/errors";
import { toRgb } from "@refadgen/image";
import type { Picture } from "../networks/contract.js";
import { imageOf } from "../networks/pictures.js";

/** Channels one after the other, in float64. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** `[C, H, W]`. */
  readonly data: Float64Array;
}

/** A picture's RGB values times `scale`; grey becomes RGB, alpha is dropped. */
export function planesOf(picture: Picture, scale = 1): Planes {
  const { width, height, data } = toRgb(imageOf(picture));
  const area = width * height;
  const planes = new Float64Array(3 * area);
  for (let at = 0; at < area; at++) for (let c = 0; c < 3; c++) planes[c * area + at] = data[at * 3 + c]! * scale;
  return { channels: 3, height, width, data: planes };
}

/** Throws unless two sets of planes have the same sizes. */
export function expectSameSize(where: string, a: Omit<Planes, "data">, b: Omit<Planes, "data">): void {
  if (a.channels !== b.channels || a.height !== b.height || a.width !== b.width) {
    throw new ArgumentError(
      `${where}: expected pictures of equal size, got ${a.width} × ${a.height} × ${a.channels} and ${b.width} × ${b.height} × ${b.channels}`,
    );
  }
}
