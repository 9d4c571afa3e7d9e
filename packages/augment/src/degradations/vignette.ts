import { applyLight } from "./light-map.js";
import { checkNumber, checkNumbers, checkPicture, type Picture } from "./picture.js";

export interface VignetteParams {
  /** 0 to 1: how much linear light is missing in the corner that lies farthest from the centre. */
  readonly strength: number;
  /** Where the light is full, in shares of width and height. Default the middle. */
  readonly centre?: readonly [x: number, y: number];
  /** 0.5 to 8: how suddenly the light falls; default 2 (4 is closer to cos⁴). */
  readonly falloff?: number;
}

/** Corners darker than the middle: a cheap lens, or a flash too narrow. */
export function vignette<P extends Picture>(picture: P, { strength, centre = [0.5, 0.5], falloff = 2 }: VignetteParams): P {
  checkPicture("vignette", picture);
  checkNumber("vignette", "strength", strength, 0, 1);
  checkNumbers("vignette", "centre", centre, 2, -1, 2);
  checkNumber("vignette", "falloff", falloff, 0.5, 8);
  const { width, height } = picture;
  const [cx, cy] = [centre[0] * (width - 1), centre[1] * (height - 1)];
  const farthest = Math.max(Math.hypot(Math.max(cx, width - 1 - cx), Math.max(cy, height - 1 - cy)), 1e-9);
  // Along a table, because a power per pixel costs more than the rest.
  const steps = 4096;
  const fall = Float32Array.from({ length: steps + 2 }, (_, i) => Math.min(i / steps, 1) ** (falloff / 2));
  const amount = new Float32Array(width * height);
  const scale = steps / farthest ** 2;
  for (let y = 0, i = 0; y < height; y++) {
    const dy2 = (y - cy) ** 2;
    for (let x = 0; x < width; x++, i++) amount[i] = fall[((dy2 + (x - cx) * (x - cx)) * scale + 0.5) | 0]!;
  }
  return applyLight(picture, { amount, gain: [1 - strength, 1 - strength, 1 - strength] });
}
