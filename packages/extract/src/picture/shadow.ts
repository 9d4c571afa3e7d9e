import type { Image } from "@refadgen/image";
import { linear } from "../color/lab.js";

const clusters = 8;
/** Clusters with less of the background are chance. */
const leastShare = 0.02;
/** A shadow leaves at least this much of the light, as a natural logarithm. */
const darkest = -1.3;
const brightest = 0.12;

/**
 * Pixels that a background in shadow would explain: of one of its colours, and darker in all channels alike. A product in the background's
 * own colour is told by this no better than by eye.
 *
 * @param image RGB
 * @param background `[H, W]`, 1 where there is nothing but background
 * @returns `[H, W]` of 0 and 1
 */
export function shadowLike({ width, height, data }: Image, background: Uint8Array): Uint8Array {
  const count = width * height;
  const light = Float32Array.from(data, (level) => Math.log(linear[level]! + 0.01));
  const pixels: number[] = [];
  for (let pixel = 0; pixel < count; pixel++) if (background[pixel] === 1) pixels.push(pixel);
  const shadows = new Uint8Array(count);
  if (pixels.length < 50) return shadows;
  const stride = Math.max(1, Math.floor(pixels.length / 3000));
  const colours = coloursOf(
    light,
    pixels.filter((_, index) => index % stride === 0),
  );
  for (let pixel = 0; pixel < count; pixel++) {
    for (const [red, green, blue] of colours) {
      const [r, g, b] = [light[pixel * 3]! - red, light[pixel * 3 + 1]! - green, light[pixel * 3 + 2]! - blue];
      const darker = (r + g + b) / 3;
      if (darker < darkest || darker > brightest) continue;
      // Shadows take the colour of what still shines into them: the deeper, the more.
      if (Math.hypot(r - darker, g - darker, b - darker) > 0.07 + 0.1 * Math.min(1, Math.max(0, -darker))) continue;
      shadows[pixel] = 1;
      break;
    }
  }
  return shadows;
}

type Colour = readonly [number, number, number];

/** The main colours among some pixels: k-means, begun with those that lie farthest apart. */
function coloursOf(light: Float32Array, pixels: readonly number[]): Colour[] {
  const distance = (pixel: number, [red, green, blue]: Colour) =>
    (light[pixel * 3]! - red) ** 2 + (light[pixel * 3 + 1]! - green) ** 2 + (light[pixel * 3 + 2]! - blue) ** 2;
  const colourOf = (pixel: number): Colour => [light[pixel * 3]!, light[pixel * 3 + 1]!, light[pixel * 3 + 2]!];
  let centres: Colour[] = [colourOf(pixels[0]!)];
  const nearest = Float64Array.from(pixels, (pixel) => distance(pixel, centres[0]!));
  while (centres.length < clusters) {
    const far = nearest.reduce((best, value, index) => (value > nearest[best]! ? index : best), 0);
    const centre = colourOf(pixels[far]!);
    centres.push(centre);
    for (const [index, pixel] of pixels.entries()) nearest[index] = Math.min(nearest[index]!, distance(pixel, centre));
  }
  let counts: number[] = [];
  for (let round = 0; round < 6; round++) {
    const sums = centres.map(() => [0, 0, 0, 0] as [number, number, number, number]);
    for (const pixel of pixels) {
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (const [index, centre] of centres.entries()) {
        const away = distance(pixel, centre);
        if (away < least) [best, least] = [index, away];
      }
      const sum = sums[best]!;
      for (let channel = 0; channel < 3; channel++) sum[channel]! += light[pixel * 3 + channel]!;
      sum[3]++;
    }
    centres = sums.map(([red, green, blue, total], index) => (total > 0 ? [red / total, green / total, blue / total] : centres[index]!));
    counts = sums.map(([, , , total]) => total);
  }
  return centres.filter((_, index) => counts[index]! >= leastShare * pixels.length);
}
