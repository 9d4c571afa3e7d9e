// Things turned on a lathe: bottles, cups, glasses.
import { placed } from "../geometry/mesh.js";
import { arc, lathe, type ProfilePoint, roundedBox, smoothProfile, tube } from "../geometry/shapes.js";
import type { Random } from "../random.js";
import type { Glass, Material } from "../render/scene.js";
import { patternOf } from "../texture/canvas.js";
import { anyColor, mixed, type NamedColor, srgb } from "../texture/color.js";
import { brand, label } from "../texture/label.js";
import { dots, type Pattern, patterned, solid, stripes } from "../texture/materials.js";
import { labelled, type Product, part, plate } from "./product.js";

const glassTints: readonly NamedColor[] = [
  { name: "clear", color: [0.93, 0.96, 0.95] },
  { name: "green", color: [0.32, 0.62, 0.38] },
  { name: "amber", color: [0.72, 0.36, 0.1] },
  { name: "blue", color: [0.35, 0.52, 0.8] },
];

export function bottle(random: Random): Product {
  const print = brand(random, ["SPRING WATER", "ORGANIC JUICE", "ICED TEA", "TONIC", "OLIVE OIL", "LEMONADE"]);
  const [radius, height] = [random.between(0.13, 0.2), 1];
  const [shoulder, neck] = [random.between(0.56, 0.7), random.between(0.045, 0.07)];
  const waist = random.chance(0.3) ? random.between(0.82, 0.93) : 1;
  const profile: ProfilePoint[] = [
    [0, 0],
    [radius * 0.85, 0, "sharp"],
    [radius, 0.03],
    [radius * waist, shoulder * 0.5],
    [radius, shoulder],
    [radius * 0.72, shoulder + 0.1],
    [neck * 1.15, 0.87],
    [neck, 0.91, "sharp"],
    [neck * 1.15, 0.92],
    [neck * 1.15, 0.94],
  ];
  const see = random.chance(0.45);
  const tint = random.pick(glassTints);
  const body = see ? solid(tint.color, { roughness: 0.08 }) : solid(print.ground.color, { roughness: random.between(0.15, 0.5) });
  const band = { left: 0.33, right: 0.67, bottom: 0.3, top: 0.56 };
  const paper = patternOf(label(random, print, 150, 120));
  const cap = anyColor(random);
  const liquid = anyColor(random);
  const shape = smoothProfile(profile, 3);
  const parts = see
    ? [
        part(lathe(shape), body, undefined, { tint: tint.color, bend: 0.03 }),
        part(
          lathe(
            [
              [0, 0.02],
              [radius * 0.9, 0.03],
              [radius * 0.92 * waist, shoulder * 0.5],
              [radius * 0.92, shoulder * 0.9],
              [0, shoulder * 0.9],
            ],
            { segments: 20 },
          ),
          solid(mixed(liquid.color, [0.9, 0.9, 0.9], 0.3), { roughness: 0.25 }),
        ),
        part(
          lathe([
            [radius * waist * 1.012, shoulder * 0.3],
            [radius * waist * 1.012, shoulder * 0.82],
          ]),
          labelledOnly(paper, 0.34),
        ),
      ]
    : [part(lathe(shape), labelled(body, paper, band))];
  return {
    parts: [
      ...parts,
      part(
        lathe(
          [
            [0, 0.9],
            [neck * 1.35, 0.9, "sharp"],
            [neck * 1.35, 0.985],
            [neck * 1.2, height, "sharp"],
            [0, height],
          ],
          { segments: 20 },
        ),
        solid(cap.color, { roughness: 0.3, metallic: random.chance(0.3) ? 1 : 0 }),
      ),
    ],
    colors: see ? [tint, print.ground] : [print.ground, cap],
    traits: [see ? `of ${tint.name} glass` : "with a smooth body", `with a ${cap.name} cap`],
    brand: print,
  };
}

