import { type OcclusionParams, occlusionWithMask } from "@refadgen/augment";
import { type Image, resizeImage } from "@refadgen/image";
import type { Random } from "../random.js";
import { type MiniMask, type MiniPicture, miniProduct } from "../triplet.js";
import { addRectangle, addRound, emptyLayer, type Ink, ink, type Layer, laidOver, type Stencil, shadowOf, stencil } from "./layer.js";
import { addText, anyFace, textWidth } from "./lettering.js";
import { inkLight, markedBox, markedCount } from "./placement.js";
import type { Change, FaultStyle } from "./truth.js";

/**
 * Something in front of the product, which loses what it hides from its mask. From a tenth to half of the product is hidden, more with
 * more strength.
 */
export function occluded(image: Image, mask: MiniMask, style: FaultStyle<"occlusion">, strength: number, random: Random): Change {
  const wanted = 0.14 + 0.36 * strength;
  const attempts = 10;
  // Tried out small: what is hidden is nearly the same share.
  const factor = Math.min(1, 96 / Math.min(mask.width, mask.height));
  const small = { width: Math.max(1, Math.round(mask.width * factor)), height: Math.max(1, Math.round(mask.height * factor)) };
  const tiny = factor === 1 ? mask : shrunk(mask, small);
  const blank: Image = { ...small, channels: 3, data: new Uint8Array(small.width * small.height * 3) };
  let best: Occluder | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const candidate = drawn(style, tiny, 0.5 + strength + attempt * 0.06, random.fork(style, attempt));
    const hidden = 1 - markedCount(candidate.over(blank, tiny).mask) / Math.max(1, markedCount(tiny));
    // Never next to nothing and never nearly all.
    const miss = Math.abs(hidden - wanted) + (hidden < 0.1 || hidden > 0.75 ? 1 : 0);
    if (miss < nearest) [nearest, best] = [miss, candidate];
    if (miss < 0.04) break;
  }
  const result = best!.over(image, mask);
  return { ...result, local: true, details: best!.details };
}

interface Occluder {
  readonly details: Change["details"];
  over(image: Image, mask: MiniMask): { readonly image: Image; readonly mask: MiniMask };
}

/** @param scale about 0.5 to 2: how much larger than usual */
function drawn(style: FaultStyle<"occlusion">, mask: MiniMask, scale: number, random: Random): Occluder {
  const [left, top, right, bottom] = markedBox(mask) ?? [0, 0, mask.width, mask.height];
  const shorter = Math.min(mask.width, mask.height);
  /** Shares of the picture, somewhere on the product. */
  const at: readonly [number, number] = [
    (left + (right - left) * random.between(0.25, 0.75)) / mask.width,
    (top + (bottom - top) * random.between(0.25, 0.75)) / mask.height,
  ];
  // Sides of the product in shares of the picture's shorter side.
  const extent = Math.sqrt((right - left) * (bottom - top)) / shorter;
  switch (style) {
    case "hand": {
      const from = random.pick([180, 0, -90]);
      return augmented({
        by: "hand",
        tip: at,
        degrees: from + 180 + random.between(-25, 25),
        width: Math.min(0.4, Math.max(0.03, extent * random.between(0.1, 0.17) * scale)),
        fingers: random.integer(1, 4),
        skin: random.pick([
          [0.96, 0.8, 0.69],
          [0.87, 0.67, 0.53],
          [0.72, 0.5, 0.36],
          [0.45, 0.3, 0.21],
        ] as const),
        light: random.between(80, 140),
        mirrored: random.chance(0.5),
        seed: random.integer(0, 0xffff_ffff),
      });
    }
    case "tag":
      return augmented({
        by: "tag",
        centre: at,
        degrees: random.between(-35, 35),
        length: Math.min(1.9, Math.max(0.05, extent * random.between(0.45, 0.7) * scale)),
        card: random.pick([
          [0.96, 0.95, 0.92],
          [0.84, 0.74, 0.58],
          [0.9, 0.15, 0.18],
          [0.98, 0.85, 0.2],
        ] as const),
        ink: [0.1, 0.1, 0.11],
        price: 95 + 100 * random.integer(0, 199),
        seed: random.integer(0, 0xffff_ffff),
      });
    case "sticker":
      return sticker(at, extent * random.between(0.22, 0.32) * scale, random);
    case "object":
      return foreignObject(at, extent * random.between(0.5, 0.75) * scale, random);
  }
}

function augmented(params: OcclusionParams): Occluder {
  return {
    details: { ...params } as unknown as Change["details"],
    over(image, mask) {
      const grey: Image = { width: mask.width, height: mask.height, channels: 1, data: mask.data.map((value) => 255 * value) };
      const { picture, mask: left } = occlusionWithMask(image, grey, params);
      return { image: picture, mask: { ...mask, data: Uint8Array.from(left.data, (value) => (value >= 128 ? 1 : 0)) } };
    },
  };
}

