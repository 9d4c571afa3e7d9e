// Things with bodies of their own: shoes, balls, hats, headphones, furniture, vehicles, clothes.
import { deformed, type Mesh, placed } from "../geometry/mesh.js";
import { arc, ellipsoid, extrude, lathe, type Point, roundedBox, sheet, smoothOutline, tube } from "../geometry/shapes.js";
import type { Vector } from "../geometry/vector.js";
import type { Random } from "../random.js";
import type { SurfaceSample } from "../render/scene.js";
import { canvas, disc, patternOf, text } from "../texture/canvas.js";
import { anyColor, type Color, mixed, srgb } from "../texture/color.js";
import { brand, drawLogo } from "../texture/label.js";
import { paint, patterned, solid, stripes, wood, woven } from "../texture/materials.js";
import { type Product, type ProductPart, part, plate } from "./product.js";

const black = srgb(20, 20, 22);
const white = srgb(245, 245, 243);
const silver = srgb(205, 207, 212);

export function headphones(random: Random): Product {
  const [main, second] = [anyColor(random), anyColor(random)];
  const [radius, cup] = [random.between(0.36, 0.42), random.between(0.17, 0.21)];
  const band = arc([0, 0.5, 0], [radius, 0, 0], [0, random.between(0.42, 0.48), 0], -0.12, Math.PI + 0.12, 26);
  const finish = { roughness: random.between(0.2, 0.5), metallic: random.chance(0.25) ? 1 : 0 };
  const shell = lathe(
    [
      [0, 0],
      [cup * 0.7, 0.0],
      [cup, 0.03],
      [cup, 0.09, "sharp"],
      [cup * 0.95, 0.1],
      [cup * 0.98, 0.13],
      [cup * 0.9, 0.17],
      [cup * 0.55, 0.175, "sharp"],
      [0, 0.12],
    ],
    { segments: 24 },
  );
  const tall = random.between(1.05, 1.3);
  const cups = [-1, 1].map((side) =>
    part(
      placed(shell, { scale: [tall, 1, 1], turn: [0, 0, Math.PI / 2] }),
      patterned((_u, v) => (v > 0.62 ? black : v > 0.36 ? second.color : main.color), finish),
      { turn: [0, side < 0 ? Math.PI : 0, 0], move: [side * (radius + 0.07), cup * tall + 0.0 + 0.22, 0] },
    ),
  );
  return {
    parts: [
      part(tube(band, 0.03, { flat: 2.1, sides: 10 }), solid(main.color, finish)),
      part(
        tube(arc([0, 0.5, 0], [radius * 0.93, 0, 0], [0, 0.4, 0], 0.6, Math.PI - 0.6, 18), 0.028, { flat: 1.8, sides: 8 }),
        solid(black, { roughness: 0.9 }),
      ),
      ...cups,
    ],
    colors: [main, second],
    traits: ["over-ear", "with padded cups"],
  };
}

