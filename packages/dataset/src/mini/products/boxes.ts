// Things made of boxes and sheets: phones, notebooks, bags, packages.
import { gridMesh, type Mesh } from "../geometry/mesh.js";
import { arc, lathe, roundedBox, sheet, tube } from "../geometry/shapes.js";
import type { Vector } from "../geometry/vector.js";
import type { Random } from "../random.js";
import { canvas, disc, line, patternOf, polygon, rectangle, text } from "../texture/canvas.js";
import { anyColor, type Color, mixed, srgb } from "../texture/color.js";
import { brand, drawLogo, label } from "../texture/label.js";
import { checks, dots, patterned, solid, stripes, woven } from "../texture/materials.js";
import { fractal2 } from "../texture/noise.js";
import { type Product, part, plate, turned } from "./product.js";

const black = srgb(20, 20, 22);
const silver = srgb(200, 202, 206);

export function cellPhone(random: Random): Product {
  const case_ = anyColor(random);
  const [width, depth, radius] = [random.between(0.46, 0.5), random.between(0.045, 0.07), random.between(0.025, 0.05)];
  const picture = canvas(96, 200, anyColor(random).color);
  const accents = [anyColor(random).color, anyColor(random).color, anyColor(random).color];
  for (let row = 0; row < 200; row += 4) rectangle(picture, mixed(accents[0]!, accents[1]!, row / 200), 0, row, 96, row + 4);
  disc(picture, accents[2]!, random.between(20, 76), random.between(60, 150), random.between(18, 40));
  polygon(picture, mixed(accents[1]!, black, 0.4), [
    [0, 0],
    [96, 0],
    [96, random.between(30, 80)],
    [random.between(30, 60), random.between(60, 100)],
    [0, random.between(30, 80)],
  ]);
  if (random.chance(0.6))
    text(picture, `${random.integer(1, 12)}.${random.integer(10, 59)}`, 48, 168, 70, { color: srgb(250, 250, 250), size: 20, weight: 0.09 });
  else
    for (let index = 0; index < 12; index++)
      rectangle(
        picture,
        anyColor(random).color,
        10 + 27 * (index % 3),
        30 + 30 * Math.floor(index / 3),
        30 + 27 * (index % 3),
        50 + 30 * Math.floor(index / 3),
      );
  const shows = random.chance(0.7) ? "screen" : "back";
  const body = roundedBox([width, 1, depth], radius, 4);
  const parts = [
    part(body, solid(case_.color, { roughness: 0.25, metallic: random.chance(0.4) ? 1 : 0 })),
    part(plate(width * 0.94, 0.955), patterned(patternOf(picture), { roughness: 0.06, emission: 1.1 }), { move: [0, 0.5, depth / 2 + 0.002] }),
    ...Array.from({ length: random.integer(1, 3) }, (_, index) => [
      part(
        lathe(
          [
            [0, 0],
            [0.045, 0, "sharp"],
            [0.045, 0.025, "sharp"],
            [0, 0.025],
          ],
          { segments: 16 },
        ),
        solid(black, { roughness: 0.05 }),
        { turn: [-Math.PI / 2, 0, 0], move: [width * 0.28, 0.9 - 0.11 * index, -depth / 2] },
      ),
    ]).flat(),
    part(roundedBox([0.008, 0.1, depth * 0.4], 0.003, 1), solid(silver, { metallic: 1, roughness: 0.3 }), { move: [width / 2, 0.62, 0] }),
  ];
  return {
    parts: turned(parts, [random.between(-0.25, -0.1), shows === "back" ? Math.PI : 0, random.between(-0.08, 0.08)]),
    colors: [case_],
    traits: [shows === "screen" ? "with a bright screen" : "seen from the back", "with rounded corners"],
  };
}