/** Paper once around; print on this share of it, in front. */
function labelledOnly(paper: Pattern, share: number): Material {
  const blank = paper(0.02, 0.5);
  return patterned((u, v) => (Math.abs(u - 0.5) > share / 2 ? blank : paper((u - 0.5) / share + 0.5, v)), { roughness: 0.6 });
}

export function bodyWash(random: Random): Product {
  const print = brand(random, ["BODY WASH", "SHOWER GEL", "ALOE VERA", "SEA SALT", "COCONUT"]);
  const [width, depth] = [random.between(0.2, 0.26), random.between(0.55, 0.75)];
  const top = random.between(0.62, 0.7);
  const body = lathe(
    smoothProfile(
      [
        [0, 0],
        [width * 0.9, 0, "sharp"],
        [width, 0.04],
        [width * random.between(0.93, 1.05), top * 0.6],
        [width * 0.9, top - 0.05],
        [width * 0.4, top],
        [0.06, top + 0.02, "sharp"],
        [0.06, top + 0.05],
      ],
      3,
    ),
    { depth },
  );
  const paper = patternOf(label(random, print, 130, 150));
  const pump = random.chance(0.6) ? srgb(240, 240, 240) : anyColor(random).color;
  const white = solid(pump, { roughness: 0.3 });
  return {
    parts: [
      part(body, labelled(solid(print.ground.color, { roughness: 0.28 }), paper, { left: 0.32, right: 0.68, bottom: 0.34, top: 0.74 })),
      part(
        lathe(
          [
            [0.085, top + 0.03],
            [0.085, top + 0.1],
            [0.03, top + 0.11, "sharp"],
            [0.022, top + 0.11],
            [0.022, top + 0.2],
          ],
          { segments: 16 },
        ),
        white,
      ),
      part(
        lathe(
          [
            [0, top + 0.19],
            [0.06, top + 0.19, "sharp"],
            [0.06, top + 0.24, "sharp"],
            [0, top + 0.25],
          ],
          { segments: 16 },
        ),
        white,
      ),
      part(
        tube(
          [
            [0, top + 0.22, 0],
            [0.1, top + 0.225, 0.03],
            [0.17, top + 0.2, 0.05],
          ],
          0.02,
        ),
        white,
      ),
    ],
    colors: [print.ground],
    traits: ["with a pump dispenser"],
    brand: print,
  };
}

export function shampoo(random: Random): Product {
  const print = brand(random, ["SHAMPOO", "REPAIR", "ANTI DANDRUFF", "DAILY CARE", "KERATIN"]);
  const [width, depth] = [random.between(0.17, 0.23), random.between(0.4, 0.55)];
  const lean = random.between(0.75, 1.15);
  const body = lathe(
    smoothProfile(
      [
        [0, 0],
        [width * 0.8, 0, "sharp"],
        [width * 0.92, 0.03],
        [width, 0.3],
        [width * lean, 0.62],
        [width * 0.75, 0.78],
        [width * 0.62, 0.8, "sharp"],
        [width * 0.62, 0.81],
      ],
      3,
    ),
    { depth },
  );
  const cap = anyColor(random);
  const paper = patternOf(label(random, print, 120, 170));
  return {
    parts: [
      part(body, labelled(solid(print.ground.color, { roughness: 0.22 }), paper, { left: 0.31, right: 0.69, bottom: 0.28, top: 0.75 })),
      part(
        lathe(
          [
            [width * 0.64, 0.8],
            [width * 0.64, 0.96],
            [width * 0.5, 1, "sharp"],
            [0, 1.0],
          ],
          { depth },
        ),
        solid(cap.color, { roughness: 0.25 }),
      ),
    ],
    colors: [print.ground, cap],
    traits: [`with a ${cap.name} flip cap`],
    brand: print,
  };
}

