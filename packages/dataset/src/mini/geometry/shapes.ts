import earcut from "earcut";
import { gridMesh, type Mesh, merged, withNormals } from "./mesh.js";
import { add, cross, normalize, scale, subtract, type Vector } from "./vector.js";

/** Radius and height, from the bottom up; `sharp` makes an edge of that place. */
export type ProfilePoint = readonly [radius: number, height: number, edge?: "sharp"];

/** A body of revolution about the y axis. u runs once around, from the back; v up along the profile by its length. */
export function lathe(
  profile: readonly ProfilePoint[],
  { segments = 28, depth = 1 }: { readonly segments?: number; readonly depth?: number } = {},
): Mesh {
  const lengths = profile.map(([radius, height], index) =>
    index === 0 ? 0 : Math.hypot(radius - profile[index - 1]![0], height - profile[index - 1]![1]),
  );
  const total = lengths.reduce((sum, value) => sum + value, 0);
  const pieces: ProfilePoint[][] = [[]];
  for (const [index, point] of profile.entries()) {
    pieces.at(-1)!.push(point);
    if (point[2] === "sharp" && index > 0 && index < profile.length - 1) pieces.push([point]);
  }
  let along = 0;
  return merged(
    pieces.map((piece) => {
      const heights = [along];
      for (let index = 1; index < piece.length; index++)
        heights.push(heights[index - 1]! + Math.hypot(piece[index]![0] - piece[index - 1]![0], piece[index]![1] - piece[index - 1]![1]) / total);
      along = heights.at(-1)!;
      return gridMesh(segments, piece.length - 1, (u, v) => {
        const index = Math.round(v * (piece.length - 1));
        const [radius, height] = piece[index]!;
        const [before, after] = [piece[Math.max(0, index - 1)]!, piece[Math.min(piece.length - 1, index + 1)]!];
        const [dr, dh] = [after[0] - before[0], after[1] - before[1]];
        const angle = -2 * Math.PI * u - Math.PI / 2;
        const [x, z] = [Math.cos(angle), Math.sin(angle)];
        return {
          position: [radius * x, height, radius * z * depth],
          normal: normalize([dh * x * depth, -dr * depth, dh * z]),
          uv: [u, heights[index]!],
        };
      });
    }),
  );
}

/** More points on a profile, on a smooth curve through the given ones (centripetal in effect, since edges split it). */
export function smoothProfile(points: readonly ProfilePoint[], perSpan = 4): ProfilePoint[] {
  const out: ProfilePoint[] = [];
  for (let index = 0; index < points.length - 1; index++) {
    const [a, b] = [points[index]!, points[index + 1]!];
    const before = index === 0 || a[2] === "sharp" ? a : points[index - 1]!;
    const after = index + 2 >= points.length || b[2] === "sharp" ? b : points[index + 2]!;
    out.push(a);
    for (let step = 1; step < perSpan; step++) {
      const t = step / perSpan;
      const at = (axis: 0 | 1) => catmullRom(before[axis], a[axis], b[axis], after[axis], t);
      out.push([Math.max(0, at(0)), at(1)]);
    }
  }
  out.push(points.at(-1)!);
  return out;
}

function catmullRom(a: number, b: number, c: number, d: number, t: number): number {
  return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t);
}