export function notebook(random: Random): Product {
  const print = brand(random, ["NOTES", "JOURNAL", "PLANNER", "SKETCH BOOK", "2 0 2 6"]);
  const [width, depth] = [random.between(0.66, 0.76), random.between(0.06, 0.12)];
  const spiral = random.chance(0.45);
  const cover = solid(print.ground.color, { roughness: random.between(0.4, 0.8) });
  const page = solid(srgb(244, 240, 228), { roughness: 0.9 });
  const front = canvas(120, 160, print.ground.color);
  const style = random.integer(0, 2);
  if (style === 0) drawLogo(front, print.logo, print.ink.color, 60, 100, 26);
  if (style === 1)
    for (let index = 0; index < 6; index++)
      line(front, mixed(print.ground.color, print.ink.color, 0.7), 20, 40 + index * 8, 100, 40 + index * 8, 1.6);
  if (style === 2) rectangle(front, print.ink.color, 22, 86, 98, 128);
  text(front, print.name, 60, style === 2 ? 107 : 140, 70, { color: style === 2 ? print.ground.color : print.ink.color, size: 16, ...print.face });
  const strap = anyColor(random, [print.ground.name]);
  const board = roundedBox([width, 1, 0.018], 0.008, 1);
  const parts = [
    part(board, cover, { move: [0, 0, depth / 2] }),
    part(board, cover, { move: [0, 0, -depth / 2] }),
    part(roundedBox([width * 0.97, 0.97, depth - 0.01], 0.003, 1), page, { move: [0.006, 0.015, 0] }),
    part(plate(width * 0.99, 0.99), patterned(patternOf(front), { roughness: 0.6 }), { move: [0, 0.5, depth / 2 + 0.0105] }),
    ...(spiral
      ? Array.from({ length: 13 }, (_, index) =>
          part(
            tube(arc([-width / 2, 0.06 + 0.073 * index, 0], [depth * 0.75, 0, 0], [0, 0, depth * 0.95], 0, 2 * Math.PI, 12), 0.008, { sides: 5 }),
            solid(silver, { metallic: 1, roughness: 0.25 }),
          ),
        )
      : [
          part(roundedBox([0.02, 1, depth + 0.022], 0.008, 1), cover, { move: [-width / 2, 0, 0] }),
          part(roundedBox([0.03, 1.002, depth + 0.03], 0.004, 1), solid(strap.color, { roughness: 0.7 }), { move: [width * 0.36, 0, 0] }),
        ]),
  ];
  return {
    parts: turned(parts, [random.between(-0.3, -0.12), 0, 0]),
    colors: [print.ground],
    traits: [spiral ? "with a spiral binding" : `with a ${strap.name} elastic band`],
    brand: print,
  };
}

export function eyeshadow(random: Random): Product {
  const case_ = random.chance(0.5) ? { name: "black", color: black } : anyColor(random);
  const [columns, rows] = [random.integer(2, 5), random.integer(1, 3)];
  const [width, height] = [0.22 * columns + 0.06, 0.2 * rows + 0.06];
  const base = anyColor(random, ["black", "white", "grey"]);
  const round = random.chance(0.4);
  const pans = Array.from({ length: columns * rows }, (_, index) => {
    const color = mixed(
      random.chance(0.7) ? mixed(base.color, srgb(235, 190, 170), random.uniform()) : anyColor(random).color,
      srgb(60, 30, 30),
      random.uniform() * 0.5,
    );
    const [x, z] = [((index % columns) - (columns - 1) / 2) * 0.22, (Math.floor(index / columns) - (rows - 1) / 2) * 0.2];
    const shape = round
      ? lathe(
          [
            [0, 0],
            [0.085, 0, "sharp"],
            [0.085, 0.012, "sharp"],
            [0, 0.012],
          ],
          { segments: 18 },
        )
      : roundedBox([0.19, 0.012, 0.17], 0.005, 1);
    return part(
      shape,
      patterned((u, v) => mixed(color, srgb(255, 240, 230), 0.12 * fractal2(u * 40, v * 40, 2, index)), {
        roughness: random.chance(0.3) ? 0.35 : 0.8,
        metallic: random.chance(0.2) ? 0.5 : 0,
      }),
      { move: [x, 0.055, z] },
    );
  });
  const tilt = random.between(1.75, 2.1);
  const lid = [
    part(roundedBox([width, 0.035, height], 0.015, 2), solid(case_.color, { roughness: 0.2 })),
    part(plate(width * 0.88, height * 0.85), solid(srgb(235, 238, 240), { roughness: 0.02, metallic: 1 }), {
      turn: [Math.PI / 2, 0, 0],
      move: [0, -0.001, 0],
    }),
  ];
  const hinged = lid
    .map((one) => ({ ...one, mesh: one.mesh }))
    .map((one) =>
      part(part(one.mesh, one.material, { move: [0, 0, height / 2] }).mesh, one.material, { turn: [-tilt, 0, 0], move: [0, 0.06, -height / 2] }),
    );
  return {
    parts: [part(roundedBox([width, 0.06, height], 0.02, 2), solid(case_.color, { roughness: 0.25 })), ...pans, ...hinged],
    colors: [base, case_],
    traits: [`with ${columns * rows} ${round ? "round " : ""}pans`, "with a mirror in the lid"],
  };
}

