import { cross, normalize, type Vector } from "../geometry/vector.js";
import type { Part } from "./scene.js";

/**
 * Directions that light comes from, each with a map of heights towards it that says what hides it: a square across the direction that
 * holds all parts. Kept in flat arrays, since every shaded place asks all of them.
 */
export interface ShadowedLights {
  readonly count: number;
  /** Cells along a map's side. */
  readonly size: number;
  /** `[L, size, size]` */
  readonly heights: Float32Array;
  /** `[L, 16]`: direction, irradiance of a surface that faces it, the map's axes (in cells) and origin, and its bias. */
  readonly lights: Float64Array;
}

/** Values of one light in `ShadowedLights.lights`. */
export const lightStride = 16;

export interface LightSample {
  /** Towards the light. */
  readonly direction: Vector;
  /** Irradiance of a surface that faces it. */
  readonly color: Vector;
}

/** Draws the maps: `size` cells along a side. Glass casts no shadow, since it lets most light through. */
export function shadowedLights(parts: readonly Part[], samples: readonly LightSample[], size: number): ShadowedLights {
  const casting = parts.filter(({ glass }) => !glass);
  const heights = new Float32Array(samples.length * size * size).fill(Number.NEGATIVE_INFINITY);
  const lights = new Float64Array(samples.length * lightStride);
  const points = casting.map(({ mesh }) => new Float64Array(mesh.positions.length));
  samples.forEach(({ direction, color }, index) => {
    const right = normalize(cross(Math.abs(direction[1]) < 0.99 ? [0, 1, 0] : [1, 0, 0], direction));
    const up = cross(direction, right);
    const box = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    casting.forEach(({ mesh }, part) => {
      along(mesh.positions, right, up, direction, points[part]!, box);
    });
    const [lowX, highX, lowY, highY] = box as [number, number, number, number];
    const extent = Math.max(highX - lowX, highY - lowY, 1e-6);
    const scale = (size - 2) / extent;
    const [originX, originY] = [1 - lowX * scale, 1 - lowY * scale];
    const map = heights.subarray(index * size * size, (index + 1) * size * size);
    casting.forEach(({ mesh }, part) => {
      raise(map, size, points[part]!, mesh.triangles, scale, originX, originY);
    });
    const axes = [right[0] * scale, right[1] * scale, right[2] * scale, up[0] * scale, up[1] * scale, up[2] * scale];
    lights.set([...direction, ...color, ...axes, originX - 0.5, originY - 0.5, (2.2 * extent) / size], index * lightStride);
  });
  return { count: samples.length, size, heights, lights };
}

/** Places in the axes of a map; `box` grows to hold them. */
function along(positions: Float32Array, right: Vector, up: Vector, direction: Vector, points: Float64Array, box: number[]): void {
  const [rx, ry, rz] = right;
  const [ux, uy, uz] = up;
  const [dx, dy, dz] = direction;
  let lowX = box[0]!;
  let highX = box[1]!;
  let lowY = box[2]!;
  let highY = box[3]!;
  for (let index = 0; index < positions.length; index += 3) {
    const x = positions[index]!;
    const y = positions[index + 1]!;
    const z = positions[index + 2]!;
    const a = x * rx + y * ry + z * rz;
    const b = x * ux + y * uy + z * uz;
    points[index] = a;
    points[index + 1] = b;
    points[index + 2] = x * dx + y * dy + z * dz;
    if (a < lowX) lowX = a;
    if (a > highX) highX = a;
    if (b < lowY) lowY = b;
    if (b > highY) highY = b;
  }
  box[0] = lowX;
  box[1] = highX;
  box[2] = lowY;
  box[3] = highY;
}

/** Raises the cells under each triangle to it. */
function raise(map: Float32Array, size: number, points: Float64Array, triangles: Uint32Array, scale: number, originX: number, originY: number): void {
  for (let index = 0; index < triangles.length; index += 3) {
    const a = triangles[index]! * 3;
    const b = triangles[index + 1]! * 3;
    const c = triangles[index + 2]! * 3;
    const ax = points[a]! * scale + originX;
    const bx = points[b]! * scale + originX;
    const cx = points[c]! * scale + originX;
    const left = Math.ceil((ax < bx ? Math.min(ax, cx) : Math.min(bx, cx)) - 0.5);
    const right = Math.floor((ax > bx ? Math.max(ax, cx) : Math.max(bx, cx)) - 0.5);
    if (right < left) continue; // between the middles of cells
    const ay = points[a + 1]! * scale + originY;
    const by = points[b + 1]! * scale + originY;
    const cy = points[c + 1]! * scale + originY;
    const top = Math.ceil((ay < by ? Math.min(ay, cy) : Math.min(by, cy)) - 0.5);
    const bottom = Math.floor((ay > by ? Math.max(ay, cy) : Math.max(by, cy)) - 0.5);
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (bottom < top || area === 0) continue;
    const az = points[a + 2]!;
    const bz = points[b + 2]!;
    const cz = points[c + 2]!;
    const inverse = 1 / area;
    const stepA = (by - cy) * inverse;
    const stepB = (cy - ay) * inverse;
    for (let y = top; y <= bottom; y++) {
      const dx = left + 0.5 - cx;
      const dy = y + 0.5 - cy;
      let shareA = stepA * dx + (cx - bx) * inverse * dy;
      let shareB = stepB * dx + (ax - cx) * inverse * dy;
      for (let x = left; x <= right; x++) {
        const shareC = 1 - shareA - shareB;
        if (shareA >= 0 && shareB >= 0 && shareC >= 0) {
          const height = shareA * az + shareB * bz + shareC * cz;
          const cell = y * size + x;
          if (height > map[cell]!) map[cell] = height;
        }
        shareA += stepA;
        shareB += stepB;
      }
    }
  }
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
