import type { Mask } from "../mask/mask.js";

export interface Salience {
  readonly width: number;
  readonly height: number;
  /** `[H, W]`: how large the step is that every way from the picture's border to the pixel has to take, in ΔE; 0 for what belongs to the border. */
  readonly barrier: Float32Array;
  /** Where the barriers part best into low and high ones (Otsu, 1979). */
  readonly threshold: number;
}

/** Lightness changes with the light, hue with the thing. */
const weights = [0.7, 1, 1];

/**
 * What stands out: the minimum barrier distance from the picture's border (Zhang et al., Minimum Barrier Salient Object Detection at 80 FPS,
 * ICCV 2015), summed over L*, a* and b*. Walls, floors and skies are low however they are lit, since they are reached by small steps.
 *
 * @param lab `[H, W, 3]`
 */
export function salienceOf(lab: Float32Array, { width, height }: Pick<Mask, "width" | "height">): Salience {
  const count = width * height;
  const barrier = new Float32Array(count);
  for (const [channel, weight] of weights.entries()) {
    const distance = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
    const lowest = Float32Array.from({ length: count }, (_, pixel) => lab[pixel * 3 + channel]!);
    const highest = lowest.slice();
    for (let pixel = 0; pixel < count; pixel++) if (onBorder(pixel, width, height)) distance[pixel] = 0;
    const reach = (pixel: number, from: number) => {
      const value = lab[pixel * 3 + channel]!;
      const high = Math.max(highest[from]!, value);
      const low = Math.min(lowest[from]!, value);
      if (high - low >= distance[pixel]!) return;
      distance[pixel] = high - low;
      highest[pixel] = high;
      lowest[pixel] = low;
    };
    for (let pass = 0; pass < 2; pass++) {
      for (let y = 1; y < height - 1; y++) {
        for (let x = 1; x < width - 1; x++) {
          reach(y * width + x, y * width + x - 1);
          reach(y * width + x, (y - 1) * width + x);
        }
      }
      for (let y = height - 2; y > 0; y--) {
        for (let x = width - 2; x > 0; x--) {
          reach(y * width + x, y * width + x + 1);
          reach(y * width + x, (y + 1) * width + x);
        }
      }
    }
    for (let pixel = 0; pixel < count; pixel++) barrier[pixel]! += weight * distance[pixel]!;
  }
  return { width, height, barrier, threshold: otsu(barrier) };
}

/** The two outermost pixels on every side. */
export function onBorder(pixel: number, width: number, height: number): boolean {
  const [x, y] = [pixel % width, Math.floor(pixel / width)];
  return x < 2 || y < 2 || x >= width - 2 || y >= height - 2;
}

const bins = 128;

/** The threshold with the greatest variance between what lies below and above it; 0 when all values are alike. */
function otsu(values: Float32Array): number {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return 0;
  const counts = new Float64Array(bins);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value / most) * bins))]!++;
  const all = counts.reduce((sum, count, bin) => sum + count * bin, 0);
  let [below, sum, best, at] = [0, 0, -1, 0];
  for (let bin = 0; bin < bins; bin++) {
    below += counts[bin]!;
    sum += counts[bin]! * bin;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const variance = below * above * (sum / below - (all - sum) / above) ** 2;
    if (variance > best) [best, at] = [variance, bin];
  }
  return ((at + 1) / bins) * most;
}