export function sneaker(random: Random): Product {
  const [main, second] = [anyColor(random), anyColor(random)];
  const sole = random.chance(0.75) ? white : anyColor(random).color;
  const footprint = smoothOutline(
    [
      [-0.5, 0],
      [-0.44, -0.13],
      [-0.2, -0.12],
      [0.05, -0.12],
      [0.3, -0.17],
      [0.46, -0.1],
      [0.5, 0.02],
      [0.42, 0.14],
      [0.2, 0.17],
      [-0.1, 0.12],
      [-0.4, 0.13],
    ],
    3,
  );
  const thick = random.between(0.07, 0.12);
  const bottom = placed(extrude(footprint, thick, 0.015), { turn: [-Math.PI / 2, 0, 0], move: [0, thick / 2, 0] });
  const high = random.chance(0.3) ? 0.18 : 0;
  // Half the foot's width and the shoe's height, along it from heel to toe.
  const along = (t: number) => ({
    width: 0.125 + 0.045 * Math.sin(Math.PI * Math.min(1, t * 1.15)) ** 2 - 0.11 * Math.max(0, (t - 0.86) / 0.14) ** 2,
    height:
      t < 0.32
        ? 0.3 + high - 0.03 * Math.sin(t * 9)
        : 0.3 + high - (0.2 + high) * ((t - 0.32) / 0.68) ** 0.75 + 0.05 * Math.sin(Math.PI * Math.min(1, Math.max(0, (t - 0.6) / 0.4))),
  });
  const upper = sheet(26, 14, (u, v) => {
    const { width, height } = along(u);
    const angle = Math.PI * v;
    const opening = u < 0.34 ? Math.max(0, Math.sin(angle) - 0.8) * 0.9 : 0;
    return [u - 0.5 + (u < 0.05 ? 0.02 : 0), thick * 0.8 + height * Math.sin(angle) ** 0.7 * (1 - opening), width * Math.cos(angle)];
  });
  const cap = sheet(8, 8, (u, v) => {
    const angle = Math.PI * v;
    const { width, height } = along(0);
    return [-0.5 + 0.02 * u, thick * 0.8 + u * height * Math.sin(angle) ** 0.7, u * width * Math.cos(angle)];
  });
  const stripesOn = random.integer(2, 4);
  const skin = (u: number, v: number): Color => {
    const side = Math.min(v, 1 - v);
    if (u > 0.84 || u < 0.1) return second.color;
    if (side < 0.32 && side > 0.06 && u > 0.38 && u < 0.66 && Math.floor((u + side * 0.4) * 14) % stripesOn === 0) return second.color;
    return main.color;
  };
  const laces = Array.from({ length: 5 }, (_, index) => {
    const t = 0.42 + index * 0.075;
    const { width, height } = along(t);
    const top = thick * 0.8 + height;
    return part(
      tube(
        [
          [t - 0.5, top - 0.035, width * 0.5],
          [t - 0.49, top + 0.008, 0.01],
          [t - 0.475, top - 0.03, -width * 0.5],
        ],
        0.012,
        { sides: 5 },
      ),
      solid(random.chance(0.7) ? white : second.color, { roughness: 0.9 }),
    );
  });
  return {
    parts: [
      part(bottom, solid(sole, { roughness: 0.7 })),
      part(upper, woven(patterned(skin, { roughness: 0.7 }), 120, 0.18)),
      part(cap, solid(second.color, { roughness: 0.7 })),
      ...laces,
    ],
    colors: [main, second],
    traits: [high > 0 ? "high-top" : "low-cut", "with laces"],
  };
}

export function sportsBall(random: Random): Product {
  const kind = random.pick(["basketball", "football", "tennis ball", "volleyball", "beach ball"] as const);
  const [first, second] = [anyColor(random), anyColor(random)];
  const base: Color = {
    basketball: srgb(206, 96, 36),
    football: white,
    "tennis ball": srgb(206, 226, 60),
    volleyball: srgb(246, 236, 208),
    "beach ball": first.color,
  }[kind];
  const hexagons: Vector[] = Array.from({ length: 12 }, (_, index) => {
    const golden = (1 + Math.sqrt(5)) / 2;
    const [a, b] = [index & 1 ? 1 : -1, index & 2 ? golden : -golden];
    const size = Math.hypot(1, golden);
    return (index < 4 ? [0, a / size, b / size] : index < 8 ? [a / size, b / size, 0] : [b / size, 0, a / size]) as Vector;
  });
  const turn = random.between(0, 3);
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const material = (u: number, v: number, _x: number, _y: number, _z: number, sample: SurfaceSample): void => {
    const [angle, height] = [-2 * Math.PI * u - Math.PI / 2, Math.PI * (v - 0.5)];
    const [px, py, pz] = [Math.cos(height) * Math.cos(angle), Math.sin(height), Math.cos(height) * Math.sin(angle)];
    const [x, y, z] = [px * c - py * s, px * s + py * c, pz];
    sample.roughness = kind === "tennis ball" ? 1 : kind === "beach ball" ? 0.2 : 0.55;
    let color = base;
    if (kind === "basketball") {
      const seam = Math.min(Math.abs(x), Math.abs(y), Math.abs(Math.hypot(Math.abs(x) - 1.05, y * 0.9) - 0.62));
      if (seam < 0.018) color = black;
      sample.bumpX = 0.12 * Math.sin(x * 160) * Math.sin(y * 160);
    } else if (kind === "football") {
      const near = hexagons.map(([a, b, d]) => a * x + b * y + d * z).sort((p, q) => q - p);
      if (near[0]! > 0.93) color = first.name === "white" ? black : mixed(first.color, black, 0.3);
      else if (near[0]! - near[1]! < 0.02) color = srgb(190, 190, 190);
    } else if (kind === "tennis ball") {
      if (Math.abs(y * 0.9 - 0.45 * Math.cos(2 * Math.atan2(z, x))) < 0.05) color = white;
    } else if (kind === "volleyball") {
      const panel =
        Math.abs(x) > Math.abs(y) && Math.abs(x) > Math.abs(z) ? y / Math.abs(x) : Math.abs(y) > Math.abs(z) ? z / Math.abs(y) : x / Math.abs(z);
      const strip = Math.floor((panel + 1) * 1.5);
      color = strip === 1 ? first.color : strip === 0 ? base : second.color;
      if (Math.abs(((panel + 1) * 1.5) % 1) < 0.04) color = srgb(120, 120, 120);
    } else if (Math.abs(y) > 0.94) color = white;
    else
      color =
        Math.floor(((Math.atan2(z, x) / Math.PI + 1) * 3) % 6) % 2 === 0
          ? white
          : Math.floor((Math.atan2(z, x) / Math.PI + 1) * 3) % 4 === 1
            ? first.color
            : second.color;
    paint(sample, color);
  };
  return {
    parts: [part(ellipsoid([0.5, 0.5, 0.5], { columns: 36, rows: 22 }), material, { move: [0, 0.5, 0] })],
    colors:
      kind === "beach ball" || kind === "volleyball"
        ? [first, second]
        : [{ name: kind === "basketball" ? "orange" : kind === "tennis ball" ? "yellow" : "white", color: base }],
    traits: [`a ${kind}`, "round"],
  };
}

