import type { Random } from "../random.js";
import { type Canvas, canvas, disc, line, polygon, rectangle, text } from "./canvas.js";
import { anyColor, type Color, mixed, type NamedColor, srgb } from "./color.js";

/** What is printed on a product, the same wherever it is printed. */
export interface Brand {
  readonly name: string;
  readonly ground: NamedColor;
  readonly ink: NamedColor;
  readonly logo: Logo;
  readonly face: { readonly weight: number; readonly slant: number; readonly stretch: number; readonly spacing: number };
  readonly words: string;
}

export type Logo = (typeof logos)[number];
const logos = ["ring", "triangle", "star", "diamond", "leaf", "bars", "cross", "waves", "moon", "hexagon"] as const;

const [openings, middles, endings] = [
  ["VE", "NU", "ORA", "KI", "MAR", "SOL", "ZEN", "LU", "TAL", "BRI", "FEN", "AVA", "RUX", "PEL", "HAL", "DO"],
  ["LO", "MI", "RA", "TE", "VI", "NO", "SA", "KE", "", "", "", "DU"],
  ["RA", "MA", "TIS", "NE", "X", "VO", "LLA", "NIA", "K", "DE", "RO", "S", "LUX"],
];

/** @param words what such a product says of itself, one of which goes below the name */
export function brand(random: Random, words: readonly string[]): Brand {
  const ground = anyColor(random);
  const dark = ground.color[0] * 0.21 + ground.color[1] * 0.72 + ground.color[2] * 0.07 < 0.25;
  const ink = random.chance(0.5)
    ? dark
      ? { name: "white", color: srgb(250, 248, 240) }
      : { name: "black", color: srgb(22, 22, 26) }
    : contrasting(random, ground.color);
  return {
    name: `${random.pick(openings)}${random.pick(middles)}${random.pick(endings)}`,
    ground,
    ink,
    logo: random.pick(logos),
    face: {
      weight: random.between(0.1, 0.24),
      slant: random.chance(0.3) ? random.between(0.1, 0.3) : 0,
      stretch: random.between(0.8, 1.25),
      spacing: random.between(0.2, 0.45),
    },
    words: random.pick(words),
  };
}

function contrasting(random: Random, ground: Color): NamedColor {
  const light = (color: Color) => color[0] * 0.21 + color[1] * 0.72 + color[2] * 0.07;
  for (let attempt = 0; attempt < 12; attempt++) {
    const ink = anyColor(random);
    const [low, high] = [light(ink.color), light(ground)].sort((a, b) => a - b) as [number, number];
    if ((high + 0.05) / (low + 0.05) > 3) return ink;
  }
  return light(ground) > 0.2 ? { name: "black", color: srgb(20, 20, 24) } : { name: "white", color: srgb(250, 250, 245) };
}

/** A label of a brand: one of several layouts, width by height in cells. */
export function label(random: Random, { name, ground, ink, logo, face, words }: Brand, width: number, height: number): Canvas {
  const target = canvas(width, height, ground.color);
  const layout = random.integer(0, 4);
  const accent = anyColor(random, [ground.name]).color;
  const small = { color: ink.color, size: height * 0.07, weight: 0.14, spacing: 0.35 };
  if (layout === 0) {
    rectangle(target, accent, 0, 0, width, height * 0.16);
    rectangle(target, accent, 0, height * 0.92, width, height);
  } else if (layout === 1) {
    rectangle(target, ink.color, width * 0.06, height * 0.05, width * 0.94, height * 0.07);
    rectangle(target, ink.color, width * 0.06, height * 0.93, width * 0.94, height * 0.95);
  } else if (layout === 2) {
    polygon(target, accent, [
      [0, 0],
      [width, 0],
      [width, height * random.between(0.2, 0.4)],
      [0, height * random.between(0.1, 0.2)],
    ]);
  } else if (layout === 3) {
    for (let index = 0; index < 5; index++)
      rectangle(target, mixed(ground.color, accent, 0.25 + 0.15 * index), 0, height * 0.06 * index, width, height * 0.06 * (index + 1));
  } else {
    disc(target, mixed(ground.color, accent, 0.8), width * 0.5, height * 0.68, Math.min(width, height) * 0.28);
  }
  drawLogo(target, logo, ink.color, width / 2, height * 0.7, Math.min(width, height) * 0.17);
  text(target, name, width / 2, height * 0.42, width * 0.86, { color: ink.color, size: height * 0.17, ...face });
  text(target, words, width / 2, height * 0.25, width * 0.7, small);
  for (let index = 0; index < 2; index++)
    line(
      target,
      mixed(ground.color, ink.color, 0.6),
      width * 0.3,
      height * (0.13 - 0.04 * index),
      width * 0.7,
      height * (0.13 - 0.04 * index),
      height * 0.012,
    );
  return target;
}

