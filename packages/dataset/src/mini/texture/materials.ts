import type { Material, SurfaceSample } from "../render/scene.js";
import type { Color } from "./color.js";
import { cell, fractal2, noise2, smoothstep } from "./noise.js";

export function paint(sample: SurfaceSample, [red, green, blue]: Color): void {
  sample.red = red;
  sample.green = green;
  sample.blue = blue;
}

export interface Finish {
  readonly roughness?: number;
  readonly metallic?: number;
  readonly emission?: number;
}

/** One colour everywhere. */
export function solid(color: Color, { roughness = 0.45, metallic = 0, emission = 0 }: Finish = {}): Material {
  return (_u, _v, _x, _y, _z, sample) => {
    paint(sample, color);
    sample.roughness = roughness;
    sample.metallic = metallic;
    sample.emission = emission;
  };
}

/** What to draw on a surface, in its own (u, v). */
export type Pattern = (u: number, v: number) => Color;

export function patterned(pattern: Pattern, finish: Finish = {}): Material {
  const plain = solid([0, 0, 0], finish);
  return (u, v, x, y, z, sample) => {
    plain(u, v, x, y, z, sample);
    paint(sample, pattern(u, v));
  };
}

/** Stripes along v (or u), of the given colours in turn. */
export function stripes(
  colors: readonly Color[],
  count: number,
  { along = "v", shift = 0 }: { readonly along?: "u" | "v"; readonly shift?: number } = {},
): Pattern {
  return (u, v) => colors[Math.floor((((along === "v" ? v : u) * count + shift) % colors.length) + colors.length) % colors.length]!;
}

export function checks(first: Color, second: Color, columns: number, rows: number): Pattern {
  return (u, v) => ((Math.floor(u * columns) + Math.floor(v * rows)) % 2 === 0 ? first : second);
}

export function dots(ground: Color, dot: Color, columns: number, rows: number, radius: number): Pattern {
  return (u, v) => {
    const row = Math.floor(v * rows);
    const [x, y] = [(u * columns + (row % 2) / 2) % 1, (v * rows) % 1];
    return (x - 0.5) ** 2 + ((y - 0.5) * columns) ** 2 / Math.max(1, columns) ** 2 < radius * radius ? dot : ground;
  };
}

/** Threads that catch light: for bags, pillows, clothes. `scale` is threads per unit of (u, v). */
export function woven(material: Material, scale: number, depth = 0.25): Material {
  return (u, v, x, y, z, sample) => {
    material(u, v, x, y, z, sample);
    const grain = noise2(u * scale, v * scale, 5) - 0.5;
    const shade = 1 + grain * 0.22;
    sample.red *= shade;
    sample.green *= shade;
    sample.blue *= shade;
    sample.roughness = Math.max(sample.roughness, 0.85);
    sample.bumpX += grain * depth;
    sample.bumpY += (noise2(u * scale + 31, v * scale, 6) - 0.5) * depth;
  };
}

/** Planks or one piece of wood; grain runs along x. */
export function wood(
  color: Color,
  { plank = 0, gloss = 0.45, seed = 0 }: { readonly plank?: number; readonly gloss?: number; readonly seed?: number } = {},
): Material {
  return (_u, _v, x, y, z, sample) => {
    const across = z + y;
    const board = plank > 0 ? Math.floor(across / plank) : 0;
    const along = x + cell(board, 3, seed) * 7;
    const rings = fractal2(along * 1.4, across * 16 + fractal2(along * 0.7, across * 2.5, 2, seed) * 7, 3, seed + board);
    let shade = 0.62 + 0.55 * rings + (plank > 0 ? (cell(board, 9, seed) - 0.5) * 0.25 : 0);
    if (plank > 0) {
      const seam = Math.abs(((((across / plank) % 1) + 1) % 1) - 0.5);
      shade *= 1 - 0.55 * smoothstep(0.485, 0.5, seam);
    }
    sample.red = color[0] * shade;
    sample.green = color[1] * shade ** 1.15;
    sample.blue = color[2] * shade ** 1.3;
    sample.roughness = gloss + 0.2 * rings;
    sample.bumpZ = (rings - 0.5) * 0.05;
  };
}

/** Stone with veins. */
export function marble(color: Color, vein: Color, seed = 0): Material {
  return (_u, _v, x, y, z, sample) => {
    const turbulence = fractal2(x * 2.2, z * 2.2 + y, 4, seed);
    const line = Math.abs(Math.sin((x * 1.3 + z * 2.1 + y + turbulence * 5) * 2.2));
    const share = smoothstep(0.12, 0, line) * 0.7 + 0.15 * fractal2(x * 5, z * 5 + y * 3, 2, seed + 7);
    for (const [index, channel] of (["red", "green", "blue"] as const).entries())
      sample[channel] = color[index]! * (1 - share) + vein[index]! * share;
    sample.roughness = 0.18;
  };
}

/** Concrete, plaster, sand, snow, felt: one colour, uneven. */
export function grainy(
  color: Color,
  {
    scale = 12,
    strength = 0.25,
    roughness = 0.9,
    bump = 0.2,
    octaves = 4,
    seed = 0,
  }: {
    readonly scale?: number;
    readonly strength?: number;
    readonly roughness?: number;
    readonly bump?: number;
    readonly octaves?: number;
    readonly seed?: number;
  } = {},
): Material {
  return (_u, _v, x, y, z, sample) => {
    const [a, b] = [x * scale, (z + y) * scale];
    const value = fractal2(a, b, octaves, seed);
    const shade = 1 + (value - 0.5) * 2 * strength;
    sample.red = color[0] * shade;
    sample.green = color[1] * shade;
    sample.blue = color[2] * shade;
    sample.roughness = roughness;
    sample.bumpX = (fractal2(a + 0.35, b, octaves, seed) - value) * bump * 4;
    sample.bumpZ = (fractal2(a, b + 0.35, octaves, seed) - value) * bump * 4;
  };
}

/** Square tiles with joints; on a wall y counts, on the ground z. */
export function tiles(
  color: Color,
  joint: Color,
  size: number,
  { roughness = 0.2, offset = false, seed = 0 }: { readonly roughness?: number; readonly offset?: boolean; readonly seed?: number } = {},
): Material {
  return (_u, _v, x, y, z, sample) => {
    const across = y === 0 ? z : y;
    const row = Math.floor(across / size);
    const along = x / (offset ? 2 * size : size) + (offset && row % 2 !== 0 ? 0.5 : 0);
    const [fx, fy] = [along - Math.floor(along), across / size - row];
    const edge = Math.min(Math.min(fx, 1 - fx) * (offset ? 2 : 1), fy, 1 - fy);
    const inside = smoothstep(0.02, 0.045, edge);
    const shade = 0.9 + 0.2 * cell(Math.floor(along), row, seed);
    for (const [index, channel] of (["red", "green", "blue"] as const).entries())
      sample[channel] = joint[index]! * (1 - inside) + color[index]! * shade * inside;
    sample.roughness = 0.8 + (roughness - 0.8) * inside;
  };
}