export function hat(random: Random): Product {
  const [main, second] = [anyColor(random), anyColor(random)];
  const kind = random.pick(["cap", "sun hat", "fedora", "beanie"] as const);
  const cloth = woven(solid(main.color, { roughness: 0.95 }), 110, 0.3);
  const ribbon = solid(second.color, { roughness: 0.7 });
  if (kind === "cap") {
    const crown = deformed(ellipsoid([0.3, 0.3, 0.34], { columns: 28, rows: 16 }), (x, y, z) => [x, Math.max(0, y), z]);
    const brim = sheet(16, 6, (u, v) => {
      const angle = Math.PI * (0.08 + 0.84 * u);
      const reach = 1 + v * 0.85 * Math.sin(angle) ** 0.6;
      return [0.3 * Math.cos(angle) * (1 + 0.12 * v), 0.02 - 0.05 * v * Math.abs(Math.cos(angle)) - 0.02 * v, 0.33 * Math.sin(angle) * reach];
    });
    const print = brand(random, ["SPORT"]);
    const badge = canvas(50, 36, main.color);
    drawLogo(badge, print.logo, second.color, 25, 18, 14);
    const front = sheet(6, 4, (u, v) => {
      const [a, e] = [Math.PI * (0.38 + 0.24 * (1 - u)), 0.3 + 0.5 * v];
      return [0.303 * Math.cos(e) * Math.cos(a), 0.305 * Math.sin(e), 0.344 * Math.cos(e) * Math.sin(a)];
    });
    return {
      parts: [
        part(crown, cloth, { move: [0, 0.06, 0] }),
        part(brim, woven(solid(random.chance(0.5) ? second.color : main.color, { roughness: 0.9 }), 90, 0.2), { move: [0, 0.06, 0] }),
        part(front, patterned(patternOf(badge), { roughness: 0.8 }), { move: [0, 0.06, 0] }),
        part(ellipsoid([0.025, 0.015, 0.025], { columns: 10, rows: 6 }), ribbon, { move: [0, 0.365, 0] }),
      ],
      colors: [main, second],
      traits: ["a baseball cap", "with a curved brim"],
    };
  }
  if (kind === "beanie") {
    const body = lathe(
      [
        [0.27, 0.0],
        [0.3, 0.02],
        [0.3, 0.13],
        [0.28, 0.14],
        [0.27, 0.25],
        [0.22, 0.37],
        [0.1, 0.45],
        [0, 0.47],
      ],
      { segments: 32 },
    );
    return {
      parts: [
        part(
          body,
          woven(
            (u, v, x, y, z, sample) => {
              patterned(stripes([main.color, mixed(main.color, black, 0.2)], 44, { along: "u" }), { roughness: 1 })(u, v, x, y, z, sample);
              if (v < 0.3) paint(sample, second.color);
            },
            60,
            0.5,
          ),
        ),
        ...(random.chance(0.6)
          ? [part(ellipsoid([0.09, 0.09, 0.09], { columns: 14, rows: 10 }), woven(solid(second.color), 40, 0.9), { move: [0, 0.53, 0] })]
          : []),
      ],
      colors: [main, second],
      traits: ["a knitted beanie", "with a folded edge"],
    };
  }
  const wide = kind === "sun hat" ? random.between(0.52, 0.62) : random.between(0.42, 0.47);
  const wave = random.between(0.01, 0.04);
  const brim = sheet(36, 6, (u, v) => {
    const radius = 0.24 + (wide - 0.24) * v;
    const angle = 2 * Math.PI * u;
    return [
      radius * Math.cos(angle),
      0.05 + (kind === "fedora" ? 0.05 * v * Math.cos(angle) ** 2 : 0) + wave * v * Math.sin(3 * angle),
      radius * Math.sin(angle) * 1.08,
    ];
  });
  const crown = deformed(
    lathe(
      [
        [0.25, 0.05],
        [0.245, 0.15],
        [0.22, 0.28],
        [0.17, 0.33],
        [0, 0.32],
      ],
      { segments: 30, depth: 1.08 },
    ),
    (x, y, z) => [x, kind === "fedora" && y > 0.27 ? y - 0.08 * (1 - Math.min(1, Math.abs(x) / 0.12)) : y, z],
  );
  const straw = kind === "sun hat" ? woven(patterned(stripes([srgb(222, 196, 140), srgb(206, 176, 118)], 60), { roughness: 0.95 }), 70, 0.5) : cloth;
  return {
    parts: [
      part(brim, straw),
      part(crown, straw),
      part(
        lathe(
          [
            [0.258, 0.06],
            [0.252, 0.12],
          ],
          { segments: 30, depth: 1.08 },
        ),
        ribbon,
      ),
    ],
    colors: kind === "sun hat" ? [{ name: "straw", color: srgb(222, 196, 140) }, second] : [main, second],
    traits: [kind === "sun hat" ? "a straw sun hat" : "a fedora", `with a ${second.name} ribbon`],
  };
}

