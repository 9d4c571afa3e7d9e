import { deformed, type Mesh, placed } from "../geometry/mesh.js";
import { ellipsoid, lathe, roundedBox, sheet, tube } from "../geometry/shapes.js";
import { type ProductPart, part } from "../products/product.js";
import type { Random } from "../random.js";
import { anyColor, type Color, mixed, srgb } from "../texture/color.js";
import { grainy, patterned, solid } from "../texture/materials.js";
import { noise2 } from "../texture/noise.js";

/** Something that stands beside a product: its parts around the origin, on y = 0, and how captions name it. */
export interface Prop {
  readonly parts: readonly ProductPart[];
  readonly name: string;
  /** Half its width. */
  readonly radius: number;
}

export type PropMaker = (random: Random) => Prop;

const moved = (parts: readonly ProductPart[], x: number, y: number, z: number): ProductPart[] =>
  parts.map((one) => ({ ...one, mesh: placed(one.mesh, { move: [x, y, z] }) }));

export const stones: PropMaker = (random) => {
  const color = mixed(srgb(150, 145, 138), srgb(90, 86, 84), random.uniform());
  const parts = Array.from({ length: random.integer(2, 4) }, (_, index) => {
    const size = random.between(0.05, 0.13);
    const seed = random.integer(0, 999);
    const stone = deformed(ellipsoid([size, size * 0.62, size * 0.85], { columns: 14, rows: 9 }), (x, y, z) => {
      const bump = 0.85 + 0.3 * noise2(x * 9 + seed, z * 9 + y * 7, seed);
      return [x * bump, y * bump, z * bump];
    });
    return part(stone, grainy(color, { scale: 30, strength: 0.2 }), {
      move: [(index - 1) * 0.16 + random.between(-0.03, 0.03), size * 0.55, random.between(-0.1, 0.1)],
    });
  });
  return { parts, name: "stones", radius: 0.28 };
};

export const fruit: PropMaker = (random) => {
  const kind = random.pick([
    { name: "lemons", color: srgb(244, 208, 44), shape: [1.2, 0.92] },
    { name: "oranges", color: srgb(238, 132, 28), shape: [1, 0.95] },
    { name: "green apples", color: srgb(128, 180, 60), shape: [1, 0.9] },
    { name: "berries", color: srgb(120, 22, 50), shape: [1, 1] },
  ] as const);
  const small = kind.name === "berries";
  const count = small ? 6 : random.integer(1, 3);
  const parts = Array.from({ length: count }, (_, index) => {
    const size = small ? 0.032 : random.between(0.085, 0.11);
    return part(ellipsoid([size * kind.shape[0], size * kind.shape[1], size], { columns: 18, rows: 12 }), solid(kind.color, { roughness: 0.35 }), {
      move: [(index - (count - 1) / 2) * size * 2.1, size * kind.shape[1], random.between(-0.07, 0.07)],
      turn: [0, random.between(0, 3), 0],
    });
  });
  return { parts, name: kind.name, radius: 0.26 };
};

export const plant: PropMaker = (random) => {
  const pot = anyColor(random);
  const green = mixed(srgb(60, 122, 58), srgb(110, 150, 80), random.uniform());
  const leaves = Array.from({ length: random.integer(9, 14) }, (_, index) => {
    const [angle, reach, rise] = [index * 2.4, random.between(0.14, 0.26), random.between(0.25, 0.5)];
    const wide = random.between(0.035, 0.06);
    const leaf: Mesh = sheet(4, 8, (u, v) => {
      const spread = (u - 0.5) * 2 * wide * Math.sin(Math.PI * Math.min(1, v * 0.95 + 0.05)) ** 0.7;
      const [along, up] = [reach * v, 0.2 + rise * Math.sin((v * Math.PI) / 1.7)];
      return [along * Math.cos(angle) - spread * Math.sin(angle), up - Math.abs(u - 0.5) * 0.02, along * Math.sin(angle) + spread * Math.cos(angle)];
    });
    return part(
      leaf,
      patterned((u) => mixed(green, srgb(30, 70, 34), Math.abs(u - 0.5) < 0.06 ? 0.5 : 0.1), { roughness: 0.45 }),
    );
  });
  return {
    parts: [
      part(
        lathe(
          [
            [0, 0],
            [0.09, 0, "sharp"],
            [0.12, 0.2],
            [0.125, 0.22, "sharp"],
            [0.1, 0.21],
            [0, 0.2],
          ],
          { segments: 20 },
        ),
        solid(pot.color, { roughness: 0.6 }),
      ),
      ...leaves,
    ],
    name: "a potted plant",
    radius: 0.24,
  };
};