export function snacks(random: Random): Product {
  const print = brand(random, ["POTATO CHIPS", "CRACKERS", "SALTED NUTS", "CHOCOLATE", "POPCORN"]);
  const [width, height] = [random.between(0.62, 0.8), 1];
  const fat = random.between(0.12, 0.18);
  const front = label(random, print, 130, 190);
  for (let index = 0; index < 7; index++)
    disc(
      front,
      mixed(srgb(236, 190, 90), srgb(190, 120, 40), random.uniform()),
      random.between(15, 115),
      random.between(12, 48),
      random.between(7, 13),
    );
  const pattern = patternOf(front);
  const side = (sign: 1 | -1): Mesh =>
    sheet(14, 20, (u, v) => {
      const [x, y] = [(u - 0.5) * width * sign, (v - 0.5) * height];
      const bulge = Math.max(0, Math.sin(Math.PI * u)) ** 0.6 * Math.max(0, Math.sin(Math.PI * Math.min(1, Math.max(0, (v - 0.05) / 0.9)))) ** 0.5;
      const crumple = (fractal2(u * 5 + (sign > 0 ? 0 : 9), v * 6, 2, 3) - 0.5) * 0.05 * bulge;
      return [x * (1 - 0.06 * bulge), y + 0.5, sign * (fat * bulge + crumple + 0.004)];
    });
  const crimp = (v: number) => v < 0.05 || v > 0.95;
  const foil =
    (own: (u: number, v: number) => Color): ReturnType<typeof solid> =>
    (u, v, x, y, z, sample) => {
      patterned(own, { roughness: 0.22 })(u, v, x, y, z, sample);
      if (crimp(v)) sample.bumpX += 0.35 * Math.sin(u * 220);
    };
  return {
    parts: [
      part(
        side(1),
        foil((u, v) => pattern(u, v)),
      ),
      part(
        side(-1),
        foil(() => print.ground.color),
      ),
    ],
    colors: [print.ground],
    traits: ["in a shiny bag", "with a crimped seal"],
    brand: print,
  };
}

export function charger(random: Random): Product {
  const color = random.chance(0.6)
    ? { name: "white", color: srgb(242, 242, 242) }
    : random.chance(0.5)
      ? { name: "black", color: black }
      : anyColor(random);
  const size = random.between(0.3, 0.4);
  const shell = solid(color.color, { roughness: 0.35 });
  const metal = solid(silver, { metallic: 1, roughness: 0.25 });
  const path: Vector[] = [];
  const [loops, reach] = [random.between(1.2, 2.2), random.between(0.24, 0.32)];
  for (let index = 0; index <= 44; index++) {
    const t = index / 44;
    const angle = 2 * Math.PI * loops * t;
    const spread = reach * (0.75 + 0.25 * t);
    path.push([
      0.42 + spread * Math.cos(angle + Math.PI) + t * 0.05,
      0.025 + 0.035 * Math.floor(loops * t * 0.999),
      spread * Math.sin(angle + Math.PI) * 0.8,
    ]);
  }
  const [start, end] = [path[0]!, path.at(-1)!];
  return {
    parts: [
      part(roundedBox([size, size * 1.25, size * 0.9], 0.05, 3), shell, { move: [-0.25, 0, 0] }),
      ...[-1, 1].map((side) => part(roundedBox([0.03, 0.14, 0.055], 0.006, 1), metal, { move: [-0.25 + side * size * 0.22, size * 1.25 - 0.01, 0] })),
      part(plate(size * 0.35, 0.035), solid(srgb(60, 60, 64), { roughness: 0.4 }), { move: [-0.25, size * 0.25, size * 0.45 + 0.003] }),
      part(tube([[-0.25 + size * 0.4, size * 0.3, 0.05], [0.02, 0.1, 0.05], start, ...path.slice(1)], 0.02, { sides: 7 }), shell),
      part(roundedBox([0.06, 0.05, 0.13], 0.012, 1), shell, { move: [end[0] + 0.02, 0, end[2] + 0.02], turn: [0, 0.6, 0] }),
    ],
    colors: [color],
    traits: ["with a coiled cable", "with two prongs"],
  };
}

