import { type Image, toRgb } from "@refadgen/image";

/** CIE L*a*b* (D65) of every pixel, `[H, W, 3]`: L 0 to 100. The Euclidean distance of two colours is ΔE*ab, of which about 2.3 is just visible. */
export function labOf(image: Image): Float32Array {
  const { data } = toRgb(image);
  const out = new Float32Array(data.length);
  for (let index = 0; index < data.length; index += 3) {
    const [red, green, blue] = [linear[data[index]!]!, linear[data[index + 1]!]!, linear[data[index + 2]!]!];
    const x = curve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047);
    const y = curve(0.2126729 * red + 0.7151522 * green + 0.072175 * blue);
    const z = curve((0.0193339 * red + 0.119192 * green + 0.9503041 * blue) / 1.08883);
    out[index] = 116 * y - 16;
    out[index + 1] = 500 * (x - y);
    out[index + 2] = 200 * (y - z);
  }
  return out;
}

/** sRGB levels as light, IEC 61966-2-1. */
export const linear: Float64Array = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

function curve(value: number): number {
  return value > 216 / 24389 ? Math.cbrt(value) : (24389 / 27) * (value / 116) + 16 / 116;
}