export function bench(random: Random): Product {
  const metal = random.chance(0.5);
  const color = random.chance(0.6) ? { name: "brown", color: srgb(150, 98, 56) } : anyColor(random);
  const timber = color.name === "brown" ? wood(color.color, { gloss: 0.5, seed: random.integer(0, 99) }) : solid(color.color, { roughness: 0.5 });
  const iron = solid(metal ? srgb(38, 38, 42) : color.color, { roughness: 0.45, metallic: 0 });
  const back = random.chance(0.75);
  const slats = random.integer(3, 5);
  const depth = 0.3;
  const seat = Array.from({ length: slats }, (_, index) =>
    part(roundedBox([1, 0.03, (depth / slats) * 0.8], 0.008, 1), timber, { move: [0, 0.3, (index - (slats - 1) / 2) * (depth / slats)] }),
  );
  const backSlats = back
    ? Array.from({ length: 3 }, (_, index) =>
        part(roundedBox([1, 0.055, 0.022], 0.008, 1), timber, {
          turn: [-0.2, 0, 0],
          move: [0, 0.38 + index * 0.08, -depth / 2 - 0.01 - index * 0.018],
        }),
      )
    : [];
  const legs = [-0.42, 0.42].flatMap((x) =>
    metal
      ? [
          part(
            tube(
              [
                [x, 0, depth * 0.55],
                [x, 0.15, depth * 0.42],
                [x, 0.3, depth * 0.5],
              ],
              0.02,
            ),
            iron,
          ),
          part(
            tube([[x, 0, -depth * 0.6], [x, 0.2, -depth * 0.45], [x, 0.3, -depth * 0.5], ...(back ? [[x, 0.6, -depth * 0.7] as Vector] : [])], 0.02),
            iron,
          ),
          part(
            tube(
              [
                [x, 0.285, -depth * 0.5],
                [x, 0.285, depth * 0.5],
              ],
              0.018,
            ),
            iron,
          ),
          ...(back ? [part(tube(arc([x, 0.36, 0.02], [0, 0, depth * 0.42], [0, 0.08, 0], 0, Math.PI * 0.9, 8), 0.015), iron)] : []),
        ]
      : [-1, 1].map((z) => part(roundedBox([0.06, z < 0 && back ? 0.6 : 0.3, 0.05], 0.008, 1), timber, { move: [x, 0, z * depth * 0.42] })),
  );
  return {
    parts: [...seat, ...backSlats, ...legs],
    colors: [color],
    traits: [back ? "with a backrest" : "without a backrest", metal ? "with iron legs" : "of wood"],
  };
}

