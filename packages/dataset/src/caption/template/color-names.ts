/** sRGB of colours as people name them. */
const named: readonly (readonly [string, number, number, number])[] = [
  ["black", 20, 20, 22],
  ["white", 245, 245, 243],
  ["grey", 128, 128, 128],
  ["light grey", 195, 195, 195],
  ["dark grey", 70, 70, 72],
  ["red", 200, 30, 35],
  ["dark red", 115, 20, 30],
  ["orange", 240, 130, 30],
  ["yellow", 245, 210, 40],
  ["olive", 115, 115, 45],
  ["green", 50, 140, 60],
  ["dark green", 25, 75, 45],
  ["light green", 160, 215, 140],
  ["teal", 20, 130, 130],
  ["turquoise", 80, 205, 200],
  ["light blue", 150, 195, 230],
  ["blue", 40, 90, 200],
  ["navy", 25, 35, 85],
  ["purple", 110, 50, 140],
  ["lilac", 195, 165, 215],
  ["pink", 240, 160, 185],
  ["magenta", 205, 40, 130],
  ["brown", 110, 70, 45],
  ["tan", 195, 155, 115],
  ["beige", 228, 212, 185],
];

const namedLab = named.map(([name, red, green, blue]) => ({ name, lab: labOf(red, green, blue) }));

/** The name that most pixels would be given. `undefined` for none. */
export function commonColor(pixels: Iterable<readonly [number, number, number]>): string | undefined {
  const votes = new Map<string, number>();
  for (const [red, green, blue] of pixels) {
    const lab = labOf(red, green, blue);
    let best = namedLab[0]!;
    for (const one of namedLab) if (distance(lab, one.lab) < distance(lab, best.lab)) best = one;
    votes.set(best.name, (votes.get(best.name) ?? 0) + 1);
  }
  let winner: string | undefined;
  for (const [name, count] of votes) if (winner === undefined || count > votes.get(winner)!) winner = name;
  return winner;
}

type Lab = readonly [number, number, number];

function distance([l, a, b]: Lab, other: Lab): number {
  // Lightness changes with the light that falls on a thing, its colour less so.
  return 0.6 * (l - other[0]) ** 2 + (a - other[1]) ** 2 + (b - other[2]) ** 2;
}

/** CIE L*a*b* of an 8-bit sRGB colour, white D65 (IEC 61966-2-1, CIE 15). */
export function labOf(red: number, green: number, blue: number): Lab {
  const linear = (value: number) => (value <= 10.31475 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const bend = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = bend((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = bend(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = bend((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
