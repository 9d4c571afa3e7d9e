import type { Image } from "@refadgen/image";
import type { Random } from "../random.js";
import {
  addDisc,
  addRectangle,
  addRound,
  addShape,
  addStroke,
  emptyLayer,
  type Ink,
  ink,
  type Layer,
  laidOver,
  type Stencil,
  stencil,
} from "./layer.js";
import { addText, anyFace, type Face, textWidth } from "./lettering.js";
import { lightOf } from "./placement.js";
import type { Change, FaultStyle } from "./truth.js";

const names = [
  "SAMPLE",
  "PREVIEW",
  "STOCK",
  "FOTOLUX",
  "PIXDEPOT",
  "IMAGEBANK",
  "DO NOT COPY",
  "PROOF",
  "SHOPCAM",
  "DEMO",
  "NOVA PHOTO",
  "PICTURA.COM",
];

/** Translucent marks of an owner, as picture agencies and shops lay over their pictures. */
export function watermarked(image: Image, style: FaultStyle<"watermark">, strength: number, random: Random): Change {
  const { width, height } = image;
  const shorter = Math.min(width, height);
  const name = random.pick(names);
  const face = anyFace(random);
  const opacity = style === "corner" ? 0.45 + 0.45 * strength : 0.2 + 0.4 * strength;
  const layer = emptyLayer(image);
  const light = lightOf(image, [0, 0, width, height]);
  const color: Ink = light > 190 || (light > 120 && random.chance(0.25)) ? [40, 40, 44] : random.chance(0.85) ? [255, 255, 255] : [235, 235, 210];
  const size = draw();
  return { image: laidOver(image, layer), local: true, details: { name, opacity, size, color: [...color] } };

  /** Draws into the layer and returns the height of the capitals, px. */
  function draw(): number {
    switch (style) {
      case "tiled":
        return tiled(layer, { name, face, color, opacity, shorter, strength, random });
      case "logo": {
        const capital = shorter * random.between(0.07, 0.1) * (0.8 + 0.5 * strength);
        const mark = stencil(image);
        const [x, y] = [width * random.between(0.45, 0.55), height * random.between(0.42, 0.58)];
        addLogo(mark, x, y - capital * 1.4, capital * 1.5, random.integer(0, 4));
        addText(mark, { text: name, x, y: y + capital * 1.3, size: Math.min(capital, (0.85 * width) / textWidth(name, 1, face)), face });
        edged(layer, mark, color, opacity, random);
        return capital;
      }
      case "corner": {
        const capital = Math.max(5, shorter * random.between(0.035, 0.05) * (0.8 + 0.5 * strength));
        const mark = stencil(image);
        const wide = textWidth(name, capital, face) + capital * 2.2;
        const x = random.chance(0.7) ? width - wide / 2 - capital : wide / 2 + capital;
        const y = random.chance(0.7) ? height - capital * 1.6 : capital * 1.6;
        addLogo(mark, x - wide / 2 + capital * 0.8, y, capital * 0.75, random.integer(0, 4));
        addText(mark, { text: name, x: x + capital * 1.1, y, size: capital, face });
        const ground: Ink = lightOf(image, [x - wide / 2, y - capital, x + wide / 2, y + capital]) > 150 ? [40, 40, 44] : [255, 255, 255];
        ink(layer, mark, ground, opacity);
        return capital;
      }
      case "line": {
        const degrees = random.pick([-1, 1]) * random.between(15, 50);
        const capital = Math.min(shorter * 0.22, (0.95 * Math.hypot(width, height)) / textWidth(name, 1, face));
        const mark = stencil(image);
        addText(mark, { text: name, x: width / 2, y: height / 2, size: capital, face, degrees });
        edged(layer, mark, color, opacity, random);
        return capital;
      }
    }
  }
}

interface Tiling {
  readonly name: string;
  readonly face: Face;
  readonly color: Ink;
  readonly opacity: number;
  readonly shorter: number;
  readonly strength: number;
  readonly random: Random;
}