const papers: readonly Ink[] = [
  [228, 30, 42],
  [250, 214, 20],
  [250, 250, 246],
  [20, 120, 70],
  [30, 60, 160],
  [240, 120, 20],
];

/** A paper label that sticks on the product: a star, a round or a square one, with words. */
function sticker([x, y]: readonly [number, number], radius: number, random: Random): Occluder {
  const paper = random.pick(papers);
  const form = random.pick(["burst", "round", "square"]);
  const degrees = random.between(-25, 25);
  const teeth = random.integer(9, 20);
  const word = random.pick(["SALE", "NEW", "-50%", "HOT", "BIO", "50% OFF", "TOP"]);
  const face = anyFace(random);
  const color: Ink = inkLight(paper) > 140 ? [24, 24, 28] : [255, 255, 255];
  return {
    details: { form, word, radius, paper: [...paper] },
    over(image, mask) {
      const size = radius * Math.min(image.width, image.height);
      const [px, py] = [x * image.width, y * image.height];
      const shape = stencil(image);
      if (form === "burst") addRound(shape, px, py, size * 1.1, (angle) => size * (1 + 0.1 * Math.cos(teeth * angle)));
      else if (form === "round") addRound(shape, px, py, size, () => size);
      else addRectangle(shape, px, py, size * 2, size * 1.4, { radius: size * 0.1, degrees });
      const layer = emptyLayer(image);
      ink(layer, shadowOf(shape, size * 0.05, size * 0.08, size * 0.05), [0, 0, 0], 0.35);
      ink(layer, shape, paper);
      const letters = stencil(image);
      addText(letters, { text: word, x: px, y: py, size: Math.min(size * 0.6, (size * 1.5) / textWidth(word, 1, face)), face, degrees });
      ink(layer, letters, color);
      return { image: laidOver(image, layer), mask: uncovered(mask, shape) };
    },
  };
}

/** Another product in front of this one. */
function foreignObject([x, y]: readonly [number, number], extent: number, random: Random): Occluder {
  const seed = random.integer(0, 0xffff_ffff);
  const rendered = new Map<number, { readonly category: string; readonly picture: MiniPicture }>();
  const sizeFor = (side: number) => Math.max(64, Math.min(320, Math.ceil(side / 32) * 32));
  const object = (side: number) => {
    const size = sizeFor(side);
    const known = rendered.get(size) ?? miniProduct(seed % 997, { seed, width: size, height: size });
    rendered.set(size, known);
    return known;
  };
  return {
    details: { category: object(64).category, extent },
    over(image, mask) {
      const side = Math.max(8, Math.round(extent * 1.25 * Math.min(image.width, image.height)));
      const { picture } = object(side);
      const scaled = resizeImage(withAlpha(picture), { width: side, height: side });
      const shape = stencil(image);
      const layer = emptyLayer(image);
      const [left, top] = [Math.round(x * image.width - side / 2), Math.round(y * image.height - side / 2)];
      const body: Layer = emptyLayer(image);
      for (let row = Math.max(0, -top); row < Math.min(side, image.height - top); row++) {
        for (let column = Math.max(0, -left); column < Math.min(side, image.width - left); column++) {
          const [from, to] = [(row * side + column) * 4, (top + row) * image.width + left + column];
          const cover = scaled.data[from + 3]! / 255;
          shape.cover[to] = cover;
          body.cover[to] = cover;
          for (let channel = 0; channel < 3; channel++) body.levels[to * 3 + channel] = scaled.data[from + channel]! * cover;
        }
      }
      ink(layer, shadowOf(shape, side * 0.03, side * 0.04, side * 0.04), [0, 0, 0], 0.4);
      return { image: laidOver(laidOver(image, layer), body), mask: uncovered(mask, shape) };
    },
  };
}

function withAlpha({ image: { width, height, data }, matte }: MiniPicture): Image {
  const out = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < matte.length; pixel++) {
    for (let channel = 0; channel < 3; channel++) out[pixel * 4 + channel] = data[pixel * 3 + channel]!;
    out[pixel * 4 + 3] = matte[pixel]!;
  }
  return { width, height, channels: 4, data: out };
}

function uncovered(mask: MiniMask, { cover }: Stencil): MiniMask {
  return { ...mask, data: mask.data.map((value, pixel) => (cover[pixel]! >= 0.5 ? 0 : value)) };
}

/** Nearest pixel: good enough to try places on. */
function shrunk({ width, height, data }: MiniMask, size: { readonly width: number; readonly height: number }): MiniMask {
  const out = new Uint8Array(size.width * size.height);
  for (let y = 0; y < size.height; y++)
    for (let x = 0; x < size.width; x++)
      out[y * size.width + x] = data[Math.floor(((y + 0.5) * height) / size.height) * width + Math.floor(((x + 0.5) * width) / size.width)]!;
  return { ...size, data: out };
}