export function handbag(random: Random): Product {
  const leather = anyColor(random);
  const metal = random.chance(0.6) ? srgb(214, 172, 98) : silver;
  const [bottom, top, height, depth] = [random.between(0.4, 0.5), random.between(0.3, 0.46), random.between(0.45, 0.58), random.between(0.12, 0.18)];
  const body = (side: 1 | -1): Mesh =>
    sheet(12, 10, (u, v) => {
      const half = bottom + (top - bottom) * v;
      const bulge = Math.sin(Math.PI * u) ** 0.35;
      return [(u - 0.5) * 2 * half * side, v * height + 0.01, side * depth * bulge * (1 - 0.45 * v)];
    });
  const skin = (u: number, v: number): Color => mixed(leather.color, black, 0.12 * fractal2(u * 30, v * 30, 3, 4));
  const flap = random.chance(0.6);
  const hide = woven(patterned(skin, { roughness: 0.45 }), 90, 0.12);
  const strap = arc([0, height * 0.94, 0], [top * 0.62, 0, 0], [0, random.between(0.28, 0.4), 0], 0, Math.PI, 18);
  return {
    parts: [
      part(body(1), hide),
      part(body(-1), hide),
      part(
        sheet(8, 2, (u, v) => [(u - 0.5) * 2 * bottom, 0.01, (v - 0.5) * 2 * depth * Math.sin(Math.PI * u) ** 0.35]),
        hide,
      ),
      ...(flap
        ? [
            part(
              sheet(12, 5, (u, v) => [
                (u - 0.5) * 2 * top * 1.02 * (1 - 0.12 * v),
                height * (1.01 - 0.42 * v * (1 - 0.35 * (2 * u - 1) ** 2)),
                depth * (0.56 + 0.3 * v) * Math.sin(Math.PI * u) ** 0.35 + 0.02,
              ]),
              woven(patterned(skin, { roughness: 0.4 }), 90, 0.1),
            ),
            part(roundedBox([0.08, 0.06, 0.02], 0.01, 1), solid(metal, { metallic: 1, roughness: 0.2 }), {
              move: [0, height * 0.56, depth * 0.9 + 0.02],
            }),
          ]
        : [
            part(
              tube(
                [
                  [-top * 0.95, height, 0],
                  [0, height + 0.005, 0],
                  [top * 0.95, height, 0],
                ],
                0.012,
              ),
              solid(metal, { metallic: 1, roughness: 0.3 }),
            ),
          ]),
      ...(random.chance(0.5) ? [0.06, -0.06] : [0]).map((z) =>
        part(tube(strap, 0.02, { flat: 0.6 }), solid(mixed(leather.color, black, 0.15), { roughness: 0.4 }), { move: [0, 0, z] }),
      ),
      ...[-1, 1].map((side) =>
        part(
          tube(arc([side * top * 0.62, height * 0.93, 0], [0.03, 0, 0], [0, 0.03, 0], 0, 2 * Math.PI, 12), 0.008, { sides: 5 }),
          solid(metal, { metallic: 1, roughness: 0.2 }),
        ),
      ),
    ],
    colors: [leather],
    traits: [flap ? "with a flap and a clasp" : "with an open top", "of leather"],
  };
}

export function backpack(random: Random): Product {
  const [main, second] = [anyColor(random), anyColor(random)];
  const [width, height, depth] = [random.between(0.56, 0.68), random.between(0.8, 0.88), random.between(0.28, 0.38)];
  const cloth = (color: Color) => woven(solid(color, { roughness: 0.9 }), 140, 0.3);
  const zip = solid(srgb(40, 40, 44), { roughness: 0.5 });
  const print = brand(random, ["OUTDOOR", "TRAVEL", "CAMPUS"]);
  const patch = canvas(60, 40, second.color);
  drawLogo(patch, print.logo, print.ink.color, 30, 26, 9);
  text(patch, print.name, 30, 9, 50, { color: print.ink.color, size: 8 });
  const side = arc([0, 0, 0], [0, 0, depth * 0.42], [0, height * 0.42, 0], -0.5 * Math.PI, 0.35 * Math.PI, 14);
  return {
    parts: [
      part(roundedBox([width, height, depth], 0.16, 5), cloth(main.color)),
      part(roundedBox([width * 0.8, height * 0.42, depth * 0.4], 0.09, 4), cloth(random.chance(0.5) ? second.color : mixed(main.color, black, 0.2)), {
        move: [0, height * 0.07, depth * 0.42],
      }),
      part(tube(arc([0, height * 0.45, depth * 0.63], [width * 0.33, 0, 0], [0, height * 0.045, 0], 0, Math.PI, 10), 0.008, { sides: 5 }), zip),
      part(tube(arc([0, height * 0.55, depth * 0.5], [width * 0.46, 0, 0], [0, height * 0.36, 0], 0.1, Math.PI - 0.1, 16), 0.01, { sides: 5 }), zip),
      part(
        tube(arc([0, height * 0.98, -depth * 0.2], [0.1, 0, 0], [0, 0.1, 0], 0, Math.PI, 12), 0.024, { flat: 0.6 }),
        cloth(mixed(main.color, black, 0.35)),
      ),
      ...[-1, 1].map((sign) =>
        part(tube(side, 0.035, { flat: 0.5 }), cloth(mixed(main.color, black, 0.3)), { move: [sign * width * 0.52, height * 0.46, -depth * 0.45] }),
      ),
      part(plate(width * 0.3, width * 0.2), patterned(patternOf(patch), { roughness: 0.6 }), { move: [0, height * 0.3, depth * 0.624] }),
    ],
    colors: [main, second],
    traits: ["with a front pocket", "with a top handle"],
    brand: print,
  };
}

