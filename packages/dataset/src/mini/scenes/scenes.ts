import type { Random } from "../random.js";
import type { Lighting, Material, Stage } from "../render/scene.js";
import { anyColor, type Color, hsl, mixed, srgb } from "../texture/color.js";
import { grainy, marble, solid, tiles, wood } from "../texture/materials.js";
import { cell, fractal2, smoothstep } from "../texture/noise.js";
import { environmentOf, studioLighting, towards } from "./lighting.js";
import { blocks, books, candles, fruit, grassTufts, type PropMaker, plant, shells, snowballs, stones } from "./props.js";

export interface Backdrop {
  /** As captions say it, after "on" or "in": the place of the product. */
  readonly phrase: string;
  /** The light in a few words. */
  readonly light: string;
  readonly mood: string;
  readonly stage: Stage;
  readonly lighting: Lighting;
  readonly props: readonly PropMaker[];
  readonly exposure: number;
}

export interface SceneKind {
  readonly name: string;
  readonly setting: "indoors" | "outdoors" | "anywhere";
  readonly make: (random: Random) => Backdrop;
}

type Sky = Stage["sky"];

const fadeTo =
  (from: Color, to: Color): Sky =>
  (_x, y, _z, color) => {
    const t = Math.max(0, y) ** 0.55;
    for (let channel = 0; channel < 3; channel++) color[channel] = from[channel]! + (to[channel]! - from[channel]!) * t;
  };

/** Out-of-focus lights and leaves: soft discs of several colours. */
function bokeh(base: Color, colors: readonly Color[], size: number, seed: number): Sky {
  return (x, y, z, color) => {
    const [a, b] = [(1.5 * Math.atan2(x, -z)) / size, (1.5 * y) / size];
    color.set(base);
    for (let row = Math.floor(b) - 1; row <= Math.floor(b) + 1; row++) {
      for (let column = Math.floor(a) - 1; column <= Math.floor(a) + 1; column++) {
        const [cx, cy] = [column + cell(column, row, seed), row + cell(column, row, seed + 1)];
        const radius = 0.25 + 0.5 * cell(column, row, seed + 2);
        const share = smoothstep(radius, radius * 0.8, Math.hypot(a - cx, b - cy)) * (0.25 + 0.6 * cell(column, row, seed + 3));
        const tone = colors[Math.floor(cell(column, row, seed + 4) * colors.length)]!;
        for (let channel = 0; channel < 3; channel++) color[channel] = color[channel]! + (tone[channel]! - color[channel]!) * share;
      }
    }
  };
}

/** Blue with clouds above, paler towards the horizon. */
function cloudySky(zenith: Color, horizon: Color, seed: number, cover: number): Sky {
  const clear = fadeTo(horizon, zenith);
  return (x, y, z, color) => {
    clear(x, y, z, color);
    if (y < 0.02) return;
    const share =
      smoothstep(1 - cover, 1.15 - cover * 0.6, fractal2((x / (y + 0.25)) * 1.6 + 40, (z / (y + 0.25)) * 1.6 + 40, 4, seed)) * Math.min(1, y * 6);
    for (let channel = 0; channel < 3; channel++) color[channel] = color[channel]! * (1 - share) + 1.15 * share;
  };
}

function daylight(
  random: Random,
  {
    elevation,
    color,
    sky,
    horizon,
    ground,
  }: { readonly elevation: number; readonly color: Color; readonly sky: Color; readonly horizon: Color; readonly ground: Color },
): Lighting {
  const azimuth = random.between(-70, 70);
  return {
    key: { direction: towards(azimuth, elevation), color, radius: 0.05 },
    environment: environmentOf({
      zenith: sky,
      horizon,
      ground,
      softboxes: [{ direction: towards(azimuth, elevation), width: 0.08, height: 0.08, color: [color[0] * 3, color[1] * 3, color[2] * 3] }],
    }),
    bounce: [ground[0] * 1.2, ground[1] * 1.2, ground[2] * 1.2],
  };
}

function windowLight(random: Random, warm: number): Lighting {
  const azimuth = random.pick([-1, 1]) * random.between(45, 80);
  const color: Color = [2.5 * (1 + warm), 2.4, 2.3 * (1 - warm)];
  return {
    key: { direction: towards(azimuth, random.between(28, 45)), color, radius: random.between(0.1, 0.22) },
    environment: environmentOf({
      zenith: [0.55, 0.53, 0.5],
      horizon: [0.5 * (1 + warm), 0.47, 0.43 * (1 - warm)],
      ground: [0.3, 0.26, 0.22],
      softboxes: [{ direction: towards(azimuth, 22), width: 0.4, height: 0.7, color: [3, 3, 3] }],
    }),
    bounce: [0.5, 0.44, 0.38],
  };
}