export function car(random: Random): Product {
  const color = anyColor(random);
  const kind = random.pick(["sedan", "hatchback", "van", "coupe"] as const);
  const roofs: Readonly<Record<typeof kind, readonly Point[]>> = {
    sedan: [
      [0.2, 0.2],
      [0.1, 0.3],
      [-0.16, 0.3],
      [-0.27, 0.21],
    ],
    hatchback: [
      [0.22, 0.2],
      [0.08, 0.32],
      [-0.3, 0.31],
      [-0.42, 0.21],
    ],
    van: [
      [0.36, 0.2],
      [0.27, 0.4],
      [-0.46, 0.41],
      [-0.49, 0.21],
    ],
    coupe: [
      [0.16, 0.19],
      [0.02, 0.27],
      [-0.14, 0.27],
      [-0.36, 0.2],
    ],
  };
  const roof = roofs[kind];
  const [low, width] = [0.075, random.between(0.36, 0.42)];
  const side: Point[] = [[-0.5, low], [0.5, low], [0.505, 0.14], [0.47, 0.185], ...roof, [-0.5, 0.19], [-0.51, 0.13]];
  const outline = smoothOutline(side, 2);
  const narrowed = (mesh: Mesh) => deformed(mesh, (x, y, z) => [x, y, z * (1 - (0.42 * Math.max(0, y - 0.17)) / 0.24 - 0.06 * Math.abs(x) ** 3 * 8)]);
  const body = narrowed(extrude(outline, width, 0.03));
  const glassPanels: Point[] = [roof[0]!, roof[1]!, roof[2]!, roof[3]!].map(([x, y]) => [x * 0.9 - 0.005, 0.19 + (y - 0.19) * 0.86] as const);
  const windows = narrowed(
    extrude(
      [...glassPanels].reverse().map(([x, y]) => [x, Math.max(0.205, y)] as const),
      width * 1.012,
      0.004,
    ),
  );
  const dark = solid(srgb(26, 30, 36), { roughness: 0.05 });
  const tyre = lathe(
    [
      [0.03, 0],
      [0.05, 0, "sharp"],
      [0.075, 0.006],
      [0.078, 0.03],
      [0.075, 0.054],
      [0.05, 0.06, "sharp"],
      [0.03, 0.055],
      [0, 0.05],
    ],
    { segments: 22 },
  );
  const wheels = [-0.31, 0.31].flatMap((x) =>
    [-1, 1].map((z) =>
      part(
        tyre,
        patterned((u, v) => (v < 0.32 || v > 0.68 ? mixed(silver, black, Math.floor(u * 10) % 2 === 0 ? 0.1 : 0.7) : srgb(24, 24, 26)), {
          roughness: 0.5,
        }),
        { turn: [Math.PI / 2, 0, 0], move: [x, 0.078, z * width * 0.5 + 0.03] },
      ),
    ),
  );
  const lamp = (x: number, z: number, shade: Color, glow: number) =>
    part(ellipsoid([0.02, 0.022, 0.045], { columns: 10, rows: 8 }), solid(shade, { roughness: 0.1, emission: glow }), { move: [x, 0.155, z] });
  return {
    parts: [
      part(body, solid(color.color, { roughness: 0.16, metallic: random.chance(0.3) ? 0.5 : 0 })),
      part(windows, dark),
      ...wheels,
      ...[-1, 1].flatMap((z) => [lamp(0.49, z * width * 0.36, white, 0.6), lamp(-0.5, z * width * 0.38, srgb(200, 20, 20), 0.4)]),
      part(roundedBox([0.02, 0.035, width * 0.6], 0.008, 1), solid(black, { roughness: 0.4 }), { move: [0.505, 0.09, 0] }),
    ],
    colors: [color],
    traits: [`a ${kind}`, "with dark windows"],
  };
}

