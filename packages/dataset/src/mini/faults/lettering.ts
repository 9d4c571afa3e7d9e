import type { Random } from "../random.js";
import { textSegments } from "../texture/font.js";
import { addStroke, type Stencil } from "./layer.js";

/** How letters look. Lengths in heights of a capital. */
export interface Face {
  /** Width of the strokes. */
  readonly weight: number;
  readonly slant: number;
  readonly stretch: number;
  readonly spacing: number;
  readonly ends: "round" | "square";
  /** Half length of the bars at the feet and heads of strokes; 0 for none. */
  readonly serif: number;
}

const faces: readonly Face[] = [
  { weight: 0.09, slant: 0, stretch: 1, spacing: 0.3, ends: "round", serif: 0 },
  { weight: 0.14, slant: 0, stretch: 0.95, spacing: 0.28, ends: "square", serif: 0 },
  { weight: 0.21, slant: 0, stretch: 0.95, spacing: 0.33, ends: "square", serif: 0 },
  { weight: 0.27, slant: 0, stretch: 1.15, spacing: 0.4, ends: "round", serif: 0 },
  { weight: 0.13, slant: 0.22, stretch: 0.95, spacing: 0.27, ends: "round", serif: 0 },
  { weight: 0.2, slant: 0.16, stretch: 0.85, spacing: 0.32, ends: "square", serif: 0 },
  { weight: 0.13, slant: 0, stretch: 0.62, spacing: 0.22, ends: "square", serif: 0 },
  { weight: 0.12, slant: 0, stretch: 1.35, spacing: 0.45, ends: "round", serif: 0 },
  { weight: 0.11, slant: 0, stretch: 1, spacing: 0.38, ends: "square", serif: 0.11 },
  { weight: 0.17, slant: 0, stretch: 0.9, spacing: 0.4, ends: "square", serif: 0.13 },
  { weight: 0.1, slant: 0.2, stretch: 0.9, spacing: 0.34, ends: "round", serif: 0.08 },
];

export function anyFace(random: Random): Face {
  const face = random.pick(faces);
  return { ...face, weight: face.weight * random.between(0.9, 1.1), stretch: face.stretch * random.between(0.92, 1.08) };
}

export interface Lettering {
  readonly text: string;
  /** The middle of the text, px. */
  readonly x: number;
  readonly y: number;
  /** Height of a capital, px. */
  readonly size: number;
  readonly face: Face;
  /** Turned anticlockwise. Default 0. */
  readonly degrees?: number;
  /** Wider strokes by this much, px: for outlines. Default 0. */
  readonly spread?: number;
}

/** Width of a text, px. */
export function textWidth(text: string, size: number, { slant, stretch, spacing, weight }: Face): number {
  return (textSegments(text, { slant, stretch, spacing }).width + weight) * size;
}

export function addText(target: Stencil, { text, x, y, size, face, degrees = 0, spread = 0 }: Lettering): void {
  const { slant, stretch, spacing, weight, ends, serif } = face;
  const { segments, width } = textSegments(text, { slant, stretch, spacing });
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const at = (px: number, py: number): readonly [number, number] => {
    const [across, up] = [(px - width / 2) * size, (py - 0.5) * size];
    return [x + across * cos - up * sin, y - across * sin - up * cos];
  };
  const pen = Math.max(weight * size, 0.7) + 2 * spread;
  for (const [x0, y0, x1, y1] of segments) {
    addStroke(target, ...at(x0, y0), ...at(x1, y1), pen, ends);
    if (serif === 0 || Math.abs(y1 - y0) < 0.3) continue;
    for (const [px, py] of [
      [x0, y0],
      [x1, y1],
    ] as const) {
      if (py < 0.02 || py > 0.98)
        addStroke(target, ...at(px - serif, py), ...at(px + serif, py), Math.max(0.6 * weight * size, 0.7) + 2 * spread, ends);
    }
  }
}
