import type { Size } from "@refadgen/image";
import { smoothNoise } from "./hand.js";
import { emptyLayer, type Layer } from "./layer.js";
import { normalField, uniformField } from "./noise-field.js";
import { checkInteger, checkNumber, checkNumbers } from "./picture.js";
import type { Point } from "./warp.js";

export interface TagParams {
  /** Middle of the label, in shares of width and height; -0.5 to 1.5. */
  readonly centre: Point;
  /** Turned anticlockwise, degrees. */
  readonly degrees: number;
  /** Length of the label's longer side, in shares of the picture's shorter side: 0.02 to 2. */
  readonly length: number;
  /** sRGB of the card, 0 to 1. */
  readonly card: readonly [number, number, number];
  /** sRGB of the print, 0 to 1. */
  readonly ink: readonly [number, number, number];
  /** Price in cents, 0 to 999 999. */
  readonly price: number;
  /** Of the barcode and the card's grain, 0 to 2^32 - 1. */
  readonly seed: number;
}

/** Sides of the label in its own frame: 2 high, this wide; the hole and the string are at the top. */
const halfWidth = 0.6;

/** A price tag of card on a string: hole, ring, price, lines of text, barcode. */
export function drawTag(size: Size, params: TagParams): Layer {
  const { centre, degrees, length, card, ink, price, seed } = params;
  checkNumbers("occlusion", "centre", centre, 2, -0.5, 1.5);
  checkNumber("occlusion", "degrees", degrees, -3600, 3600);
  checkNumber("occlusion", "length", length, 0.02, 2);
  checkNumbers("occlusion", "card", card, 3, 0, 1);
  checkNumbers("occlusion", "ink", ink, 3, 0, 1);
  checkInteger("occlusion", "price", price, 0, 999_999);
  checkInteger("occlusion", "seed", seed, 0, 0xffff_ffff);
  const { width, height } = size;
  const layer = emptyLayer(size);
  const unit = (length * Math.min(width, height)) / 2;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const grain = smoothNoise(size, 2, seed);
  const stains = smoothNoise(size, Math.max(6, unit / 2), seed ^ 0x77);
  const strokes = numberStrokes((price / 100).toFixed(2));
  // As large as fits the card.
  const digit = Math.min(0.29, 0.9 / strokes.width);
  const bars = barcode(seed);
  const bend = normalField(4, seed ^ 0x99);
  const px = 1 / unit;
  const cover = (distance: number) => Math.min(Math.max(0.5 - distance / px, 0), 1);

  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const [dx, dy] = [(x + 0.5 - centre[0] * width) * px, (y + 0.5 - centre[1] * height) * px];
      const [u, v] = [dx * cos - dy * sin, dx * sin + dy * cos];
      const outline = labelDistance(u, v);
      const hole = Math.hypot(u, v + 0.8) - 0.065;
      const label = cover(Math.max(outline, -hole));
      const string = v < -0.78 ? cover(stringDistance(u, v, bend) - 0.018) : 0;
      if (label === 0 && string === 0) continue;
      layer.cover[i] = 1 - (1 - label) * (1 - string);
      const ring = cover(Math.abs(hole - 0.03) - 0.03);
      const print = Math.max(
        cover(strokeDistance((u + strokes.width * (digit / 2)) / digit, (v + 0.055 + digit / 2) / digit, strokes.lines) * digit - 0.124 * digit),
        barCover(u, v, bars, px),
        v > -0.58 && v < -0.46 && Math.abs(u) < 0.34 ? cover(Math.abs(v + 0.55) - 0.018) : 0,
        v > -0.5 && v < -0.38 && Math.abs(u + 0.08) < 0.26 ? cover(Math.abs(v + 0.45) - 0.014) : 0,
      );
      // The card bends a little: a soft gradient, and a bright edge at the upper left for its thickness.
      const shade = 1 - 0.1 * (u / halfWidth) ** 2 + 0.05 * (-v - u) + 0.012 * grain[i]! + 0.012 * stains[i]!;
      const edge = Math.exp(-((outline / (1.3 * px)) ** 2)) * (u + v < 0 ? 0.12 : -0.16);
      for (let c = 0; c < 3; c++) {
        let colour = card[c]! * shade + edge;
        colour += (ink[c]! * (0.96 + 0.05 * grain[i]!) - colour) * print * 0.93;
        colour += ([0.78, 0.7, 0.5][c]! * (0.75 + 0.35 * (v < -0.8 ? 1 : 0)) - colour) * ring;
        // Twisted twine: stripes across its length.
        const twine = [0.72, 0.62, 0.46][c]! * (0.8 + 0.2 * Math.sin((u * 1.3 + v) * 150));
        colour += (twine - colour) * string;
        layer.colours[i * 3 + c] = Math.min(Math.max(colour, 0), 1);
      }
    }
  }
  return layer;
}