export function drawLogo(target: Canvas, logo: Logo, color: Color, x: number, y: number, size: number): void {
  const around = (corners: number, radius: (index: number) => number, turn = 0) =>
    Array.from({ length: corners }, (_, index): [number, number] => {
      const angle = Math.PI / 2 + turn + (2 * Math.PI * index) / corners;
      return [x + radius(index) * Math.cos(angle), y + radius(index) * Math.sin(angle)];
    });
  switch (logo) {
    case "ring":
      disc(target, color, x, y, size, size * 0.35);
      break;
    case "triangle":
      polygon(
        target,
        color,
        around(3, () => size),
      );
      break;
    case "star":
      polygon(
        target,
        color,
        around(10, (index) => (index % 2 === 0 ? size : size * 0.42)),
      );
      break;
    case "diamond":
      polygon(
        target,
        color,
        around(4, (index) => (index % 2 === 0 ? size : size * 0.6)),
      );
      break;
    case "hexagon":
      polygon(
        target,
        color,
        around(6, () => size),
      );
      break;
    case "leaf":
      polygon(
        target,
        color,
        Array.from({ length: 24 }, (_, index): [number, number] => {
          const t = index < 12 ? index / 12 : (24 - index) / 12;
          const bulge = Math.sin(Math.PI * t) * 0.55 * (index < 12 ? 1 : -1);
          return [x + size * (bulge + (t - 0.5) * 0.6), y + size * (2 * t - 1)];
        }),
      );
      break;
    case "bars":
      for (let index = -1; index <= 1; index++)
        rectangle(
          target,
          color,
          x + (index - 0.25) * size * 0.62,
          y - size * (0.9 - 0.25 * (index + 1)),
          x + (index + 0.25) * size * 0.62,
          y + size * (0.3 + 0.3 * (index + 1)),
        );
      break;
    case "cross":
      rectangle(target, color, x - size * 0.25, y - size, x + size * 0.25, y + size);
      rectangle(target, color, x - size, y - size * 0.25, x + size, y + size * 0.25);
      break;
    case "waves":
      for (let row = -1; row <= 1; row++)
        for (let index = 0; index < 8; index++) {
          const at = (step: number): [number, number] => [x + size * (step / 4 - 1), y + size * (0.55 * row + 0.18 * Math.sin(step * 1.57))];
          line(target, color, ...at(index), ...at(index + 1), size * 0.2);
        }
      break;
    case "moon":
      polygon(
        target,
        color,
        Array.from({ length: 28 }, (_, index): [number, number] => {
          const angle = index < 14 ? Math.PI * (0.35 + (1.3 * index) / 13) : Math.PI * (1.65 - (1.3 * (index - 14)) / 13);
          return index < 14
            ? [x + size * Math.cos(angle), y + size * Math.sin(angle)]
            : [x + size * 0.42 + size * 0.85 * Math.cos(angle), y + size * 0.88 * Math.sin(angle)];
        }),
      );
      break;
  }
}