export function pillow(random: Random): Product {
  const [first, second] = [anyColor(random), anyColor(random)];
  const height = random.between(0.62, 1);
  const fat = random.between(0.16, 0.24);
  const kind = random.pick(["plain", "striped", "checked", "dotted"] as const);
  const pattern = {
    plain: () => first.color,
    striped: stripes([first.color, second.color], random.integer(6, 14), { along: random.pick(["u", "v"]) }),
    checked: checks(first.color, second.color, random.integer(4, 8), random.integer(4, 8)),
    dotted: dots(first.color, second.color, 8, 8, 0.28),
  }[kind];
  const side = (sign: 1 | -1) =>
    sheet(18, 18, (u, v) => {
      const [a, b] = [2 * u - 1, 2 * v - 1];
      const bulge = ((1 - a * a) * (1 - b * b)) ** 0.45;
      // Corners stand out, sides are drawn in.
      const pull = 1 - 0.1 * (1 - a * a * b * b) * (1 - bulge);
      return [a * 0.5 * pull * sign, (b * 0.5 * pull + 0.5) * height, sign * (fat * bulge + (fractal2(u * 4, v * 4, 2, 8) - 0.5) * 0.03 * bulge)];
    });
  const cloth = woven(patterned(pattern, { roughness: 0.95 }), 110, 0.3);
  return {
    parts: turned([part(side(1), cloth), part(side(-1), cloth)], [random.between(-0.45, -0.2), 0, 0]),
    colors: kind === "plain" ? [first] : [first, second],
    traits: [kind === "plain" ? "soft and plain" : kind],
  };
}

export function rug(random: Random): Product {
  const colors = [anyColor(random), anyColor(random), anyColor(random)] as const;
  const [width, depth] = [1, random.between(0.6, 0.75)];
  const art = canvas(160, 110, colors[0].color);
  rectangle(art, colors[1].color, 8, 8, 152, 102);
  rectangle(art, colors[0].color, 14, 14, 146, 96);
  const kind = random.pick(["medallion", "stripes", "diamonds"] as const);
  if (kind === "stripes") for (let x = 20; x < 140; x += 14) rectangle(art, colors[(x / 14) % 2 < 1 ? 1 : 2]!.color, x, 14, x + 7, 96);
  else if (kind === "diamonds")
    for (let x = 30; x < 140; x += 25)
      for (let y = 32; y < 90; y += 24)
        polygon(art, colors[(x + y) % 2 === 0 ? 1 : 2]!.color, [
          [x, y - 11],
          [x + 11, y],
          [x, y + 11],
          [x - 11, y],
        ]);
  else
    for (let size = 40; size > 5; size -= 11)
      polygon(art, colors[(size / 11) % 2 < 1 ? 2 : 1]!.color, [
        [80, 55 - size * 0.9],
        [80 + size * 1.5, 55],
        [80, 55 + size * 0.9],
        [80 - size * 1.5, 55],
      ]);
  const fringe = Array.from({ length: 22 }, (_, index) =>
    [-1, 1].map((side) =>
      part(
        tube(
          [
            [side * width * 0.5, 0.01, ((index + 0.5) / 22 - 0.5) * depth],
            [side * (width * 0.5 + 0.06), 0.006, ((index + 0.5) / 22 - 0.5) * depth + random.between(-0.01, 0.01)],
          ],
          0.006,
          { sides: 4 },
        ),
        solid(srgb(236, 226, 206), { roughness: 0.95 }),
      ),
    ),
  ).flat();
  return {
    parts: [
      part(
        gridMesh(24, 16, (u, v) => ({
          position: [(u - 0.5) * width, 0.02 + 0.008 * fractal2(u * 6, v * 5, 2, 2), (v - 0.5) * depth],
          normal: [0, 1, 0],
          uv: [u, 1 - v],
        })),
        woven(patterned(patternOf(art), { roughness: 0.95 }), 150, 0.5),
      ),
      ...fringe,
    ],
    colors: [colors[0], colors[1]],
    traits: [`with ${kind === "medallion" ? "a medallion" : kind}`, "with fringes"],
  };
}
