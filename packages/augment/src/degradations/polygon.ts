import type { Size } from "@refadgen/image";
import type { Point } from "./warp.js";

const linesPerPixel = 4;

/** How much of each pixel lies in any of the polygons (each by the even-odd rule), 0 to 1, `[H, W]`; pixels are squares from whole numbers on. */
export function polygonCover(polygons: readonly (readonly Point[])[], { width, height }: Size): Float32Array {
  const cover = new Float32Array(width * height);
  for (const polygon of polygons) {
    const own = new Float32Array(width * height);
    for (let line = 0; line < height * linesPerPixel; line++) {
      const y = (line + 0.5) / linesPerPixel;
      const crossings = polygon
        .map((a, i) => [a, polygon[(i + 1) % polygon.length]!] as const)
        .filter(([[, ay], [, by]]) => ay <= y !== by <= y)
        .map(([[ax, ay], [bx, by]]) => ax + ((bx - ax) * (y - ay)) / (by - ay))
        .sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossings.length; k += 2)
        fillSpan(own, Math.trunc(line / linesPerPixel) * width, width, crossings[k]!, crossings[k + 1]!);
    }
    for (let i = 0; i < cover.length; i++) cover[i] = Math.max(cover[i]!, Math.min(own[i]!, 1));
  }
  return cover;
}

function fillSpan(cover: Float32Array, row: number, width: number, from: number, to: number): void {
  const left = Math.max(from, 0);
  const right = Math.min(to, width);
  for (let x = Math.floor(left); x < right; x++) cover[row + x]! += Math.max(0, Math.min(right, x + 1) - Math.max(left, x)) / linesPerPixel;
}
