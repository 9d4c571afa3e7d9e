// Long things: pens, brushes, forks, umbrellas.
import { arc, extrude, lathe, roundedBox, sheet, smoothProfile, tube } from "../geometry/shapes.js";
import type { Vector } from "../geometry/vector.js";
import type { Random } from "../random.js";
import { anyColor, mixed, srgb } from "../texture/color.js";
import { patterned, solid } from "../texture/materials.js";
import { type Product, part, turned } from "./product.js";

const black = srgb(20, 20, 22);
const silver = srgb(205, 207, 212);
const gold = srgb(214, 172, 98);

export function pen(random: Random): Product {
  const barrel = anyColor(random);
  const metal = solid(random.chance(0.5) ? silver : gold, { metallic: 1, roughness: 0.18 });
  const radius = random.between(0.032, 0.045);
  const grip = random.chance(0.5);
  const body = lathe(
    smoothProfile(
      [
        [0.004, 0],
        [0.008, 0.015, "sharp"],
        [radius * 0.55, 0.1, "sharp"],
        [radius, 0.2],
        [radius, 0.9],
        [radius * 0.8, 0.95, "sharp"],
        [0, 0.95],
      ],
      2,
    ),
    { segments: 16 },
  );
  const shell = (v: number) => (v < 0.12 ? silver : grip && v < 0.38 ? black : barrel.color);
  const parts = [
    part(
      body,
      patterned((_u, v) => shell(v), { roughness: random.between(0.12, 0.4) }),
    ),
    part(
      lathe(
        [
          [radius * 1.03, 0.55],
          [radius * 1.03, 0.58],
        ],
        { segments: 16 },
      ),
      metal,
    ),
    part(
      lathe(
        [
          [radius * 0.4, 0.94],
          [radius * 0.4, 1, "sharp"],
          [0, 1],
        ],
        { segments: 12 },
      ),
      metal,
    ),
    part(roundedBox([0.018, 0.3, 0.012], 0.005, 1), metal, { move: [0, 0.62, radius + 0.012] }),
    part(roundedBox([0.018, 0.02, 0.03], 0.005, 1), metal, { move: [0, 0.91, radius] }),
  ];
  // Lying, or standing askew as advertisements have it.
  const lying = random.chance(0.55);
  return {
    parts: turned(parts, lying ? [0, random.between(-0.5, 0.5), random.between(1.35, 1.5)] : [0.1, 0.3, random.between(0.5, 0.8)]),
    colors: [barrel],
    traits: ["with a metal clip", grip ? "with a black grip" : "with a slim barrel"],
  };
}

export function toothbrush(random: Random): Product {
  const handle = anyColor(random, ["black", "brown"]);
  const bristle = [srgb(250, 250, 250), anyColor(random).color] as const;
  const wave = random.between(0.01, 0.03);
  const path: Vector[] = Array.from({ length: 22 }, (_, index) => [0, index / 21, wave * Math.sin((index / 21) * 5)]);
  const thick = (along: number) => 0.028 - 0.014 * Math.min(1, Math.max(0, (along - 0.55) / 0.2)) + 0.006 * Math.sin(along * 7);
  const rows = Array.from({ length: 10 }, (_, row) => row);
  const parts = [
    part(
      tube(path, thick, { sides: 10, flat: 0.75 }),
      patterned((_u, v) => (v > 0.12 && v < 0.42 ? mixed(handle.color, srgb(255, 255, 255), 0.55) : handle.color), { roughness: 0.3 }),
    ),
    part(roundedBox([0.062, 0.2, 0.02], 0.01, 2), solid(handle.color, { roughness: 0.3 }), { move: [0, 0.81, path[19]![2]] }),
    ...rows.flatMap((row) =>
      [-0.018, 0, 0.018].map((x) =>
        part(roundedBox([0.013, 0.014, 0.075 + (row % 2) * 0.01], 0.004, 1), solid(bristle[row % 3 === 1 ? 1 : 0], { roughness: 0.9 }), {
          move: [x, 0.822 + row * 0.0185, path[19]![2] + 0.045],
        }),
      ),
    ),
  ];
  return {
    parts: turned(parts, [0, random.between(0.3, 0.9), random.between(0.35, 1.2)]),
    colors: [handle],
    traits: ["with soft bristles", "with a curved handle"],
  };
}

export function fork(random: Random): Product {
  const finish = random.pick([
    { name: "silver", color: silver },
    { name: "gold", color: gold },
    { name: "black", color: srgb(34, 34, 38) },
  ]);
  const [tines, gap] = [random.integer(3, 4), 0.012];
  const head = random.between(0.12, 0.16);
  const tine = (head - gap * (tines - 1)) / tines;
  const wood = random.chance(0.25) ? anyColor(random) : undefined;
  const outline: [number, number][] = [
    [0.02, 0],
    [0.028, 0.1],
    [0.016, 0.45],
    [0.014, 0.6],
    [head / 2, 0.7],
    [head / 2, 0.78],
  ];
  for (let index = tines - 1; index >= 0; index--) {
    const left = -head / 2 + index * (tine + gap);
    outline.push([left + tine, 0.8], [left + tine * 0.75, 0.99], [left + tine * 0.25, 0.99], [left, 0.8]);
    if (index > 0) outline.push([left - gap / 2, 0.775]);
  }
  outline.push([-head / 2, 0.78], [-head / 2, 0.7], [-0.014, 0.6], [-0.016, 0.45], [-0.028, 0.1], [-0.02, 0]);
  const flat = extrude(outline, 0.014, 0.002);
  const { positions } = flat;
  // Bent as forks are: hollow below the tines.
  for (let index = 0; index < positions.length; index += 3) {
    const y = positions[index + 1]!;
    positions[index + 2] = positions[index + 2]! + 0.05 * Math.sin(Math.PI * Math.min(1, Math.max(0, (y - 0.45) / 0.55))) + 0.02 * (1 - y);
  }
  const metal = solid(finish.color, { metallic: 1, roughness: 0.16 });
  const parts = [
    part(flat, metal),
    ...(wood ? [part(roundedBox([0.06, 0.36, 0.035], 0.014, 2), solid(wood.color, { roughness: 0.5 }), { move: [0, -0.02, 0.03] })] : []),
  ];
  return {
    parts: turned(parts, random.chance(0.5) ? [-0.25, 0, random.between(-0.6, 0.6)] : [-1.2, random.between(-0.8, 0.8), 0]),
    colors: [finish, ...(wood ? [wood] : [])],
    traits: [`with ${tines} tines`, wood ? `with a ${wood.name} handle` : "polished"],
  };
}