/** A rounded card with its two upper corners cut. */
function labelDistance(u: number, v: number): number {
  const [qx, qy] = [Math.abs(u) - halfWidth + 0.05, Math.abs(v) - 1 + 0.05];
  const box = Math.hypot(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - 0.05;
  return Math.max(box, (Math.abs(u) - v - (halfWidth + 1 - 0.3)) * Math.SQRT1_2);
}

/** A loop that leaves the hole and runs up out of sight. */
function stringDistance(u: number, v: number, bend: Float32Array): number {
  const t = -(v + 0.8);
  const sway = 0.12 * bend[0]! * Math.sin(t * 1.4 + bend[1]!) * Math.min(t, 1);
  const spread = 0.09 * Math.min(1, t * 2.2) + 0.03 * Math.sin(t * 2.1 + bend[2]!);
  return Math.min(Math.abs(u - sway - spread), Math.abs(u - sway + spread));
}

interface Strokes {
  readonly lines: readonly (readonly [number, number, number, number])[];
  /** In heights of a digit. */
  readonly width: number;
}

/** Digits as segments in a box 0.5 wide and 1 high. */
const segments: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 0.5, 0],
  [0.5, 0, 0.5, 0.5],
  [0.5, 0.5, 0.5, 1],
  [0, 1, 0.5, 1],
  [0, 0.5, 0, 1],
  [0, 0, 0, 0.5],
  [0, 0.5, 0.5, 0.5],
];
const segmentsOfDigit = ["012345", "12", "01643", "01623", "5612", "05623", "056432", "012", "0123456", "012356"];

function numberStrokes(text: string): Strokes {
  let at = 0;
  const lines: [number, number, number, number][] = [];
  for (const letter of text) {
    if (letter === ".") {
      lines.push([at + 0.02, 1, at + 0.03, 1]);
      at += 0.28;
      continue;
    }
    for (const segment of segmentsOfDigit[Number(letter)]!) {
      const [x0, y0, x1, y1] = segments[Number(segment)]!;
      lines.push([at + x0, y0, at + x1, y1]);
    }
    at += 0.78;
  }
  return { lines, width: at - 0.28 };
}

function strokeDistance(x: number, y: number, lines: Strokes["lines"]): number {
  if (y < -0.5 || y > 1.5) return 1;
  let least = 1;
  for (const [x0, y0, x1, y1] of lines) {
    const [bx, by] = [x1 - x0, y1 - y0];
    const t = Math.min(Math.max(((x - x0) * bx + (y - y0) * by) / (bx * bx + by * by), 0), 1);
    least = Math.min(least, Math.hypot(x - x0 - bx * t, y - y0 - by * t));
  }
  return least;
}

/** Edges of dark bars, from 0 to 1. */
function barcode(seed: number): readonly (readonly [number, number])[] {
  const random = uniformField(80, seed ^ 0x33);
  const bars: [number, number][] = [];
  let at = 0;
  for (let k = 0; k < 40; k++) {
    const bar = 1 + Math.floor(random[2 * k]! * 3);
    bars.push([at, at + bar]);
    at += bar + 1 + Math.floor(random[2 * k + 1]! * 3);
  }
  const end = bars.at(-1)![1];
  return bars.map(([from, to]) => [from / end, to / end]);
}

function barCover(u: number, v: number, bars: readonly (readonly [number, number])[], px: number): number {
  if (v < 0.4 || v > 0.82 || Math.abs(u) > 0.44) return 0;
  const place = (u + 0.42) / 0.84;
  const width = px / 0.84;
  let covered = 0;
  // What of the pixel lies on dark bars, so that narrow ones become grey instead of a moiré.
  for (const [from, to] of bars) covered += Math.max(0, Math.min(to, place + width / 2) - Math.max(from, place - width / 2)) / width;
  return Math.min(covered, 1) * Math.min(1, Math.max(0, Math.min(v - 0.42, 0.8 - v) / px + 0.5));
}