/** The name in slanted rows over the whole picture, with lines or signs between. */
function tiled(layer: Layer, { name, face, color, opacity, shorter, strength, random }: Tiling): number {
  const { width, height } = layer;
  const capital = Math.max(5, shorter * random.between(0.04, 0.07));
  const degrees = random.pick([-45, -30, -20, 0, 20, 30, 45]);
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const mark = stencil(layer);
  const step = textWidth(name, capital, face) + capital * random.between(1.5, 3.5);
  const row = capital * random.between(2.6, 5.5 - 2 * strength);
  const reach = Math.hypot(width, height) / 2 + step;
  for (let line = -Math.ceil(reach / row); line * row <= reach; line++) {
    for (let place = -Math.ceil(reach / step); place * step <= reach; place++) {
      const [along, down] = [(place + (line % 2 === 0 ? 0 : 0.5)) * step, line * row];
      addText(mark, { text: name, x: width / 2 + along * cos + down * sin, y: height / 2 - along * sin + down * cos, size: capital, face, degrees });
    }
  }
  if (random.chance(0.4)) addLattice(mark, shorter * random.between(0.25, 0.4), Math.max(0.8, capital * 0.08));
  ink(layer, mark, color, opacity);
  return capital;
}

/** Thin diagonal lines both ways. */
function addLattice(mark: Stencil, step: number, weight: number): void {
  const { width, height } = mark;
  for (let from = -height; from < width; from += step) {
    addStroke(mark, from, 0, from + height, height, weight);
    addStroke(mark, from + height, 0, from, height, weight);
  }
}

/** Some marks have a dark edge, so that they show on light as on dark. */
function edged(layer: Layer, mark: Stencil, color: Ink, opacity: number, random: Random): void {
  if (random.chance(0.4)) {
    const moved = stencil(layer);
    const { width, height } = mark;
    for (let y = 1; y < height; y++) for (let x = 1; x < width; x++) moved.cover[y * width + x] = mark.cover[(y - 1) * width + x - 1]!;
    ink(layer, moved, color[0] > 128 ? [30, 30, 30] : [255, 255, 255], opacity * 0.6);
  }
  ink(layer, mark, color, opacity);
}

/** A sign: camera, ring, star, stripes or shield. */
function addLogo(mark: Stencil, x: number, y: number, size: number, sign: number): void {
  switch (sign) {
    case 0: {
      // A camera: its body without the ring around the lens.
      const [body, lens] = [stencil(mark), stencil(mark)];
      addRectangle(body, x, y, size * 2.2, size * 1.5, { radius: size * 0.25 });
      addRectangle(body, x - size * 0.35, y - size * 0.85, size * 0.8, size * 0.4, { radius: size * 0.1 });
      addDisc(lens, x, y, size * 0.58, size * 0.2);
      for (let pixel = 0; pixel < mark.cover.length; pixel++)
        mark.cover[pixel] = Math.max(mark.cover[pixel]!, body.cover[pixel]! * (1 - lens.cover[pixel]!));
      return;
    }
    case 1:
      addDisc(mark, x, y, size, size * 0.28);
      addDisc(mark, x, y, size * 0.4);
      return;
    case 2:
      addRound(mark, x, y, size, (angle) => size * (0.68 + 0.32 * Math.cos(5 * (angle - Math.PI / 2))));
      return;
    case 3:
      for (let bar = -1; bar <= 1; bar++) addRectangle(mark, x + bar * size * 0.62, y + (1 - bar) * size * 0.2, size * 0.4, size * (1.6 + 0.4 * bar));
      return;
    default:
      addShape(mark, [x - size, y - size, x + size, y + size], (px, py) => {
        const [dx, dy] = [Math.abs(px - x) / size, (py - y) / size];
        const edge = dy < 0.2 ? 0.8 : 0.8 * Math.sqrt(Math.max(0, 1 - ((dy - 0.2) / 0.8) ** 2));
        return Math.max(dx - edge, -dy - 0.85, dy - 1) * size;
      });
  }
}
