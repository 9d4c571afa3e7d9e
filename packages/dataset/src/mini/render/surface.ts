import type { Camera } from "./camera.js";
import type { Projected, Visibility } from "./rasterise.js";
import type { Scene, SurfaceSample } from "./scene.js";
import { type ShadedPlace, type ShadingLights, shade, surfaceSample } from "./shade.js";

/** All that shading needs, and the objects that it fills anew for every place. */
export interface Shading {
  readonly scene: Scene;
  readonly view: Camera;
  readonly lights: ShadingLights;
  readonly projected: Projected;
  /** Samples per pixel along each axis. */
  readonly samples: number;
  readonly sample: SurfaceSample;
  readonly place: SurfacePlace;
}

/** A place on a mesh. */
export interface SurfacePlace extends ShadedPlace {
  part: number;
  u: number;
  v: number;
  /** Normal of the triangle itself, of any length. */
  faceX: number;
  faceY: number;
  faceZ: number;
}

export function shadingOf(scene: Scene, view: Camera, lights: ShadingLights, projected: Projected, samples: number): Shading {
  // Fractions, so that the fields are doubles from the start.
  const place = {
    part: 0,
    u: 0.5,
    v: 0.5,
    x: 0.5,
    y: 0.5,
    z: 0.5,
    nx: 0.5,
    ny: 0.5,
    nz: 0.5,
    vx: 0.5,
    vy: 0.5,
    vz: 0.5,
    faceX: 0.5,
    faceY: 0.5,
    faceZ: 0.5,
  };
  return { scene, view, lights, projected, samples, sample: surfaceSample(), place };
}

/** Samples of one pixel that see the same surface are shaded once. */
export interface Group {
  /** The part, or -1 for the stage. */
  surface: number;
  count: number;
  /** The sample that stands for all. */
  sample: number;
}

export function noGroups(samples: number): Group[] {
  return Array.from({ length: samples * samples }, () => ({ surface: 0, count: 0, sample: 0 }));
}

/** Fills `groups` and returns how many there are. */
export function grouped({ width, triangles }: Visibility, { parts }: Projected, samples: number, x: number, y: number, groups: Group[]): number {
  let count = 0;
  for (let row = 0; row < samples; row++) {
    for (let column = 0; column < samples; column++) {
      const sample = (y * samples + row) * width + x * samples + column;
      const triangle = triangles[sample]!;
      const surface = triangle < 0 ? -1 : parts[triangle]!;
      let index = 0;
      while (index < count && groups[index]!.surface !== surface) index++;
      const group = groups[index]!;
      if (index === count) {
        count++;
        group.surface = surface;
        group.count = 0;
        group.sample = sample;
      }
      group.count++;
    }
  }
  return count;
}

/** Where a sample meets its triangle: position, normal and (u, v), blended by depth-corrected shares. */
export function locate({ scene, place }: Shading, { corners, parts, faces }: Projected, triangle: number, sx: number, sy: number): void {
  const at = triangle * 9;
  const ax = corners[at]!;
  const ay = corners[at + 1]!;
  const bx = corners[at + 3]!;
  const by = corners[at + 4]!;
  const cx = corners[at + 6]!;
  const cy = corners[at + 7]!;
  const inverse = 1 / ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  const shareA = ((by - cy) * (sx - cx) + (cx - bx) * (sy - cy)) * inverse;
  const shareB = ((cy - ay) * (sx - cx) + (ax - cx) * (sy - cy)) * inverse;
  const a = shareA * corners[at + 2]!;
  const b = shareB * corners[at + 5]!;
  const c = (1 - shareA - shareB) * corners[at + 8]!;
  const total = 1 / (a + b + c);
  const wa = a * total;
  const wb = b * total;
  const wc = c * total;
  const { positions, normals, uvs, triangles } = scene.parts[parts[triangle]!]!.mesh;
  const face = faces[triangle]! * 3;
  const va = triangles[face]! * 3;
  const vb = triangles[face + 1]! * 3;
  const vc = triangles[face + 2]! * 3;
  place.part = parts[triangle]!;
  const [pax, pay, paz] = [positions[va]!, positions[va + 1]!, positions[va + 2]!];
  const [pbx, pby, pbz] = [positions[vb]!, positions[vb + 1]!, positions[vb + 2]!];
  const [pcx, pcy, pcz] = [positions[vc]!, positions[vc + 1]!, positions[vc + 2]!];
  place.x = wa * pax + wb * pbx + wc * pcx;
  place.y = wa * pay + wb * pby + wc * pcy;
  place.z = wa * paz + wb * pbz + wc * pcz;
  place.nx = wa * normals[va]! + wb * normals[vb]! + wc * normals[vc]!;
  place.ny = wa * normals[va + 1]! + wb * normals[vb + 1]! + wc * normals[vc + 1]!;
  place.nz = wa * normals[va + 2]! + wb * normals[vb + 2]! + wc * normals[vc + 2]!;
  const ua = (va / 3) * 2;
  const ub = (vb / 3) * 2;
  const uc = (vc / 3) * 2;
  place.u = wa * uvs[ua]! + wb * uvs[ub]! + wc * uvs[uc]!;
  place.v = wa * uvs[ua + 1]! + wb * uvs[ub + 1]! + wc * uvs[uc + 1]!;
  place.faceX = (pby - pay) * (pcz - paz) - (pbz - paz) * (pcy - pay);
  place.faceY = (pbz - paz) * (pcx - pax) - (pbx - pax) * (pcz - paz);
  place.faceZ = (pbx - pax) * (pcy - pay) - (pby - pay) * (pcx - pax);
}

/**
 * The direction to the viewer, and the normal on the viewer's side, both of length 1.
 *
 * Which side that is the triangle says, not its blended normal: at the rim of a round body that one leans away already, and turned over
 * it would be lit from behind.
 *
 * @param eyeY where the viewer is; below the ground for what is mirrored in it
 */
export function orient({ view, place }: Shading, eyeY: number): void {
  const { position } = view.pose;
  const vx = position[0] - place.x;
  const vy = eyeY - place.y;
  const vz = position[2] - place.z;
  const distance = 1 / Math.sqrt(vx * vx + vy * vy + vz * vz);
  place.vx = vx * distance;
  place.vy = vy * distance;
  place.vz = vz * distance;
  const { nx, ny, nz, faceX, faceY, faceZ } = place;
  const seen = faceX * vx + faceY * vy + faceZ * vz;
  const leaning = faceX * nx + faceY * ny + faceZ * nz;
  const factor = (seen * leaning < 0 ? -1 : 1) / Math.sqrt(nx * nx + ny * ny + nz * nz);
  place.nx = nx * factor;
  place.ny = ny * factor;
  place.nz = nz * factor;
}

/** The colour of the place that `locate` has found. */
export function shadePlace(shading: Shading, eyeY: number, color: Float64Array): void {
  const { scene, lights, sample, place } = shading;
  orient(shading, eyeY);
  cleared(sample);
  scene.parts[place.part]!.material(place.u, place.v, place.x, place.y, place.z, sample);
  shade(lights, sample, place, color);
}

export function cleared(sample: SurfaceSample): void {
  sample.roughness = 0.5;
  sample.metallic = 0;
  sample.emission = 0;
  sample.bumpX = 0;
  sample.bumpY = 0;
  sample.bumpZ = 0;
}
