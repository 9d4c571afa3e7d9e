import type { Camera } from "./camera.js";
import type { Part } from "./scene.js";

/** Triangles of all parts on the picture: `[T, 3]` corners, each `x`, `y` in samples and the reciprocal of its depth. */
export interface Projected {
  readonly corners: Float32Array;
  /** Which part each triangle belongs to. */
  readonly parts: Uint16Array;
  /** The triangle's number in its part's mesh. */
  readonly faces: Uint32Array;
}

/** Which triangle each sample sees. */
export interface Visibility {
  readonly width: number;
  readonly height: number;
  /** Number of the triangle, or -1. */
  readonly triangles: Int32Array;
  /** The reciprocal of the depth along the line of sight; 0 where there is nothing. */
  readonly nearness: Float32Array;
}

/**
 * @param samples per pixel and axis
 * @param mirrored seen in the ground: as if y were turned over
 */
export function project(parts: readonly Part[], view: Camera, samples: number, mirrored = false): Projected {
  const total = parts.reduce((sum, { mesh }) => sum + mesh.triangles.length / 3, 0);
  const corners = new Float32Array(total * 9);
  const owners = new Uint16Array(total);
  const faces = new Uint32Array(total);
  const { right, down, forward } = view;
  const [px, py, pz] = view.pose.position;
  const [focal, centerX, centerY] = [view.focal * samples, (view.width * samples) / 2, (view.height * samples) / 2];
  let next = 0;
  parts.forEach(({ mesh }, part) => {
    const { positions, triangles } = mesh;
    const points = new Float32Array(positions.length);
    for (let index = 0; index < positions.length; index += 3) {
      const x = positions[index]! - px;
      const y = (mirrored ? -positions[index + 1]! : positions[index + 1]!) - py;
      const z = positions[index + 2]! - pz;
      const depth = x * forward[0] + y * forward[1] + z * forward[2];
      const nearness = depth > 1e-3 ? 1 / depth : 0;
      points[index] = centerX + focal * nearness * (x * right[0] + y * right[1] + z * right[2]);
      points[index + 1] = centerY + focal * nearness * (x * down[0] + y * down[1] + z * down[2]);
      points[index + 2] = nearness;
    }
    for (let index = 0; index < triangles.length; index += 3) {
      const a = triangles[index]! * 3;
      const b = triangles[index + 1]! * 3;
      const c = triangles[index + 2]! * 3;
      // Nothing is ever as near as the camera: such a triangle is left out whole.
      if (points[a + 2] === 0 || points[b + 2] === 0 || points[c + 2] === 0) continue;
      for (let axis = 0; axis < 3; axis++) {
        corners[next * 9 + axis] = points[a + axis]!;
        corners[next * 9 + 3 + axis] = points[b + axis]!;
        corners[next * 9 + 6 + axis] = points[c + axis]!;
      }
      owners[next] = part;
      faces[next++] = index / 3;
    }
  });
  return { corners: corners.subarray(0, next * 9), parts: owners.subarray(0, next), faces: faces.subarray(0, next) };
}

/** The nearest triangle at every sample; both sides of triangles count. `wanted` leaves parts out. */
export function rasterise({ corners, parts }: Projected, width: number, height: number, wanted: (part: number) => boolean): Visibility {
  const triangles = new Int32Array(width * height).fill(-1);
  const nearness = new Float32Array(width * height);
  for (let triangle = 0; triangle < parts.length; triangle++) {
    if (!wanted(parts[triangle]!)) continue;
    const at = triangle * 9;
    const ax = corners[at]!;
    const ay = corners[at + 1]!;
    const az = corners[at + 2]!;
    const bx = corners[at + 3]!;
    const by = corners[at + 4]!;
    const bz = corners[at + 5]!;
    const cx = corners[at + 6]!;
    const cy = corners[at + 7]!;
    const cz = corners[at + 8]!;
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area === 0) continue;
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    // Shares of a and b at a sample, linear over the picture; so is the reciprocal of the depth.
    const inverse = 1 / area;
    const stepAX = (by - cy) * inverse;
    const stepAY = (cx - bx) * inverse;
    const stepBX = (cy - ay) * inverse;
    const stepBY = (ax - cx) * inverse;
    for (let y = top; y <= bottom; y++) {
      const dx = left + 0.5 - cx;
      const dy = y + 0.5 - cy;
      let shareA = stepAX * dx + stepAY * dy;
      let shareB = stepBX * dx + stepBY * dy;
      for (let x = left, pixel = y * width + left; x <= right; x++, pixel++) {
        const shareC = 1 - shareA - shareB;
        if (shareA >= 0 && shareB >= 0 && shareC >= 0) {
          const near = shareA * az + shareB * bz + shareC * cz;
          if (near > nearness[pixel]!) {
            nearness[pixel] = near;
            triangles[pixel] = triangle;
          }
        }
        shareA += stepAX;
        shareB += stepBX;
      }
    }
  }
  return { width, height, triangles, nearness };
}
