import type { WorkingCopy } from "./working-copy.js";

export interface Tone {
  /** Mean perceived brightness, 0 to 1: √(0.241 R² + 0.691 G² + 0.068 B²) (cleanvision). */
  readonly brightness: number;
  /** Its 5th and 99th percentiles: a dark picture has no light pixels, a bleached one no dark ones. */
  readonly shadows: number;
  readonly highlights: number;
  /** 95th less 5th percentile. */
  readonly contrast: number;
  /** Of the histogram of luma, bits, 0 to 8. */
  readonly entropy: number;
  /** Mean of HSV saturation weighted with value, 0 to 1. */
  readonly saturation: number;
}

export function measureTone({ rgb, luma }: WorkingCopy): Tone {
  const bright = new Uint32Array(256);
  const levels = new Uint32Array(256);
  let [sum, colour] = [0, 0];
  for (let pixel = 0, at = 0; pixel < luma.length; pixel++, at += 3) {
    const [r, g, b] = [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!];
    const perceived = Math.sqrt(0.241 * r * r + 0.691 * g * g + 0.068 * b * b);
    sum += perceived;
    bright[Math.min(255, Math.round(perceived))]!++;
    levels[Math.min(255, Math.round(luma[pixel]!))]!++;
    // Saturation times value: (max - min) / max · max.
    colour += Math.max(r, g, b) - Math.min(r, g, b);
  }
  const count = luma.length;
  let entropy = 0;
  for (const number of levels) if (number > 0) entropy -= (number / count) * Math.log2(number / count);
  const [low, high, top] = [percentile(bright, count, 0.05), percentile(bright, count, 0.95), percentile(bright, count, 0.99)];
  return {
    brightness: sum / count / 255,
    shadows: low / 255,
    highlights: top / 255,
    contrast: (high - low) / 255,
    entropy,
    saturation: colour / count / 255,
  };
}

/** The first bin at which at least this share has been seen. */
function percentile(histogram: ArrayLike<number>, count: number, share: number): number {
  let seen = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    seen += histogram[bin]!;
    if (seen >= share * count && seen > 0) return bin;
  }
  return histogram.length - 1;
}
