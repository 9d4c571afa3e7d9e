import { rasterise, type Visibility } from "./rasterise.js";
import { shade } from "./shade.js";
import { cleared, grouped, locate, noGroups, orient, type Shading } from "./surface.js";

export interface Layers {
  readonly opaque: Visibility;
  /** `[H, W, 3]`, light. */
  readonly linear: Float32Array;
  /** `[H, W]`, 0 to 1. */
  readonly coverage: Float32Array;
  /** `[H, W]` */
  readonly depth: Float32Array;
  /** Whether the product is drawn without its surroundings. */
  readonly alone: boolean;
}

/** Lays the glass over what has been drawn: displaced and tinted, with the environment mirrored in it. Nearer and farther walls are one. */
export function addGlass(shading: Shading, { opaque, linear, coverage, depth, alone }: Layers): void {
  const { scene, view, projected, samples, lights, sample, place } = shading;
  const glass = rasterise(
    projected,
    opaque.width,
    opaque.height,
    (part) => scene.parts[part]!.glass !== undefined && (!alone || scene.parts[part]!.product),
  );
  for (let index = 0; index < glass.triangles.length; index++) if (glass.nearness[index]! <= opaque.nearness[index]!) glass.triangles[index] = -1;
  const behind = linear.slice();
  const groups = noGroups(samples);
  const color = new Float64Array(3);
  for (let y = 0, pixel = 0; y < view.height; y++) {
    for (let x = 0; x < view.width; x++, pixel++) {
      const count = grouped(glass, projected, samples, x, y, groups);
      for (let index = 0; index < count; index++) {
        const { surface, count: hits, sample: at } = groups[index]!;
        if (surface < 0) continue;
        const part = scene.parts[surface]!;
        locate(shading, projected, glass.triangles[at]!, (at % glass.width) + 0.5, Math.floor(at / glass.width) + 0.5);
        orient(shading, view.pose.position[1]);
        const { nx, ny, nz } = place;
        const nv = Math.max(0, nx * place.vx + ny * place.vy + nz * place.vz);
        const { tint, bend } = part.glass!;
        const shiftX = (nx * view.right[0] + ny * view.right[1] + nz * view.right[2]) * bend * view.height;
        const shiftY = (nx * view.down[0] + ny * view.down[1] + nz * view.down[2]) * bend * view.height;
        const column = Math.min(view.width - 1, Math.max(0, Math.round(x - shiftX)));
        const row = Math.min(view.height - 1, Math.max(0, Math.round(y - shiftY)));
        const from = row * view.width + column;
        cleared(sample);
        sample.red = sample.green = sample.blue = 0;
        sample.roughness = 0.08;
        shade(lights, sample, place, color);
        // Through walls at a slant the way is longer, and from the rim the dark beside the light comes, so rims are darker.
        const walls = 1 + 1.6 * (1 - nv) ** 2;
        const rim = 1 - 0.72 * (1 - nv) ** 2.2;
        const share = hits / (samples * samples);
        for (let channel = 0; channel < 3; channel++) {
          const through = behind[from * 3 + channel]! * tint[channel]! ** walls * rim;
          // On white the room's own image would wash it out.
          const image = alone ? color[channel]! * 0.5 : color[channel]!;
          linear[pixel * 3 + channel] = linear[pixel * 3 + channel]! * (1 - share) + (through + image) * share;
        }
        if (part.product) coverage[pixel] = Math.min(1, coverage[pixel]! + share);
        depth[pixel] = Math.min(depth[pixel]!, 1 / glass.nearness[at]!);
      }
    }
  }
}
