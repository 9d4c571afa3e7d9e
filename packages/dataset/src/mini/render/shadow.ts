import { cross, dot, normalize, type Vector } from "../geometry/vector.js";
import type { Part } from "./scene.js";

/** One direction that light comes from, and what it is hidden by. */
export interface ShadowedLight {
  /** Towards the light. */
  readonly direction: Vector;
  /** Irradiance of a surface that faces it. */
  readonly color: Vector;
  readonly map: ShadowMap;
}

/** Heights towards the light, over a square across it that holds all parts. */
export interface ShadowMap {
  readonly size: number;
  readonly heights: Float32Array;
  readonly right: Vector;
  readonly up: Vector;
  readonly direction: Vector;
  /** Places in the square: `(p · right) * scale + offsetX`, in cells. */
  readonly scale: number;
  readonly offsetX: number;
  readonly offsetY: number;
  /** How far a surface must lie below another to be in its shadow. */
  readonly bias: number;
}

export function shadowMap(parts: readonly Part[], direction: Vector, size: number): ShadowMap {
  const right = normalize(cross(Math.abs(direction[1]) < 0.99 ? [0, 1, 0] : [1, 0, 0], direction));
  const up = cross(direction, right);
  let [lowX, highX, lowY, highY] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const projected = parts.map(({ mesh: { positions } }) => {
    const points = new Float32Array(positions.length);
    for (let index = 0; index < positions.length; index += 3) {
      const [x, y, z] = [positions[index]!, positions[index + 1]!, positions[index + 2]!];
      const a = x * right[0] + y * right[1] + z * right[2];
      const b = x * up[0] + y * up[1] + z * up[2];
      points[index] = a;
      points[index + 1] = b;
      points[index + 2] = x * direction[0] + y * direction[1] + z * direction[2];
      if (a < lowX) lowX = a;
      if (a > highX) highX = a;
      if (b < lowY) lowY = b;
      if (b > highY) highY = b;
    }
    return points;
  });
  const extent = Math.max(highX - lowX, highY - lowY, 1e-6);
  const scale = (size - 2) / extent;
  const [offsetX, offsetY] = [1 - lowX * scale, 1 - lowY * scale];
  const heights = new Float32Array(size * size).fill(Number.NEGATIVE_INFINITY);
  parts.forEach(({ mesh: { triangles }, glass }, part) => {
    if (glass) return; // lets most light through
    const points = projected[part]!;
    for (let index = 0; index < triangles.length; index += 3) {
      raise(heights, size, points, triangles[index]! * 3, triangles[index + 1]! * 3, triangles[index + 2]! * 3, scale, offsetX, offsetY);
    }
  });
  return { size, heights, right, up, direction, scale, offsetX, offsetY, bias: (2.2 * extent) / size };
}

function raise(heights: Float32Array, size: number, points: Float32Array, a: number, b: number, c: number, scale: number, offsetX: number, offsetY: number): void {
  const [ax, ay, az] = [points[a]! * scale + offsetX, points[a + 1]! * scale + offsetY, points[a + 2]!];
  const [bx, by, bz] = [points[b]! * scale + offsetX, points[b + 1]! * scale + offsetY, points[b + 2]!];
  const [cx, cy, cz] = [points[c]! * scale + offsetX, points[c + 1]! * scale + offsetY, points[c + 2]!];
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
  const right = Math.min(size - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
  const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
  const bottom = Math.min(size - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
  if (area === 0 || right < left || bottom < top) return;
  const inverse = 1 / area;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
      const shareA = ((by - cy) * dx + (cx - bx) * dy) * inverse;
      const shareB = ((cy - ay) * dx + (ax - cx) * dy) * inverse;
      const shareC = 1 - shareA - shareB;
      if (shareA < 0 || shareB < 0 || shareC < 0) continue;
      const height = shareA * az + shareB * bz + shareC * cz;
      const cell = y * size + x;
      if (height > heights[cell]!) heights[cell] = height;
    }
  }
}

/** How much of the light reaches a place, 0 to 1: the mean of four neighbouring cells, each in or out. */
export function lit({ size, heights, right, up, direction, scale, offsetX, offsetY, bias }: ShadowMap, x: number, y: number, z: number): number {
  const u = (x * right[0] + y * right[1] + z * right[2]) * scale + offsetX - 0.5;
  const v = (x * up[0] + y * up[1] + z * up[2]) * scale + offsetY - 0.5;
  const [column, row] = [Math.floor(u), Math.floor(v)];
  if (column < 0 || row < 0 || column >= size - 1 || row >= size - 1) return 1;
  const height = x * direction[0] + y * direction[1] + z * direction[2] + bias;
  const cell = row * size + column;
  const [fu, fv] = [u - column, v - row];
  const near = (heights[cell]! <= height ? 1 - fu : 0) + (heights[cell + 1]! <= height ? fu : 0);
  const far = (heights[cell + size]! <= height ? 1 - fu : 0) + (heights[cell + size + 1]! <= height ? fu : 0);
  return near * (1 - fv) + far * fv;
}

/** Directions over a disc around `direction`, evenly spread (Vogel's spiral). */
export function discDirections(direction: Vector, radius: number, count: number): Vector[] {
  const right = normalize(cross(Math.abs(direction[1]) < 0.99 ? [0, 1, 0] : [1, 0, 0], direction));
  const up = cross(direction, right);
  return Array.from({ length: count }, (_, index) => {
    const [distance, angle] = [radius * Math.sqrt((index + 0.5) / count), index * 2.399963];
    const [a, b] = [distance * Math.cos(angle), distance * Math.sin(angle)];
    return normalize([direction[0] + a * right[0] + b * up[0], direction[1] + a * right[1] + b * up[1], direction[2] + a * right[2] + b * up[2]]);
  });
}

/** Directions over the upper hemisphere, each for the same share of the light that falls on the ground (cosine-weighted, Vogel's spiral). */
export function skyDirections(count: number): Vector[] {
  return Array.from({ length: count }, (_, index) => {
    const distance = Math.sqrt((index + 0.5) / count) * 0.97;
    const angle = index * 2.399963 + 0.7;
    const x = distance * Math.cos(angle);
    const z = distance * Math.sin(angle);
    return [x, Math.sqrt(Math.max(0, 1 - x * x - z * z)), z];
  });
}

export function facing(normal: Vector, direction: Vector): number {
  return Math.max(0, dot(normal, direction));
}