export function cup(random: Random): Product {
  const color = anyColor(random);
  const second = anyColor(random, [color.name]);
  const [bottom, top, height] = [random.between(0.26, 0.38), random.between(0.34, 0.4), random.between(0.6, 0.85)];
  const wall = 0.03;
  const shape = lathe(
    smoothProfile(
      [
        [0, 0.01],
        [bottom * 0.8, 0, "sharp"],
        [bottom, 0.03],
        [(bottom + top) / 2 + random.between(-0.02, 0.04), height * 0.5],
        [top, height - 0.01],
        [top - wall / 2, height, "sharp"],
        [top - wall, height - 0.01],
        [bottom - wall, 0.06],
        [0, 0.05],
      ],
      3,
    ),
  );
  const pattern = random.pick(["plain", "stripes", "dots", "two tones"] as const);
  const inside = 0.52;
  const outer = {
    plain: () => color.color,
    stripes: stripes([color.color, second.color], random.integer(12, 22)),
    dots: dots(color.color, second.color, 14, 16, 0.3),
    "two tones": (_u: number, v: number) => (v < 0.26 ? second.color : color.color),
  }[pattern];
  const glaze = patterned((u, v) => (v > inside ? srgb(240, 238, 232) : outer(u, v)), { roughness: random.between(0.1, 0.35) });
  const reach = random.between(0.16, 0.24);
  const center = [(bottom + top) / 2 - 0.01, height * 0.52, 0] as const;
  const handle = tube(arc(center, [reach * 1.05, 0, 0], [0, height * random.between(0.25, 0.32), 0], -Math.PI / 2, Math.PI / 2, 14), 0.035, {
    flat: random.between(0.7, 1.3),
  });
  return {
    parts: [part(shape, glaze), part(handle, solid(color.color, { roughness: 0.25 }))],
    colors: pattern === "plain" ? [color] : [color, second],
    traits: [pattern === "plain" ? "glazed" : `with ${pattern === "dots" ? "dots" : pattern}`, "with a handle"],
  };
}

export function coffee(random: Random): Product {
  const print = brand(random, ["ROASTED DAILY", "ESPRESSO", "COLD BREW", "FRESH COFFEE", "LATTE"]);
  const [bottom, top] = [random.between(0.23, 0.27), random.between(0.3, 0.35)];
  const sleeve = random.chance(0.7);
  const lid = random.chance(0.5) ? srgb(245, 245, 243) : srgb(28, 26, 26);
  const base = random.chance(0.5) ? srgb(240, 236, 228) : print.ground.color;
  const at = (height: number) => bottom + (top - bottom) * (height / 0.88);
  const paper = patternOf(label(random, print, 150, 90));
  return {
    parts: [
      part(
        lathe([
          [0, 0.02],
          [bottom * 0.95, 0, "sharp"],
          [bottom, 0.01],
          [top, 0.88],
        ]),
        sleeve
          ? solid(base, { roughness: 0.6 })
          : labelled(solid(base, { roughness: 0.6 }), paper, { left: 0.3, right: 0.7, bottom: 0.4, top: 0.85 }),
      ),
      ...(sleeve
        ? [
            part(
              lathe([
                [at(0.28) + 0.012, 0.28],
                [at(0.64) + 0.012, 0.64],
              ]),
              labelled(solid(print.ground.color, { roughness: 0.9 }), paper, { left: 0.32, right: 0.68, bottom: 0.02, top: 0.98 }, 0.9),
            ),
          ]
        : []),
      part(
        lathe([
          [top + 0.02, 0.86],
          [top + 0.03, 0.89],
          [top - 0.02, 0.91, "sharp"],
          [top - 0.04, 0.97],
          [top - 0.08, 0.99, "sharp"],
          [top - 0.1, 0.96],
          [0, 0.96],
        ]),
        solid(lid, { roughness: 0.3 }),
      ),
    ],
    colors: [print.ground],
    traits: [sleeve ? "with a paper sleeve" : "in a paper cup", "with a plastic lid"],
    brand: print,
  };
}