export function motorcycle(random: Random): Product {
  const color = anyColor(random);
  const [front, rear, radius]: readonly [number, number, number] = [0.38, -0.36, random.between(0.15, 0.175)];
  const chrome = solid(silver, { metallic: 1, roughness: 0.15 });
  const rubber = solid(srgb(24, 24, 26), { roughness: 0.85 });
  const lacquer = solid(color.color, { roughness: 0.15 });
  const wheel = (x: number): ProductPart[] => [
    part(
      tube(arc([x, radius, 0], [radius * 0.84, 0, 0], [0, radius * 0.84, 0], 0, 2 * Math.PI * (1 - 1 / 26), 25), 0.03, {
        closed: true,
        sides: 8,
        flat: 1.25,
      }),
      rubber,
    ),
    part(
      tube(arc([x, radius, 0], [radius * 0.66, 0, 0], [0, radius * 0.66, 0], 0, 2 * Math.PI * (1 - 1 / 22), 21), 0.012, { closed: true, sides: 6 }),
      chrome,
    ),
    ...Array.from({ length: 5 }, (_, index) => {
      const angle = (index / 5) * 2 * Math.PI;
      return part(
        tube(
          [
            [x, radius, 0],
            [x + radius * 0.66 * Math.cos(angle), radius + radius * 0.66 * Math.sin(angle), 0],
          ],
          0.009,
          { sides: 5 },
        ),
        chrome,
      );
    }),
    part(ellipsoid([0.035, 0.035, 0.04], { columns: 12, rows: 8 }), chrome, { move: [x, radius, 0] }),
  ];
  const cruiser = random.chance(0.5);
  return {
    parts: [
      ...wheel(front),
      ...wheel(rear),
      part(ellipsoid([0.15, 0.065, 0.08], { columns: 20, rows: 12 }), lacquer, { move: [0.05, 0.42, 0], turn: [0, 0, 0.12] }),
      part(roundedBox([0.34, 0.05, 0.12], 0.024, 3), solid(black, { roughness: 0.7 }), {
        move: [-0.22, 0.385, 0],
        turn: [0, 0, cruiser ? -0.06 : 0.12],
      }),
      part(roundedBox([0.2, 0.17, 0.13], 0.03, 2), solid(srgb(70, 72, 76), { metallic: 1, roughness: 0.4 }), { move: [-0.02, 0.14, 0] }),
      ...Array.from({ length: 4 }, (_, index) => part(roundedBox([0.15, 0.012, 0.15], 0.004, 1), chrome, { move: [0.0, 0.2 + index * 0.028, 0] })),
      ...[-0.05, 0.05].map((z) =>
        part(
          tube(
            [
              [front, radius, z],
              [front - 0.13, 0.5, z],
            ],
            0.014,
          ),
          chrome,
        ),
      ),
      part(
        tube(
          [
            [front - 0.13, 0.5, -0.05],
            [front - 0.16, 0.55, -0.12],
            [front - 0.22, 0.55, -0.2],
          ],
          0.012,
        ),
        chrome,
      ),
      part(
        tube(
          [
            [front - 0.13, 0.5, 0.05],
            [front - 0.16, 0.55, 0.12],
            [front - 0.22, 0.55, 0.2],
          ],
          0.012,
        ),
        chrome,
      ),
      part(ellipsoid([0.05, 0.055, 0.055], { columns: 16, rows: 10 }), solid(white, { roughness: 0.1, emission: 0.5 }), {
        move: [front - 0.06, 0.46, 0],
      }),
      part(
        tube(
          [
            [0.06, 0.17, 0.09],
            [-0.15, 0.1, 0.1],
            [-0.45, 0.14, 0.1],
          ],
          (along) => 0.018 + 0.014 * along,
        ),
        chrome,
      ),
      part(
        tube(
          [
            [0.2, 0.42, 0],
            [-0.02, 0.36, 0],
            [-0.2, 0.3, 0],
            [rear, radius, 0],
          ],
          0.022,
        ),
        lacquer,
      ),
      part(
        tube(
          [
            [0.22, 0.46, 0],
            [0.12, 0.25, 0],
            [0, 0.13, 0],
            [-0.15, 0.14, 0],
          ],
          0.018,
        ),
        lacquer,
      ),
      part(tube(arc([rear, radius, 0], [radius * 1.12, 0, 0], [0, radius * 1.12, 0], 0.5, 2.6, 10), 0.05, { flat: 0.25 }), lacquer),
      part(tube(arc([front, radius, 0], [radius * 1.1, 0, 0], [0, radius * 1.1, 0], 0.7, 2.3, 8), 0.04, { flat: 0.25 }), lacquer),
    ],
    colors: [color],
    traits: [cruiser ? "a cruiser" : "a sport bike", "with chrome pipes"],
  };
}

