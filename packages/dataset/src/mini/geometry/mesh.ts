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
      for (let axis = 0; axis < 3; axis++) {
        positions[vertex * 3 + axis] = position[axis]!;
        if (normal) normals[vertex * 3 + axis] = normal[axis]!;
      }
      uvs[vertex * 2] = uv[0];
      uvs[vertex * 2 + 1] = uv[1];
      given &&= normal !== undefined;
    }
  }
  const triangles = new Uint32Array(columns * rows * 6);
  for (let row = 0, next = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, next += 6) {
      const a = row * (columns + 1) + column;
      const b = a + columns + 1;
      triangles[next] = a;
      triangles[next + 1] = triangles[next + 4] = b;
      triangles[next + 2] = triangles[next + 3] = a + 1;
      triangles[next + 5] = b + 1;
    }
  }
  const mesh = { positions, normals, uvs, triangles };
  return given ? mesh : withNormals(mesh);
}

/** Normals as the mean of the faces around each place; places that coincide are one. */
export function withNormals(mesh: Mesh): Mesh {
  const { positions, triangles } = mesh;
  const count = positions.length / 3;
  // Of vertices at one place the first stands for all.
  const first = new Uint32Array(count);
  const known = new Map<number, number>();
  const step = (value: number) => Math.round(value * 1e4) + 2 ** 16;
  for (let vertex = 0; vertex < count; vertex++) {
    // 17 bits per axis, which holds −6.5 to 6.5 in steps of 1e-4: a whole number that a double holds.
    const key = (step(positions[vertex * 3]!) * 2 ** 17 + step(positions[vertex * 3 + 1]!)) * 2 ** 17 + step(positions[vertex * 3 + 2]!);
    const seen = known.get(key);
    if (seen === undefined) known.set(key, vertex);
    first[vertex] = seen ?? vertex;
  }
  const sums = new Float64Array(positions.length);
  for (let index = 0; index < triangles.length; index += 3) {
    const a = triangles[index]! * 3;
    const b = triangles[index + 1]! * 3;
    const c = triangles[index + 2]! * 3;
    const ux = positions[b]! - positions[a]!;
    const uy = positions[b + 1]! - positions[a + 1]!;
    const uz = positions[b + 2]! - positions[a + 2]!;
    const vx = positions[c]! - positions[a]!;
    const vy = positions[c + 1]! - positions[a + 1]!;
    const vz = positions[c + 2]! - positions[a + 2]!;
    for (let corner = index; corner < index + 3; corner++) {
      // Twice the triangle's area, along its normal.
      const at = first[triangles[corner]!]! * 3;
      sums[at]! += uy * vz - uz * vy;
      sums[at + 1]! += uz * vx - ux * vz;
      sums[at + 2]! += ux * vy - uy * vx;
    }
  }
  const normals = new Float32Array(positions.length);
  for (let vertex = 0; vertex < count; vertex++) {
    const at = first[vertex]! * 3;
    const size = Math.sqrt(sums[at]! ** 2 + sums[at + 1]! ** 2 + sums[at + 2]! ** 2);
    for (let axis = 0; axis < 3; axis++) normals[vertex * 3 + axis] = size === 0 ? (axis === 1 ? 1 : 0) : sums[at + axis]! / size;
  }
  return { ...mesh, normals };
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
    const y1 = y * ca - z * sa;
    const z1 = y * sa + z * ca;
    const x2 = x * cb + z1 * sb;
    const z2 = -x * sb + z1 * cb;
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