export function wineGlass(random: Random): Product {
  const wine = random.pick([
    { name: "red wine", color: [0.16, 0.012, 0.03] as const },
    { name: "white wine", color: [0.75, 0.62, 0.25] as const },
    { name: "rosé", color: [0.72, 0.26, 0.24] as const },
  ]);
  const [bowl, rim, stem] = [random.between(0.19, 0.25), random.between(0.13, 0.19), random.between(0.34, 0.48)];
  const level = random.between(0.25, 0.55);
  const wide = stem + (1 - stem) * 0.38;
  const glass = lathe(
    smoothProfile(
      [
        [0, 0.012],
        [0.2, 0, "sharp"],
        [0.19, 0.012],
        [0.05, 0.03],
        [0.02, 0.07],
        [0.018, stem - 0.05],
        [0.05, stem],
        [bowl * 0.75, stem + 0.08],
        [bowl, wide],
        [rim, 1],
      ],
      4,
    ),
    { segments: 32 },
  );
  const surface = stem + (1 - stem) * level;
  const radiusAt = (height: number) =>
    height < wide
      ? bowl * (0.3 + 0.66 * ((height - stem) / (wide - stem)) ** 0.55)
      : bowl * 0.96 + (rim * 0.96 - bowl * 0.96) * ((height - wide) / (1 - wide));
  const heights = Array.from({ length: 8 }, (_, index) => stem + 0.02 + ((surface - stem - 0.02) * index) / 7);
  const fill = lathe(
    [[0, stem + 0.02], ...heights.map((height): ProfilePoint => [radiusAt(height), height]), [radiusAt(surface), surface, "sharp"], [0, surface]],
    { segments: 24 },
  );
  return {
    parts: [
      part(fill, solid(wine.color, { roughness: 0.08 })),
      part(glass, solid([1, 1, 1], { roughness: 0.04 }), undefined, { tint: [0.93, 0.95, 0.95], bend: 0.02 }),
    ],
    colors: [{ name: wine.name, color: wine.color }],
    traits: [`with ${wine.name}`, "on a slender stem"],
  };
}

const thickGlass: Glass = { tint: [0.8, 0.85, 0.84], bend: 0.006 };

export function foundation(random: Random): Product {
  const print = brand(random, ["FOUNDATION", "MATTE FINISH", "SKIN TINT", "GLOW"]);
  const tone = random.between(0, 1);
  const skin = mixed(srgb(244, 214, 186), srgb(112, 70, 46), tone);
  const [width, height, depth] = [random.between(0.3, 0.42), random.between(0.55, 0.66), random.between(0.22, 0.3)];
  const cap = random.chance(0.5)
    ? { name: "black", color: srgb(24, 22, 22) }
    : random.chance(0.5)
      ? { name: "gold", color: srgb(212, 170, 96) }
      : { name: "white", color: srgb(240, 238, 234) };
  const face = patternOf(
    label(
      random,
      { ...print, ground: { name: "skin", color: skin }, ink: { name: "white", color: tone < 0.45 ? srgb(40, 30, 26) : srgb(250, 246, 240) } },
      110,
      150,
    ),
  );
  const round = random.chance(0.4);
  const [wall, floor] = [0.012, 0.035];
  const cylinder = (radius: number, from: number, to: number): ProfilePoint[] => [
    [0, from],
    [radius - 0.01, from, "sharp"],
    [radius, from + 0.01],
    [radius, to - 0.02],
    [radius * 0.8, to, "sharp"],
    [0, to],
  ];
  const glass = solid([1, 1, 1], { roughness: 0.05 });
  // Cream to the walls, and below it the thick floor that such bottles have.
  const cream = solid(skin, { roughness: 0.3 });
  const body = round
    ? [
        part(lathe(cylinder(width / 2 - wall, floor, height - 0.02), { segments: 32 }), cream),
        part(lathe(cylinder(width / 2, 0, height), { segments: 32 }), glass, undefined, thickGlass),
        part(
          lathe(
            [
              [width / 2 + 0.003, height * 0.17],
              [width / 2 + 0.003, height * 0.85],
            ],
            { segments: 32 },
          ),
          labelledOnly(face, 0.36),
        ),
      ]
    : [
        part(roundedBox([width - 2 * wall, height - floor - 0.02, depth - 2 * wall], 0.02), cream, { move: [0, floor, 0] }),
        part(roundedBox([width, height, depth], 0.03), glass, undefined, thickGlass),
        part(plate(width * 0.74, height * 0.7), patterned(face, { roughness: 0.25 }), { move: [0, height * 0.5, depth / 2 + 0.004] }),
      ];
  const boxed = !round && random.chance(0.5);
  return {
    parts: [
      ...body,
      part(
        lathe(
          [
            [width * 0.28, height + 0.01],
            [width * 0.28, height + 0.06, "sharp"],
            [width * 0.2, height + 0.06],
          ],
          { segments: 20 },
        ),
        solid(srgb(215, 215, 218), { roughness: 0.2, metallic: 1 }),
      ),
      part(
        boxed
          ? roundedBox([width * 0.56, 1 - height - 0.05, depth * 0.8], 0.02)
          : lathe(
              [
                [width * 0.25, 0],
                [width * 0.25, 0.93 - height],
                [width * 0.23, 0.95 - height, "sharp"],
                [0, 0.95 - height],
              ],
              { segments: 20 },
            ),
        solid(cap.color, { roughness: 0.2, metallic: cap.name === "gold" ? 1 : 0 }),
        { move: [0, height + 0.05, 0] },
      ),
    ],
    colors: [{ name: tone < 0.4 ? "light" : tone < 0.7 ? "tan" : "deep", color: skin }, cap],
    traits: [`with a ${cap.name} cap`, "in a glass bottle"],
    brand: print,
  };
}