export function clothing(random: Random): Product {
  const [main, second] = [anyColor(random), anyColor(random)];
  const sleeve = random.pick(["short", "long"] as const);
  const kind = random.pick(["plain", "striped", "printed"] as const);
  const long = sleeve === "long";
  const half: Point[] = [
    [0.09, 0.98],
    [0.2, 0.95],
    [long ? 0.46 : 0.42, long ? 0.42 : 0.72],
    [long ? 0.37 : 0.33, long ? 0.39 : 0.65],
    [0.235, 0.76],
    [0.225, 0.5],
    [0.24, 0.2],
    [0.22, 0.19],
    [0, 0.185],
  ];
  const outline = smoothOutline(
    [
      ...half,
      ...half
        .slice(0, -1)
        .map(([x, y]): Point => [-x, y])
        .reverse(),
      [-0.05, 0.935],
      [0.05, 0.935],
    ].reverse() as Point[],
    2,
  );
  const flat = extrude(outline, 0.05, 0.022);
  const cloth = deformed(flat, (x, y, z) => [x, y, z + 0.03 * Math.sin(x * 17 + 1.1 * Math.sin(y * 6)) * (1 - y) + 0.05 * Math.cos(x * 5)]);
  const print = brand(random, ["STUDIO", "ATHLETIC", "CLUB"]);
  const art = canvas(90, 80, main.color);
  disc(art, mixed(main.color, second.color, 0.8), 45, 46, 22);
  drawLogo(art, print.logo, main.color, 45, 46, 13);
  text(art, print.name, 45, 12, 84, { color: second.color, size: 15, ...print.face });
  const body = patterned((_u, v) => (kind === "striped" && Math.floor(v * 16) % 2 === 0 ? second.color : main.color), { roughness: 0.95 });
  return {
    parts: [
      part(cloth, woven(body, 160, 0.25)),
      ...(kind === "printed"
        ? [
            part(
              deformed(plate(0.3, 0.27), (x, y, z) => [x, y + 0.6, z + 0.078]),
              patterned(patternOf(art), { roughness: 0.9 }),
            ),
          ]
        : []),
      part(
        tube(
          [
            [-0.2, 0.955, 0.03],
            [-0.08, 0.99, 0.05],
            [0, 1, 0.05],
            [0.08, 0.99, 0.05],
            [0.2, 0.955, 0.03],
          ],
          0.012,
        ),
        wood(srgb(160, 110, 66), {}),
      ),
      part(
        tube([[0, 1, 0.05], [0, 1.04, 0.05], ...arc([0.03, 1.06, 0.05], [0.03, 0, 0], [0, 0.03, 0], Math.PI, -0.4, 8)], 0.006, { sides: 5 }),
        solid(silver, { metallic: 1, roughness: 0.3 }),
      ),
    ],
    colors: kind === "plain" ? [main] : [main, second],
    traits: [`a ${sleeve}-sleeved shirt`, kind],
    brand: print,
    pose: "hangs",
  };
}
