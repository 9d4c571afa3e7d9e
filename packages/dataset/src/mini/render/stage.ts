import type { Camera } from "./camera.js";
import { type Projected, project, rasterise, type Visibility } from "./rasterise.js";
import type { Scene } from "./scene.js";
import { shade } from "./shade.js";
import { cleared, locate, type Shading, shadePlace } from "./surface.js";

/** What is seen of all parts in the ground, one sample per pixel. */
export interface Mirror {
  readonly visibility: Visibility;
  readonly projected: Projected;
}

export function mirrored(scene: Scene, view: Camera): Mirror {
  const projected = project(scene.parts, view, 1, true);
  return { projected, visibility: rasterise(projected, view.width, view.height, (part) => !scene.parts[part]!.glass) };
}

const mirrorColor = new Float64Array(3);

/** Ground, wall or sky at a place on the picture. Returns its nearness. */
export function shadeStage(shading: Shading, x: number, y: number, mirror: Mirror | undefined, color: Float64Array): number {
  const { scene, view, lights, sample, place } = shading;
  const { stage } = scene;
  const { right, down, forward, pose } = view;
  const u = (x - view.width / 2) / view.focal;
  const v = (y - view.height / 2) / view.focal;
  const dx = forward[0] + u * right[0] + v * down[0];
  const dy = forward[1] + u * right[1] + v * down[1];
  const dz = forward[2] + u * right[2] + v * down[2];
  const size = Math.sqrt(dx * dx + dy * dy + dz * dz);
  const toGround = dy < 0 ? -pose.position[1] / dy : Number.POSITIVE_INFINITY;
  const toWall = stage.wall && dz < 0 ? (-stage.wall.distance - pose.position[2]) / dz : Number.POSITIVE_INFINITY;
  place.vx = -dx / size;
  place.vy = -dy / size;
  place.vz = -dz / size;
  if (toGround < toWall) {
    const gx = pose.position[0] + toGround * dx;
    const gz = pose.position[2] + toGround * dz;
    const fade = Math.min(1, Math.max(0, (toGround * size) / stage.haze - 0.3) / 0.7);
    if (fade < 1) {
      cleared(sample);
      stage.ground(gx, gz, gx, 0, gz, sample);
      set(shading, gx, 0, gz, 0, 1, 0);
      const { bumpX, bumpZ } = sample;
      shade(lights, sample, place, color);
      if (mirror) addMirror(shading, mirror, x, y, bumpX, bumpZ, -dy / size, color);
    }
    if (fade > 0) {
      stage.sky(dx / size, Math.abs(dy / size), dz / size, mirrorColor);
      blend(color, mirrorColor, fade);
    }
    return 1 / toGround;
  }
  if (toWall < Number.POSITIVE_INFINITY) {
    const wx = pose.position[0] + toWall * dx;
    const wy = pose.position[1] + toWall * dy;
    cleared(sample);
    stage.wall!.material(wx, wy, wx, wy, -stage.wall!.distance, sample);
    set(shading, wx, wy, -stage.wall!.distance, 0, 0, 1);
    shade(lights, sample, place, color);
    return 1 / toWall;
  }
  stage.sky(dx / size, dy / size, dz / size, color);
  return 0;
}

function set({ place }: Shading, x: number, y: number, z: number, nx: number, ny: number, nz: number): void {
  place.x = x;
  place.y = y;
  place.z = z;
  place.nx = nx;
  place.ny = ny;
  place.nz = nz;
}

/** `share` of the second colour over the first. */
function blend(color: Float64Array, over: Float64Array, share: number): void {
  for (let channel = 0; channel < 3; channel++) color[channel] = color[channel]! * (1 - share) + over[channel]! * share;
}

/** The image of things in the ground: Schlick's fresnel between straight down and grazing, displaced by the ground's bumps. */
function addMirror(
  shading: Shading,
  { visibility, projected }: Mirror,
  x: number,
  y: number,
  bumpX: number,
  bumpZ: number,
  slant: number,
  color: Float64Array,
): void {
  const { scene, view, place } = shading;
  const shift = view.height * 0.35;
  const column = Math.floor(x + bumpX * shift);
  const row = Math.floor(y + Math.abs(bumpZ) * shift);
  if (column < 0 || row < 0 || column >= view.width || row >= view.height) return;
  const triangle = visibility.triangles[row * view.width + column]!;
  if (triangle < 0) return;
  locate(shading, projected, triangle, column + 0.5, row + 0.5);
  if (place.y < 0.002) return;
  const strength = scene.stage.mirror + (1 - scene.stage.mirror) * (1 - slant) ** 5;
  // Surfaces are rough enough to lose the image of what is far above them.
  const faded = strength * Math.exp(-place.y * 1.2);
  if (faded < 0.004) return;
  shadePlace(shading, -view.pose.position[1], mirrorColor);
  blend(color, mirrorColor, faded);
}