export function lipstick(random: Random): Product {
  const shade = anyColor(random, ["olive", "green", "mint", "teal", "sky blue", "blue", "navy", "white", "grey", "black", "yellow", "beige"]);
  const metal = random.pick([
    { name: "gold", color: srgb(214, 172, 98) },
    { name: "silver", color: srgb(205, 207, 212) },
    { name: "black", color: srgb(24, 22, 24) },
  ]);
  const [radius, base, sleeve] = [random.between(0.1, 0.13), random.between(0.34, 0.44), random.between(0.6, 0.66)];
  const bullet = lathe(
    [
      [0, sleeve - 0.1],
      [radius * 0.72, sleeve - 0.1],
      [radius * 0.72, 0.88],
      [radius * 0.6, 0.96],
      [radius * 0.3, 0.995],
      [0, 1],
    ],
    { segments: 20 },
  );
  // The tip is cut at a slant.
  const { positions } = bullet;
  for (let index = 0; index < positions.length; index += 3)
    if (positions[index + 1]! > 0.86)
      positions[index + 1] = positions[index + 1]! - (positions[index]! + radius * 0.72) * 0.75 * ((positions[index + 1]! - 0.86) / 0.14);
  const square = random.chance(0.35);
  const tubeShape = (r: number, from: number, to: number) =>
    square
      ? roundedBox([r * 1.8, to - from, r * 1.8], 0.012)
      : lathe(
          [
            [0, 0],
            [r, 0, "sharp"],
            [r, to - from - 0.01],
            [r - 0.01, to - from, "sharp"],
            [0, to - from],
          ],
          { segments: 22 },
        );
  const finish = { roughness: 0.18, metallic: metal.name === "black" ? 0 : 1 };
  return {
    parts: [
      part(tubeShape(radius * 1.12, 0, base), solid(metal.name === "black" ? metal.color : anyColor(random).color, { roughness: 0.2 })),
      part(tubeShape(radius, base, sleeve), solid(metal.color, finish), { move: [0, base, 0] }),
      part(bullet, solid(shade.color, { roughness: 0.32 })),
      ...(random.chance(0.5)
        ? [
            part(placed(tubeShape(radius * 1.13, 0, 0.55), { turn: [0, 0, -Math.PI / 2] }), solid(metal.color, finish), {
              turn: [0, 0.4, 0],
              move: [-0.1, radius * 1.13 * (square ? 0.9 : 1), 0.34],
            }),
          ]
        : []),
    ],
    colors: [shade, metal],
    traits: [`in a ${metal.name} case`, "with a slanted tip"],
  };
}
