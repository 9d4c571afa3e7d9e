import type { Image } from "@refadgen/image";
import { squaredDistance } from "../mask/distance.js";
import type { Mask } from "../mask/mask.js";
import type { BackgroundModel } from "./background-model.js";

/** Outlines are blurred by lens, sharpening and recompression over about this many pixels on either side. */
const band = 2;
/** How far inside colours are the product's own. */
const core = 2.5;
const reach = 5;

export interface SoftEdge {
  /** `[H, W]`, 0 to 255. */
  readonly matte: Uint8Array;
  /** The median ΔE between the product just inside its outline and the background; 0 for an empty mask. */
  readonly contrast: number;
}

/**
 * The share of the product in every pixel near a mask's outline: where the pixel's colour lies between the background's and that of the
 * nearest product pixels well inside. Elsewhere the matte is the mask.
 */
export function softEdge(image: Image, mask: Mask, { lab, model }: { readonly lab: Float32Array; readonly model: BackgroundModel }): SoftEdge {
  const { width, height } = image;
  const [outward, inward] = [squaredDistance(mask, 1), squaredDistance(mask, 0)];
  const matte = mask.data.map((value) => value * 255);
  const contrasts: number[] = [];
  const [background, product] = [new Float64Array(3), new Float64Array(3)];
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const inside = mask.data[pixel] === 1;
      if ((inside ? inward[pixel]! : outward[pixel]!) > band * band) continue;
      if (!coreColor(x, y)) continue;
      model.at(x, y, background);
      const [l, a, b] = [product[0]! - background[0]!, product[1]! - background[1]!, product[2]! - background[2]!];
      const length = l * l + a * a + b * b;
      if (inside && inward[pixel]! <= 1) contrasts.push(Math.sqrt(length));
      if (length < 16) continue; // too alike to tell shares
      const share =
        (l * (lab[pixel * 3]! - background[0]!) + a * (lab[pixel * 3 + 1]! - background[1]!) + b * (lab[pixel * 3 + 2]! - background[2]!)) / length;
      matte[pixel] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  return { matte, contrast: contrasts.sort((a, b) => a - b)[contrasts.length >> 1] ?? 0 };

  /** The mean colour of the product's own pixels around a place, the near ones counting most; false when there are none. */
  function coreColor(x: number, y: number): boolean {
    let weight = 0;
    product.fill(0);
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
        const other = v * width + u;
        if (inward[other]! < core * core || mask.data[other] === 0) continue;
        const near = 1 / (1 + (u - x) ** 2 + (v - y) ** 2);
        weight += near;
        for (let channel = 0; channel < 3; channel++) product[channel]! += near * lab[other * 3 + channel]!;
      }
    }
    if (weight === 0) return false;
    for (let channel = 0; channel < 3; channel++) product[channel]! /= weight;
    return true;
  }
}