/** A tube along a path. Its ends are closed unless the path is. */
export function tube(
  path: readonly Vector[],
  radius: number | ((along: number) => number),
  { sides = 8, closed = false, flat = 1 }: { readonly sides?: number; readonly closed?: boolean; readonly flat?: number } = {},
): Mesh {
  const radiusAt = typeof radius === "number" ? () => radius : radius;
  const count = path.length;
  const tangent = (index: number): Vector =>
    closed
      ? normalize(subtract(path[(index + 1) % count]!, path[(index - 1 + count) % count]!))
      : normalize(subtract(path[Math.min(count - 1, index + 1)]!, path[Math.max(0, index - 1)]!));
  // A frame that is carried along without turning about the path.
  const first = tangent(0);
  let side = normalize(cross(first, Math.abs(first[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]));
  const frames = Array.from({ length: closed ? count + 1 : count }, (_, index) => {
    const along = tangent(index % count);
    side = normalize(subtract(side, scale(along, side[0] * along[0] + side[1] * along[1] + side[2] * along[2])));
    return { center: path[index % count]!, side, up: cross(along, side) };
  });
  const ring = (index: number, u: number, size: number) => {
    const { center, side: s, up } = frames[index]!;
    const [c, n] = [Math.cos(2 * Math.PI * u), Math.sin(2 * Math.PI * u)];
    const out = add(scale(s, c), scale(up, n * flat));
    return { position: add(center, scale(out, size)), normal: normalize(add(scale(s, c), scale(up, n / flat))) };
  };
  const last = frames.length - 1;
  const body = gridMesh(sides, last, (u, v) => ring(Math.round(v * last), u, radiusAt(v)));
  if (closed) return body;
  const cap = (index: number, outward: number): Mesh => {
    const { center } = frames[index]!;
    const normal = scale(tangent(index), outward);
    // Wound so that it faces outward.
    return gridMesh(sides, 1, (u, v) => ({
      position: (outward > 0 ? v === 1 : v === 0) ? center : ring(index, u, radiusAt(index / last)).position,
      normal,
    }));
  };
  return merged([body, cap(0, -1), cap(last, 1)]);
}

/** A box with rounded edges, centred in x and z, standing on y = 0. u and v run over each face. */
export function roundedBox([width, height, depth]: Vector, radius: number, steps = 3): Mesh {
  const r = Math.min(radius, width / 2, height / 2, depth / 2);
  const inner: Vector = [width / 2 - r, height / 2 - r, depth / 2 - r];
  const faces: readonly (readonly [Vector, Vector, Vector])[] = [
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    [
      [-1, 0, 0],
      [0, 1, 0],
      [0, 0, -1],
    ],
    [
      [0, 0, -1],
      [0, 1, 0],
      [1, 0, 0],
    ],
    [
      [0, 0, 1],
      [0, 1, 0],
      [-1, 0, 0],
    ],
    [
      [1, 0, 0],
      [0, 0, -1],
      [0, 1, 0],
    ],
    [
      [1, 0, 0],
      [0, 0, 1],
      [0, -1, 0],
    ],
  ];
  // Places along a side: the rounding at either end, in equal angles.
  const side = (half: number, at: number): readonly [flat: number, angle: number] =>
    at <= steps ? [-half, (-Math.PI / 4) * (1 - at / steps)] : [half, (Math.PI / 4) * ((at - steps - 1) / steps)];
  const count = 2 * steps + 1;
  return merged(
    faces.map(([right, up, out]) => {
      const half = (axis: Vector) => Math.abs(axis[0]) * inner[0] + Math.abs(axis[1]) * inner[1] + Math.abs(axis[2]) * inner[2];
      const [halfRight, halfUp, halfOut] = [half(right), half(up), half(out)];
      return gridMesh(count, count, (u, v) => {
        const [x, angleX] = side(halfRight, Math.round(u * count));
        const [y, angleY] = side(halfUp, Math.round((1 - v) * count));
        const normal = normalize(add(add(scale(right, Math.tan(angleX)), scale(up, Math.tan(angleY))), out));
        const core = add(add(scale(right, x), scale(up, y)), scale(out, halfOut));
        const position = add(add(core, scale(normal, r)), [0, height / 2, 0]);
        return {
          position,
          normal,
          uv: [
            (x + normal[0] * 0 + halfRight + r * (1 + Math.tan(angleX))) / (2 * (halfRight + r)),
            (y + halfUp + r * (1 + Math.tan(angleY))) / (2 * (halfUp + r)),
          ],
        };
      });
    }),
  );
}

export type Point = readonly [x: number, y: number];

/** An outline in the x-y plane, given a thickness in z, its rims slightly rounded so that they catch light. Outlines run counter-clockwise. */
export function extrude(outline: readonly Point[], thickness: number, bevel = 0.01): Mesh {
  const flat = outline.flat();
  const indices = earcut(flat);
  const center = outline.reduce(([x, y], point) => [x + point[0] / outline.length, y + point[1] / outline.length] as [number, number], [0, 0]);
  const inset = ([x, y]: Point): Point => {
    const [dx, dy] = [x - center[0], y - center[1]];
    const size = Math.hypot(dx, dy);
    const factor = size === 0 ? 1 : Math.max(0, 1 - bevel / size);
    return [center[0] + dx * factor, center[1] + dy * factor];
  };
  const [minX, maxX] = [Math.min(...outline.map(([x]) => x)), Math.max(...outline.map(([x]) => x))];
  const [minY, maxY] = [Math.min(...outline.map(([, y]) => y)), Math.max(...outline.map(([, y]) => y))];
  const face = (z: number, direction: 1 | -1): Mesh => {
    const positions = new Float32Array(outline.flatMap((point) => [...inset(point), z]));
    const uvs = new Float32Array(outline.flatMap(([x, y]) => [(x - minX) / (maxX - minX), (y - minY) / (maxY - minY)]));
    const normals = new Float32Array(outline.flatMap(() => [0, 0, direction]));
    const triangles = new Uint32Array(indices);
    if (direction < 0) triangles.reverse();
    return { positions, normals, uvs, triangles };
  };
  const count = outline.length;
  const half = thickness / 2;
  const outlineNormal = (index: number): Point => {
    const [a, b] = [outline[(index - 1 + count) % count]!, outline[(index + 1) % count]!];
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    const size = Math.hypot(dx, dy);
    return size === 0 ? [0, 0] : [dy / size, -dx / size];
  };
  const rim = gridMesh(count, 3, (u, v) => {
    const index = Math.round(u * count) % count;
    const step = Math.round(v * 3);
    const [x, y] = step === 0 || step === 3 ? inset(outline[index]!) : outline[index]!;
    const z = [half, half - bevel, bevel - half, -half][step]!;
    const [nx, ny] = outlineNormal(index);
    const lean = [0.7, 0.2, -0.2, -0.7][step]!;
    const [tu, tv] = [(x - minX) / (maxX - minX), (y - minY) / (maxY - minY)];
    return { position: [x, y, z], normal: normalize([nx, ny, lean]), uv: [tu, tv] };
  });
  return merged([face(half, 1), face(-half, -1), rim]);
}

/** Points of a closed smooth curve through the given ones. */
export function smoothOutline(points: readonly Point[], perSpan = 4): Point[] {
  const count = points.length;
  return points.flatMap((b, index) => {
    const [a, c, d] = [points[(index - 1 + count) % count]!, points[(index + 1) % count]!, points[(index + 2) % count]!];
    return Array.from({ length: perSpan }, (_, step): Point => {
      const t = step / perSpan;
      return [catmullRom(a[0], b[0], c[0], d[0], t), catmullRom(a[1], b[1], c[1], d[1], t)];
    });
  });
}

/** An ellipsoid around the origin. */
export function ellipsoid([x, y, z]: Vector, { columns = 24, rows = 14 }: { readonly columns?: number; readonly rows?: number } = {}): Mesh {
  return gridMesh(columns, rows, (u, v) => {
    const [angle, height] = [-2 * Math.PI * u - Math.PI / 2, Math.PI * (v - 0.5)];
    const [nx, ny, nz] = [Math.cos(height) * Math.cos(angle), Math.sin(height), Math.cos(height) * Math.sin(angle)];
    return { position: [nx * x, ny * y, nz * z], normal: normalize([nx / x, ny / y, nz / z]) };
  });
}

/** A surface with two sides, from a function of (u, v). */
export function sheet(columns: number, rows: number, at: (u: number, v: number) => Vector): Mesh {
  return withNormals(gridMesh(columns, rows, (u, v) => ({ position: at(u, v), normal: [0, 1, 0] })));
}

/** Places on a circle or a part of one: from angle `from` to `to`, in the plane of two directions. */
export function arc(center: Vector, right: Vector, up: Vector, from: number, to: number, steps: number): Vector[] {
  return Array.from({ length: steps + 1 }, (_, index) => {
    const angle = from + ((to - from) * index) / steps;
    return add(center, add(scale(right, Math.cos(angle)), scale(up, Math.sin(angle))));
  });
}
