import type { Color } from "./color.js";
import { textSegments } from "./font.js";
import type { Pattern } from "./materials.js";

/** A small picture to draw labels on, in linear light; places run from 0 to `width` and `height`, y up. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** `[H, W, 3]`, the lowest row first. */
  readonly data: Float32Array;
}

export function canvas(width: number, height: number, color: Color): Canvas {
  const data = new Float32Array(width * height * 3);
  for (let index = 0; index < data.length; index++) data[index] = color[index % 3]!;
  return { width, height, data };
}

/** Fills where `distance` is below 0, softly over one cell: a signed distance in cells. */
function fill(
  { width, height, data }: Canvas,
  color: Color,
  box: readonly [left: number, bottom: number, right: number, top: number],
  distance: (x: number, y: number) => number,
): void {
  const [left, bottom] = [Math.max(0, Math.floor(box[0] - 1)), Math.max(0, Math.floor(box[1] - 1))];
  const [right, top] = [Math.min(width - 1, Math.ceil(box[2] + 1)), Math.min(height - 1, Math.ceil(box[3] + 1))];
  for (let y = bottom; y <= top; y++) {
    for (let x = left; x <= right; x++) {
      const share = Math.min(1, Math.max(0, 0.5 - distance(x + 0.5, y + 0.5)));
      if (share === 0) continue;
      const index = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++) data[index + channel] = data[index + channel]! * (1 - share) + color[channel]! * share;
    }
  }
}

export function rectangle(target: Canvas, color: Color, left: number, bottom: number, right: number, top: number): void {
  fill(target, color, [left, bottom, right, top], (x, y) => Math.max(left - x, x - right, bottom - y, y - top));
}

export function disc(target: Canvas, color: Color, x: number, y: number, radius: number, ring?: number): void {
  fill(target, color, [x - radius, y - radius, x + radius, y + radius], (px, py) => {
    const away = Math.hypot(px - x, py - y) - radius;
    return ring === undefined ? away : Math.max(away, -away - ring);
  });
}

/** Corners in order, either way round; the outline may turn in on itself. */
export function polygon(target: Canvas, color: Color, points: readonly (readonly [number, number])[]): void {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  fill(target, color, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], (x, y) => {
    let [nearest, inside] = [Number.POSITIVE_INFINITY, false];
    points.forEach(([ax, ay], index) => {
      const [bx, by] = points[(index + 1) % points.length]!;
      nearest = Math.min(nearest, toSegment(x, y, ax, ay, bx, by));
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    });
    return inside ? -nearest : nearest;
  });
}

export function line(target: Canvas, color: Color, x0: number, y0: number, x1: number, y1: number, weight: number): void {
  const half = weight / 2;
  fill(
    target,
    color,
    [Math.min(x0, x1) - half, Math.min(y0, y1) - half, Math.max(x0, x1) + half, Math.max(y0, y1) + half],
    (x, y) => toSegment(x, y, x0, y0, x1, y1) - half,
  );
}

export interface TextStyle {
  readonly color: Color;
  /** Height of the capitals, in cells; made smaller where the text is wider than `width`. */
  readonly size: number;
  /** Width of the strokes as a share of the size. Default 0.14. */
  readonly weight?: number;
  readonly slant?: number;
  readonly stretch?: number;
  readonly spacing?: number;
}

/** Draws a text centred on a place, no wider than `width`. */
export function text(target: Canvas, content: string, x: number, y: number, width: number, { color, size, weight = 0.14, ...face }: TextStyle): void {
  const { segments, width: natural } = textSegments(content, face);
  const scale = Math.min(size, width / natural);
  for (const [x0, y0, x1, y1] of segments) {
    const at = (px: number, py: number): [number, number] => [x + (px - natural / 2) * scale, y + (py - 0.5) * scale];
    line(target, color, ...at(x0, y0), ...at(x1, y1), weight * scale);
  }
}

function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const t = squared === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / squared));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** The canvas over (0, 0) to (1, 1), blended between cells. */
export function patternOf({ width, height, data }: Canvas): Pattern {
  return (u, v) => {
    const x = Math.min(width - 1.001, Math.max(0, u * width - 0.5));
    const y = Math.min(height - 1.001, Math.max(0, v * height - 0.5));
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - column, y - row];
    const at = (row * width + column) * 3;
    const up = at + width * 3;
    const blend = (channel: number) =>
      (data[at + channel]! * (1 - fx) + data[at + 3 + channel]! * fx) * (1 - fy) +
      (data[up + channel]! * (1 - fx) + data[up + 3 + channel]! * fx) * fy;
    return [blend(0), blend(1), blend(2)];
  };
}
