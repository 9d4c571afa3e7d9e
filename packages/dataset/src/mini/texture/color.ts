import type { Random } from "../random.js";

/** Linear light, 0 to 1. */
export type Color = readonly [red: number, green: number, blue: number];

/** A colour of sRGB levels 0 to 255 as light. */
export function srgb(red: number, green: number, blue: number): Color {
  const light = (level: number) => {
    const value = level / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [light(red), light(green), light(blue)];
}

/** Hue in turns, saturation and lightness 0 to 1, as CSS has them. */
export function hsl(hue: number, saturation: number, lightness: number): Color {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number) => {
    const k = (offset + (((hue % 1) + 1) % 1) * 12) % 12;
    return 255 * (lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return srgb(channel(0), channel(8), channel(4));
}

export function mixed(a: Color, b: Color, t: number): Color {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}

/** A named colour, so that captions can say it. */
export interface NamedColor {
  readonly name: string;
  readonly color: Color;
}

const families: readonly (readonly [name: string, hue: number, saturation: number, lightness: number])[] = [
  ["red", 0, 0.72, 0.42],
  ["crimson", 0.965, 0.75, 0.36],
  ["orange", 0.075, 0.85, 0.5],
  ["yellow", 0.135, 0.9, 0.53],
  ["olive", 0.17, 0.45, 0.3],
  ["green", 0.36, 0.55, 0.32],
  ["mint", 0.43, 0.4, 0.7],
  ["teal", 0.49, 0.6, 0.3],
  ["sky blue", 0.56, 0.6, 0.62],
  ["blue", 0.61, 0.7, 0.42],
  ["navy", 0.63, 0.55, 0.2],
  ["purple", 0.76, 0.45, 0.4],
  ["pink", 0.94, 0.65, 0.72],
  ["magenta", 0.88, 0.6, 0.45],
  ["brown", 0.06, 0.45, 0.26],
  ["beige", 0.1, 0.35, 0.75],
  ["white", 0.1, 0.05, 0.92],
  ["grey", 0.6, 0.04, 0.5],
  ["black", 0.6, 0.08, 0.09],
];

/** A colour of a family, a little off its middle. */
export function anyColor(random: Random, without: readonly string[] = []): NamedColor {
  const [name, hue, saturation, lightness] = random.pick(families.filter(([family]) => !without.includes(family)));
  return {
    name,
    color: hsl(
      hue + random.between(-0.012, 0.012),
      Math.min(1, saturation * random.between(0.85, 1.15)),
      Math.min(0.95, lightness * random.between(0.88, 1.12)),
    ),
  };
}
