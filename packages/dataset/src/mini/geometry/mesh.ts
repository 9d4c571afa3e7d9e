import type { Vector } from "./vector.js";

/** Triangles with what shading needs at their corners. y is up; a product stands on y = 0 and faces +z. */
export interface Mesh {
  /** `[V, 3]` */
  readonly positions: Float32Array;
  /** `[V, 3]`, of length 1. */
  readonly normals: Float32Array;
  /** `[V, 2]`, 0 to 1 over the surface. */
  readonly uvs: Float32Array;
  /** `[T, 3]` */
  readonly triangles: Uint32Array;
}

/** Rows and columns of places on a surface, joined to triangles. Normals are those of the surface, given or found from its neighbours. */
export function gridMesh(
  columns: number,
  rows: number,
  at: (u: number, v: number) => { readonly position: Vector; readonly normal?: Vector; readonly uv?: readonly [number, number] },
): Mesh {
  const count = (columns + 1) * (rows + 1);
  const [positions, normals, uvs] = [new Float32Array(count * 3), new Float32Array(count * 3), new Float32Array(count * 2)];
  let given = true;
  for (let row = 0, vertex = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++, vertex++) {
      const [u, v] = [column / columns, row / rows];
      const { position, normal, uv = [u, v] } = at(u, v);
      positions.set(position, vertex * 3);
      uvs.set(uv, vertex * 2);
      if (normal) normals.set(normal, vertex * 3);
      else given = false;
    }
  }
  const triangles = new Uint32Array(columns * rows * 6);
  for (let row = 0, next = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [a, b] = [row * (columns + 1) + column, (row + 1) * (columns + 1) + column];
      triangles.set([a, b, a + 1, a + 1, b, b + 1], next);
      next += 6;
    }
  }
  const mesh = { positions, normals, uvs, triangles };
  return given ? mesh : withNormals(mesh);
}

/** Normals as the mean of the faces around each place; places that coincide are one. */
export function withNormals(mesh: Mesh): Mesh {
  const { positions, triangles } = mesh;
  const sums = new Map<string, [number, number, number]>();
  const key = (vertex: number) =>
    `${Math.round(positions[vertex * 3]! * 1e4)},${Math.round(positions[vertex * 3 + 1]! * 1e4)},${Math.round(positions[vertex * 3 + 2]! * 1e4)}`;
  const keys = Array.from({ length: positions.length / 3 }, (_, vertex) => key(vertex));
  for (let index = 0; index < triangles.length; index += 3) {
    const corners = [triangles[index]!, triangles[index + 1]!, triangles[index + 2]!] as const;
    const normal = faceNormal(positions, ...corners);
    for (const corner of corners) {
      const sum = sums.get(keys[corner]!);
      if (!sum) sums.set(keys[corner]!, [...normal]);
      else for (let axis = 0; axis < 3; axis++) sum[axis]! += normal[axis]!;
    }
  }
  const normals = new Float32Array(positions.length);
  keys.forEach((name, vertex) => {
    const [x, y, z] = sums.get(name) ?? [0, 1, 0];
    const size = Math.hypot(x, y, z);
    normals.set(size === 0 ? [0, 1, 0] : [x / size, y / size, z / size], vertex * 3);
  });
  return { ...mesh, normals };
}

/** Twice the area of the triangle, along its normal. */
function faceNormal(positions: Float32Array, a: number, b: number, c: number): [number, number, number] {
  const [ax, ay, az] = [positions[a * 3]!, positions[a * 3 + 1]!, positions[a * 3 + 2]!];
  const [ux, uy, uz] = [positions[b * 3]! - ax, positions[b * 3 + 1]! - ay, positions[b * 3 + 2]! - az];
  const [vx, vy, vz] = [positions[c * 3]! - ax, positions[c * 3 + 1]! - ay, positions[c * 3 + 2]! - az];
  return [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
}

/** Every vertex by a function of its own; normals are found again. */
export function deformed(mesh: Mesh, move: (x: number, y: number, z: number) => Vector): Mesh {
  const positions = new Float32Array(mesh.positions.length);
  for (let index = 0; index < positions.length; index += 3) {
    positions.set(move(mesh.positions[index]!, mesh.positions[index + 1]!, mesh.positions[index + 2]!), index);
  }
  return withNormals({ ...mesh, positions });
}

/** Three columns of a rotation (and uniform scale), and where the origin goes. */
export interface Placement {
  readonly move?: Vector;
  /** In radians, about x, then y, then z. */
  readonly turn?: Vector;
  readonly scale?: number | Vector;
}

export function placed(mesh: Mesh, { move = [0, 0, 0], turn = [0, 0, 0], scale = 1 }: Placement): Mesh {
  const [sx, sy, sz] = typeof scale === "number" ? [scale, scale, scale] : scale;
  const rotate = rotation(turn);
  const positions = new Float32Array(mesh.positions.length);
  const normals = new Float32Array(mesh.normals.length);
  for (let index = 0; index < positions.length; index += 3) {
    const [x, y, z] = rotate(mesh.positions[index]! * sx, mesh.positions[index + 1]! * sy, mesh.positions[index + 2]! * sz);
    positions[index] = x + move[0];
    positions[index + 1] = y + move[1];
    positions[index + 2] = z + move[2];
    // Normals shrink where the surface is stretched.
    const [nx, ny, nz] = rotate(mesh.normals[index]! / sx, mesh.normals[index + 1]! / sy, mesh.normals[index + 2]! / sz);
    const size = Math.hypot(nx, ny, nz);
    normals[index] = nx / size;
    normals[index + 1] = ny / size;
    normals[index + 2] = nz / size;
  }
  return { ...mesh, positions, normals };
}

function rotation([a, b, c]: Vector): (x: number, y: number, z: number) => Vector {
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)];
  return (x, y, z) => {
    const [y1, z1] = [y * ca - z * sa, y * sa + z * ca];
    const [x2, z2] = [x * cb + z1 * sb, -x * sb + z1 * cb];
    return [x2 * cc - y1 * sc, x2 * sc + y1 * cc, z2];
  };
}

export function merged(meshes: readonly Mesh[]): Mesh {
  const total = (pick: (mesh: Mesh) => ArrayLike<number>) => meshes.reduce((sum, mesh) => sum + pick(mesh).length, 0);
  const out = {
    positions: new Float32Array(total((mesh) => mesh.positions)),
    normals: new Float32Array(total((mesh) => mesh.normals)),
    uvs: new Float32Array(total((mesh) => mesh.uvs)),
    triangles: new Uint32Array(total((mesh) => mesh.triangles)),
  };
  let [vertex, corner] = [0, 0];
  for (const mesh of meshes) {
    out.positions.set(mesh.positions, vertex * 3);
    out.normals.set(mesh.normals, vertex * 3);
    out.uvs.set(mesh.uvs, vertex * 2);
    for (let index = 0; index < mesh.triangles.length; index++) out.triangles[corner + index] = mesh.triangles[index]! + vertex;
    vertex += mesh.positions.length / 3;
    corner += mesh.triangles.length;
  }
  return out;
}