export const candles: PropMaker = (random) => {
  const count = random.integer(1, 3);
  const wax = random.chance(0.6) ? srgb(240, 232, 214) : anyColor(random).color;
  const parts = Array.from({ length: count }, (_, index) => {
    const [radius, height] = [random.between(0.05, 0.07), random.between(0.1, 0.3)];
    return moved(
      [
        part(
          lathe(
            [
              [0, 0],
              [radius, 0, "sharp"],
              [radius, height],
              [radius * 0.8, height + 0.005],
              [0, height - 0.01],
            ],
            { segments: 16 },
          ),
          solid(wax, { roughness: 0.5 }),
        ),
        part(ellipsoid([0.012, 0.03, 0.012], { columns: 8, rows: 8 }), solid(srgb(255, 196, 90), { emission: 6 }), { move: [0, height + 0.035, 0] }),
      ],
      (index - (count - 1) / 2) * 0.16,
      0,
      random.between(-0.06, 0.06),
    );
  }).flat();
  return { parts, name: count === 1 ? "a candle" : "candles", radius: 0.22 };
};

export const blocks: PropMaker = (random) => {
  const tone = anyColor(random);
  const pale = (color: Color) => mixed(color, srgb(250, 246, 240), 0.45);
  const material = solid(pale(tone.color), { roughness: 0.7 });
  const shapes: (() => ProductPart)[] = [
    () => part(roundedBox([0.24, 0.24, 0.24], 0.01, 1), material, { turn: [0, random.between(0, 1.5), 0] }),
    () => part(ellipsoid([0.13, 0.13, 0.13]), material, { move: [0, 0.13, 0] }),
    () =>
      part(
        lathe(
          [
            [0, 0],
            [0.12, 0, "sharp"],
            [0.12, 0.34, "sharp"],
            [0, 0.34],
          ],
          { segments: 26 },
        ),
        material,
      ),
    () =>
      part(
        lathe(
          [
            [0, 0],
            [0.15, 0, "sharp"],
            [0, 0.32],
          ],
          { segments: 26 },
        ),
        material,
      ),
  ];
  return { parts: [random.pick(shapes)()], name: "geometric shapes", radius: 0.17 };
};

export const books: PropMaker = (random) => {
  let height = 0;
  const parts = Array.from({ length: random.integer(2, 3) }, () => {
    const thick = random.between(0.04, 0.07);
    const turn = random.between(-0.3, 0.3);
    const cover = anyColor(random).color;
    const pair = [
      part(roundedBox([0.34, thick, 0.25], 0.006, 1), solid(cover, { roughness: 0.6 }), { turn: [0, turn, 0], move: [0, height, 0] }),
      part(roundedBox([0.335, thick * 0.7, 0.245], 0.002, 1), solid(srgb(244, 240, 228), { roughness: 0.9 }), {
        turn: [0, turn, 0],
        move: [0.006, height + thick * 0.15, 0.006],
      }),
    ];
    height += thick;
    return pair;
  }).flat();
  return { parts, name: "a stack of books", radius: 0.22 };
};

export const shells: PropMaker = (random) => {
  const color = mixed(srgb(240, 214, 190), srgb(226, 160, 140), random.uniform());
  const shell = sheet(18, 8, (u, v) => {
    const angle = Math.PI * (u - 0.5) * 0.9;
    const ridge = 1 + 0.03 * Math.cos(u * 60);
    return [0.12 * v * Math.sin(angle) * ridge, 0.05 * Math.sin((Math.PI * v) / 1.3) * ridge, -0.12 * v * Math.cos(angle)];
  });
  const parts = Array.from({ length: random.integer(2, 3) }, (_, index) =>
    part(shell, solid(color, { roughness: 0.4 }), {
      turn: [0, random.between(0, 6), 0],
      move: [(index - 1) * 0.16, 0.005, random.between(-0.1, 0.1)],
    }),
  );
  return { parts, name: "sea shells", radius: 0.25 };
};

export const grassTufts: PropMaker = (random) => {
  const parts = Array.from({ length: 18 }, () => {
    const [x, z, lean, height] = [random.between(-0.2, 0.2), random.between(-0.15, 0.15), random.between(-0.08, 0.08), random.between(0.1, 0.26)];
    return part(
      tube(
        [
          [x, 0, z],
          [x + lean * 0.4, height * 0.6, z],
          [x + lean, height, z],
        ],
        (along) => 0.008 * (1 - along * 0.85),
        { sides: 3 },
      ),
      solid(mixed(srgb(76, 128, 50), srgb(150, 170, 70), random.uniform()), { roughness: 0.7 }),
    );
  });
  return { parts, name: "tufts of grass", radius: 0.22 };
};

export const snowballs: PropMaker = (random) => ({
  parts: Array.from({ length: random.integer(2, 4) }, (_, index) => {
    const size = random.between(0.04, 0.1);
    return part(ellipsoid([size, size * 0.9, size], { columns: 14, rows: 10 }), grainy(srgb(244, 247, 252), { scale: 40, strength: 0.05 }), {
      move: [(index - 1.5) * 0.15, size * 0.7, random.between(-0.1, 0.1)],
    });
  }),
  name: "snowballs",
  radius: 0.3,
});