export function umbrella(random: Random): Product {
  const [first, second] = [anyColor(random), anyColor(random)];
  const [ribs, rise, reach] = [random.pick([6, 8, 10]), random.between(0.2, 0.3), 0.5];
  const kind = random.pick(["plain", "two-tone", "rimmed"] as const);
  const canopy = sheet(ribs * 4, 8, (u, v) => {
    const angle = 2 * Math.PI * u;
    const between = Math.abs(Math.sin((angle * ribs) / 2));
    const radius = reach * v * (1 - 0.05 * between * v);
    return [radius * Math.cos(angle), 1 - 0.06 - rise * v ** 1.9 - 0.03 * between * v * v, radius * Math.sin(angle)];
  });
  const cloth = patterned(
    (u, v) =>
      kind === "plain"
        ? first.color
        : kind === "rimmed"
          ? v > 0.82
            ? second.color
            : first.color
          : Math.floor(u * ribs) % 2 === 0
            ? first.color
            : second.color,
    { roughness: 0.55 },
  );
  const shaft = solid(silver, { metallic: 1, roughness: 0.3 });
  const handle = anyColor(random);
  return {
    parts: [
      part(canopy, cloth),
      part(
        tube(
          [
            [0, 0.1, 0],
            [0, 0.96, 0],
          ],
          0.012,
        ),
        shaft,
      ),
      part(
        tube(
          [
            [0, 0.95, 0],
            [0, 1.0, 0],
          ],
          0.008,
        ),
        solid(black),
      ),
      part(
        tube([[0, 0.2, 0], [0, 0.1, 0], ...arc([0.07, 0.09, 0], [0.07, 0, 0], [0, 0.09, 0], Math.PI, 2 * Math.PI, 10)], 0.022),
        solid(handle.color, { roughness: 0.35 }),
      ),
    ],
    colors: kind === "plain" ? [first] : [first, second],
    traits: [kind === "plain" ? "open" : kind, "with a curved handle"],
    pose: "hangs",
  };
}

export function kite(random: Random): Product {
  const colors = [anyColor(random), anyColor(random), anyColor(random)] as const;
  const [wing, cross] = [random.between(0.34, 0.44), random.between(0.62, 0.72)];
  const outline = [
    [0, 0.25],
    [wing, 0.25 + 0.75 * cross],
    [0, 1],
    [-wing, 0.25 + 0.75 * cross],
  ] as const;
  const panels = outline.map((corner, index) => {
    const next = outline[(index + 1) % 4]!;
    const center = [0, 0.25 + 0.75 * cross] as const;
    return part(
      sheet(5, 5, (u, v) => {
        const x = center[0] + v * ((1 - u) * corner[0] + u * next[0] - center[0]);
        const y = center[1] + v * ((1 - u) * corner[1] + u * next[1] - center[1]);
        return [x, y, 0.05 * (1 - v) ** 2];
      }),
      solid(colors[index % 3]!.color, { roughness: 0.6 }),
    );
  });
  const tail: Vector[] = Array.from({ length: 24 }, (_, index) => [
    0.1 * Math.sin(index * 0.55) * (index / 24),
    0.25 - index * 0.0104,
    0.02 * Math.cos(index * 0.5),
  ]);
  const bows = [6, 12, 18, 23].map((index, order) =>
    part(
      extrude(
        [
          [0, 0],
          [0.06, 0.03],
          [0.06, -0.03],
          [0, 0],
          [-0.06, 0.03],
          [-0.06, -0.03],
        ],
        0.008,
        0.001,
      ),
      solid(colors[order % 3]!.color),
      { move: tail[index]! },
    ),
  );
  return {
    parts: [
      ...panels,
      part(
        tube(
          [
            [0, 0.25, -0.006],
            [0, 1, -0.006],
          ],
          0.006,
          { sides: 5 },
        ),
        solid(black),
      ),
      part(
        tube(
          [
            [-wing, 0.25 + 0.75 * cross, -0.006],
            [wing, 0.25 + 0.75 * cross, -0.006],
          ],
          0.006,
          { sides: 5 },
        ),
        solid(black),
      ),
      part(tube(tail, 0.004, { sides: 4 }), solid(srgb(240, 240, 240))),
      ...bows,
    ],
    colors: [colors[0], colors[1]],
    traits: ["with a tail of bows", "in several colours"],
    pose: "flies",
  };
}