const wallMaterial = (color: Color): Material => grainy(color, { scale: 5, strength: 0.05, bump: 0.02 });

export const sceneKinds: readonly SceneKind[] = [
  {
    name: "studio",
    setting: "anywhere",
    make(random) {
      const tone = anyColor(random, ["black"]);
      const paper = mixed(tone.color, srgb(250, 248, 244), random.between(0.1, 0.5));
      const lighting = studioLighting(random);
      return {
        phrase: `on a ${tone.name} studio backdrop`,
        light: "soft studio light",
        mood: "clean and minimal",
        stage: {
          ground: solid(paper, { roughness: 0.6 }),
          mirror: 0.05,
          sky: fadeTo(mixed(paper, [1, 1, 1], 0.12), mixed(paper, [0, 0, 0], 0.25)),
          haze: random.between(4, 7),
        },
        lighting,
        props: [blocks, blocks, stones, plant],
        exposure: 0.62,
      };
    },
  },
  {
    name: "podium",
    setting: "indoors",
    make(random) {
      const tone = anyColor(random, ["black", "brown", "grey"]);
      const pale = mixed(tone.color, srgb(252, 246, 240), 0.55);
      return {
        phrase: `in a pastel ${tone.name} set`,
        light: "bright diffuse light",
        mood: "playful and modern",
        stage: {
          ground: solid(pale, { roughness: 0.7 }),
          mirror: 0,
          wall: { distance: random.between(1, 1.6), material: solid(mixed(pale, tone.color, 0.25), { roughness: 0.8 }) },
          sky: fadeTo(pale, pale),
          haze: 30,
        },
        lighting: studioLighting(random),
        props: [blocks, blocks, blocks],
        exposure: 0.6,
      };
    },
  },
  {
    name: "wooden table",
    setting: "indoors",
    make(random) {
      const timber = random.pick([srgb(168, 112, 66), srgb(120, 76, 46), srgb(206, 164, 112)]);
      const wall = mixed(anyColor(random).color, srgb(240, 234, 224), 0.6);
      return {
        phrase: "on a wooden table",
        light: "warm light from a window",
        mood: "cosy",
        stage: {
          ground: wood(timber, { plank: random.between(0.25, 0.4), gloss: 0.35, seed: random.integer(0, 99) }),
          mirror: 0.03,
          wall: { distance: random.between(1.3, 2.2), material: wallMaterial(wall) },
          sky: fadeTo(wall, wall),
          haze: 40,
        },
        lighting: windowLight(random, 0.1),
        props: [plant, books, fruit, candles],
        exposure: 0.66,
      };
    },
  },
  {
    name: "kitchen",
    setting: "indoors",
    make(random) {
      const tone = random.pick([srgb(240, 240, 236), srgb(190, 214, 206), srgb(120, 150, 170), srgb(232, 214, 190)]);
      return {
        phrase: "on a marble kitchen counter",
        light: "bright daylight",
        mood: "fresh",
        stage: {
          ground: marble(srgb(236, 234, 230), srgb(120, 118, 122), random.integer(0, 99)),
          mirror: 0.1,
          wall: {
            distance: random.between(0.9, 1.4),
            material: tiles(tone, srgb(210, 208, 202), 0.2, { offset: random.chance(0.6), seed: random.integer(0, 99) }),
          },
          sky: fadeTo(tone, tone),
          haze: 40,
        },
        lighting: windowLight(random, 0),
        props: [fruit, fruit, plant],
        exposure: 0.62,
      };
    },
  },
  {
    name: "shelf",
    setting: "indoors",
    make(random) {
      const wall = mixed(anyColor(random).color, srgb(236, 230, 222), random.between(0.3, 0.7));
      return {
        phrase: "on a shelf",
        light: "gentle side light",
        mood: "tidy",
        stage: {
          ground: wood(srgb(190, 146, 98), { gloss: 0.4, seed: random.integer(0, 99) }),
          mirror: 0.02,
          wall: { distance: 0.55, material: wallMaterial(wall) },
          sky: fadeTo(wall, wall),
          haze: 40,
        },
        lighting: windowLight(random, 0.05),
        props: [books, plant, candles],
        exposure: 0.66,
      };
    },
  },
  {
    name: "bathroom",
    setting: "indoors",
    make(random) {
      const tone = random.pick([srgb(226, 236, 238), srgb(150, 190, 190), srgb(244, 240, 236)]);
      return {
        phrase: "on a bathroom ledge",
        light: "clear morning light",
        mood: "clean",
        stage: {
          ground: tiles(mixed(tone, [1, 1, 1], 0.3), srgb(180, 184, 186), 0.42, { roughness: 0.15 }),
          mirror: 0.14,
          wall: { distance: random.between(0.8, 1.2), material: tiles(tone, srgb(222, 222, 220), 0.16, { seed: 5 }) },
          sky: fadeTo(tone, tone),
          haze: 40,
        },
        lighting: windowLight(random, -0.04),
        props: [plant, candles, stones],
        exposure: 0.62,
      };
    },
  },
  {
    name: "neon",
    setting: "anywhere",
    make(random) {
      const [first, second] = [hsl(random.uniform(), 1, 0.55), hsl(random.uniform(), 1, 0.55)];
      const wall: Material = (_u, _v, x, y, _z, sample) => {
        grainy(srgb(30, 28, 38), { scale: 6 })(0, 0, x, y, 0, sample);
        const [a, b] = [Math.abs(Math.abs(x) - 0.75), Math.abs(y - 1.25)];
        const glow = Math.max(y > 0.1 && y < 1.25 ? Math.exp(-a * 60) : 0, Math.abs(x) < 0.75 ? Math.exp(-b * 60) : 0);
        const halo = 0.25 * Math.exp(-Math.min(a, b) * 4);
        const tone = x < 0 ? first : second;
        sample.red = sample.red * 0.5 + tone[0] * (glow + halo);
        sample.green = sample.green * 0.5 + tone[1] * (glow + halo);
        sample.blue = sample.blue * 0.5 + tone[2] * (glow + halo);
        sample.emission = 5 * glow + 0.7 * halo;
      };
      return {
        phrase: "in front of neon lights",
        light: "glowing neon light",
        mood: "bold and nocturnal",
        stage: {
          ground: solid(srgb(24, 24, 30), { roughness: 0.18 }),
          mirror: 0.3,
          wall: { distance: 1, material: wall },
          sky: fadeTo(srgb(8, 8, 14), srgb(4, 4, 8)),
          haze: 60,
        },
        lighting: {
          key: { direction: towards(random.between(-40, 40), 35), color: [1.3, 1.3, 1.4], radius: 0.2 },
          environment: environmentOf({
            zenith: [0.1, 0.1, 0.14],
            horizon: [0.12, 0.11, 0.16],
            ground: [0.04, 0.04, 0.06],
            softboxes: [
              { direction: towards(-75, 12), width: 0.35, height: 0.8, color: [first[0] * 5, first[1] * 5, first[2] * 5] },
              { direction: towards(75, 12), width: 0.35, height: 0.8, color: [second[0] * 5, second[1] * 5, second[2] * 5] },
            ],
          }),
          bounce: [0.1, 0.1, 0.12],
        },
        props: [blocks],
        exposure: 0.95,
      };
    },
  },
  {
    name: "beach",
    setting: "outdoors",
    make(random) {
      const [sea, sand] = [mixed(srgb(28, 120, 150), srgb(70, 170, 180), random.uniform()), srgb(226, 200, 156)];
      const sky = cloudySky(srgb(96, 160, 222), srgb(206, 226, 240), random.integer(0, 99), random.between(0.2, 0.5));
      const beach = grainy(sand, { scale: 14, strength: 0.14, bump: 0.35 });
      const shore = random.between(1.6, 2.6);
      const ground: Material = (u, v, x, y, z, sample) => {
        const edge = -shore + 0.18 * Math.sin(x * 1.3) + 0.08 * fractal2(x * 2, 3, 2);
        if (z > edge) {
          beach(u, v, x, y, z, sample);
          const wet = smoothstep(edge + 0.5, edge, z);
          sample.red *= 1 - 0.45 * wet;
          sample.green *= 1 - 0.45 * wet;
          sample.blue *= 1 - 0.4 * wet;
          sample.roughness = 0.9 - 0.5 * wet;
          return;
        }
        const foam = smoothstep(0.16, 0, edge - z) * (0.5 + 0.5 * fractal2(x * 9, z * 9, 2));
        const wave = fractal2(x * 1.2, z * 4, 3, 7);
        for (const [index, channel] of (["red", "green", "blue"] as const).entries())
          sample[channel] = sea[index]! * (0.7 + 0.6 * wave) * (1 - foam) + foam * 0.95;
        sample.roughness = 0.25;
        sample.bumpZ = (wave - 0.5) * 0.5;
      };
      return {
        phrase: "on a sandy beach by the sea",
        light: "bright sunshine",
        mood: "summery",
        stage: { ground, mirror: 0, sky, haze: 26 },
        lighting: daylight(random, {
          elevation: random.between(32, 60),
          color: [3.4, 3.2, 2.8],
          sky: [0.5, 0.68, 0.95],
          horizon: [0.85, 0.92, 1],
          ground: [0.5, 0.44, 0.34],
        }),
        props: [shells, shells, stones],
        exposure: 0.58,
      };
    },
  },
  {
    name: "snow",
    setting: "outdoors",
    make(random) {
      const dusk = random.chance(0.4);
      const sky = fadeTo(dusk ? srgb(240, 200, 190) : srgb(222, 232, 244), dusk ? srgb(120, 130, 180) : srgb(130, 170, 220));
      return {
        phrase: "in fresh snow",
        light: dusk ? "the light of a winter evening" : "crisp winter light",
        mood: "cold and quiet",
        stage: { ground: grainy(srgb(236, 241, 250), { scale: 3, strength: 0.06, bump: 0.5 }), mirror: 0, sky, haze: 12 },
        lighting: daylight(random, {
          elevation: dusk ? 16 : 34,
          color: dusk ? [2.8, 2.0, 1.6] : [2.7, 2.7, 2.8],
          sky: [0.5, 0.6, 0.85],
          horizon: [0.8, 0.84, 0.95],
          ground: [0.75, 0.8, 0.9],
        }),
        props: [snowballs, stones],
        exposure: 0.55,
      };
    },
  },
  {
    name: "meadow",
    setting: "outdoors",
    make(random) {
      const green = mixed(srgb(96, 142, 58), srgb(140, 166, 72), random.uniform());
      const lawn = grainy(green, { scale: 26, strength: 0.55, bump: 0.9, octaves: 3 });
      const sky = bokeh(
        srgb(150, 186, 130),
        [srgb(190, 214, 150), srgb(96, 140, 84), srgb(226, 236, 190)],
        random.between(0.1, 0.2),
        random.integer(0, 99),
      );
      return {
        phrase: "on a green meadow",
        light: "soft sunlight",
        mood: "natural",
        stage: { ground: lawn, mirror: 0, sky, haze: 7 },
        lighting: daylight(random, {
          elevation: random.between(30, 60),
          color: [3, 2.9, 2.4],
          sky: [0.5, 0.65, 0.8],
          horizon: [0.7, 0.8, 0.7],
          ground: [0.25, 0.36, 0.16],
        }),
        props: [grassTufts, grassTufts, stones],
        exposure: 0.66,
      };
    },
  },
  {
    name: "water",
    setting: "anywhere",
    make(random) {
      const tone = random.pick([srgb(40, 110, 140), srgb(30, 80, 110), srgb(90, 160, 170)]);
      const seed = random.integer(0, 99);
      const ground: Material = (_u, _v, x, _y, z, sample) => {
        const rings = Math.sin(Math.hypot(x, z) * 26) * Math.exp(-Math.hypot(x, z) * 1.6);
        const wave = fractal2(x * 2.5, z * 6, 3, seed) - 0.5;
        sample.red = tone[0];
        sample.green = tone[1];
        sample.blue = tone[2];
        sample.roughness = 0.06;
        sample.bumpX = rings * 0.14 + wave * 0.16;
        sample.bumpZ = rings * 0.1 + wave * 0.24;
      };
      return {
        phrase: "on rippling water",
        light: "cool clear light",
        mood: "fresh and pure",
        stage: { ground, mirror: 0.45, sky: fadeTo(mixed(tone, [1, 1, 1], 0.7), mixed(tone, [1, 1, 1], 0.25)), haze: 9 },
        lighting: daylight(random, {
          elevation: 45,
          color: [2.6, 2.7, 2.8],
          sky: [0.6, 0.75, 0.9],
          horizon: [0.85, 0.92, 0.96],
          ground: [0.2, 0.35, 0.4],
        }),
        props: [stones],
        exposure: 0.62,
      };
    },
  },
  {
    name: "street",
    setting: "outdoors",
    make(random) {
      const sky = bokeh(
        srgb(120, 126, 136),
        [srgb(190, 196, 204), srgb(84, 90, 100), srgb(220, 190, 140)],
        random.between(0.14, 0.24),
        random.integer(0, 99),
      );
      return {
        phrase: "on a city street",
        light: "light of an overcast day",
        mood: "urban",
        stage: { ground: grainy(srgb(112, 112, 116), { scale: 26, strength: 0.22, bump: 0.25 }), mirror: 0.05, sky, haze: 9 },
        lighting: daylight(random, {
          elevation: 50,
          color: [1.7, 1.7, 1.75],
          sky: [0.85, 0.88, 0.95],
          horizon: [0.8, 0.82, 0.86],
          ground: [0.3, 0.3, 0.3],
        }),
        props: [stones],
        exposure: 0.68,
      };
    },
  },
  {
    name: "desert",
    setting: "outdoors",
    make(random) {
      const sand = mixed(srgb(214, 150, 92), srgb(190, 110, 66), random.uniform());
      const ground: Material = (u, v, x, y, z, sample) => {
        grainy(sand, { scale: 16, strength: 0.1 })(u, v, x, y, z, sample);
        sample.bumpZ += 0.35 * Math.sin((z + 0.25 * Math.sin(x * 1.7)) * 22) * 0.6;
      };
      return {
        phrase: "in the desert",
        light: "low golden sun",
        mood: "warm and vast",
        stage: { ground, mirror: 0, sky: fadeTo(srgb(250, 206, 150), srgb(120, 150, 200)), haze: 13 },
        lighting: daylight(random, {
          elevation: random.between(18, 35),
          color: [3.6, 2.8, 1.9],
          sky: [0.5, 0.6, 0.8],
          horizon: [0.95, 0.8, 0.6],
          ground: [0.5, 0.34, 0.2],
        }),
        props: [stones, stones],
        exposure: 0.58,
      };
    },
  },
  {
    name: "autumn",
    setting: "outdoors",
    make(random) {
      const leaves = [srgb(206, 104, 30), srgb(226, 160, 40), srgb(160, 60, 26), srgb(120, 80, 40)];
      const seed = random.integer(0, 99);
      const ground: Material = (_u, _v, x, _y, z, sample) => {
        const size = 0.13;
        let [best, tone] = [-1, leaves[3]!];
        for (let row = Math.floor(z / size) - 1; row <= Math.floor(z / size) + 1; row++) {
          for (let column = Math.floor(x / size) - 1; column <= Math.floor(x / size) + 1; column++) {
            const [cx, cz, turn] = [
              (column + cell(column, row, seed)) * size,
              (row + cell(column, row, seed + 1)) * size,
              cell(column, row, seed + 2) * 6.3,
            ];
            const [dx, dz] = [(x - cx) * Math.cos(turn) - (z - cz) * Math.sin(turn), (x - cx) * Math.sin(turn) + (z - cz) * Math.cos(turn)];
            const order = cell(column, row, seed + 3);
            if ((dx / 0.11) ** 2 + (dz / (0.055 * (1 - Math.abs(dx) * 4))) ** 2 < 1 && order > best)
              [best, tone] = [order, leaves[Math.floor(order * 3.99)]!];
          }
        }
        sample.red = tone[0] * (0.75 + 0.4 * best);
        sample.green = tone[1] * (0.75 + 0.4 * best);
        sample.blue = tone[2] * (0.75 + 0.4 * best);
        sample.roughness = 0.7;
        sample.bumpX = (cell(Math.floor(best * 997), 1, 3) - 0.5) * 0.5;
      };
      return {
        phrase: "on autumn leaves",
        light: "mellow afternoon light",
        mood: "nostalgic",
        stage: {
          ground,
          mirror: 0,
          sky: bokeh(srgb(176, 110, 56), [srgb(230, 170, 80), srgb(120, 70, 40), srgb(240, 210, 140)], 0.16, seed),
          haze: 7,
        },
        lighting: daylight(random, {
          elevation: 28,
          color: [3, 2.4, 1.7],
          sky: [0.6, 0.6, 0.6],
          horizon: [0.8, 0.66, 0.5],
          ground: [0.4, 0.26, 0.12],
        }),
        props: [stones, grassTufts],
        exposure: 0.66,
      };
    },
  },
];
