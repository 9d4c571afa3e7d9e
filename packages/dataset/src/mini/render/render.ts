import { type Camera, camera } from "./camera.js";
import { type Projected, project, rasterise, type Visibility } from "./rasterise.js";
import type { Part, Scene, SurfaceSample } from "./scene.js";
import { type ShadingLights, shade, surfaceSample } from "./shade.js";
import { discDirections, shadowMap, skyDirections } from "./shadow.js";

export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel along each axis; default 2. */
  readonly samples?: number;
  /** Leave out everything but the product; what is not covered stays `backdrop` (8-bit RGB). For product pictures on white. */
  readonly alone?: { readonly backdrop: readonly [number, number, number] };
}

export interface Rendering {
  readonly width: number;
  readonly height: number;
  /** RGB, 8 bits, sRGB. */
  readonly data: Uint8Array;
  /** How much of each pixel the product covers, 0 to 255. */
  readonly coverage: Uint8Array;
  /** Distance of the nearest surface along the line of sight, in the scene's units; Infinity for the sky. */
  readonly depth: Float32Array;
}

const [keySamples, skySamples] = [6, 14];
const [keyMap, skyMap] = [160, 72];

/** Draws a scene. Same scene and options, same pixels. */
export function render(scene: Scene, options: RenderOptions): Rendering {
  const { width, height, samples = 2, alone } = options;
  const view = camera(scene.camera, width, height);
  const lights = lightsOf(scene);
  const projected = project(scene.parts, view, samples);
  const opaque = rasterise(projected, width * samples, height * samples, (part) => visible(scene.parts[part]!, alone) && !scene.parts[part]!.glass);
  const shading: Shading = { scene, view, lights, projected, samples, sample: surfaceSample() };
  const linear = new Float32Array(width * height * 3);
  const coverage = new Uint8Array(width * height);
  const depth = new Float32Array(width * height);
  const mirror = alone === undefined && scene.stage.mirror > 0 ? mirrored(scene, view) : undefined;
  const color = new Float64Array(3);
  const groups: Group[] = Array.from({ length: samples * samples }, () => ({ surface: 0, count: 0, sample: 0 }));
  // As bright as paper in a light box: what glass lets through. Edges of the product are freed from it again.
  const paper = paperLight / scene.exposure;
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const count = grouped(opaque, projected, shading, x, y, groups);
      let [red, green, blue, near, own] = [0, 0, 0, 0, 0];
      for (let index = 0; index < count; index++) {
        const { surface, count: hits, sample } = groups[index]!;
        const [sx, sy] = [(sample % opaque.width) + 0.5, Math.floor(sample / opaque.width) + 0.5];
        if (surface >= 0) {
          shadeTriangle(shading, opaque.triangles[sample]!, sx, sy, color);
          near = Math.max(near, opaque.nearness[sample]!);
          if (scene.parts[surface]!.product) own += hits;
        } else if (alone) {
          color.fill(paper);
        } else {
          near = Math.max(near, shadeStage(shading, sx / samples, sy / samples, mirror, color));
        }
        red += color[0]! * hits;
        green += color[1]! * hits;
        blue += color[2]! * hits;
      }
      const all = samples * samples;
      linear[pixel * 3] = red / all;
      linear[pixel * 3 + 1] = green / all;
      linear[pixel * 3 + 2] = blue / all;
      coverage[pixel] = Math.round((255 * own) / all);
      depth[pixel] = near > 0 ? 1 / near : Number.POSITIVE_INFINITY;
    }
  }
  if (scene.parts.some(({ glass }) => glass)) addGlass(shading, { opaque, linear, coverage, depth, alone: alone !== undefined });
  const data = developed(linear, scene.exposure);
  return { width, height, data: alone ? onBackdrop(linear, coverage, paper, scene.exposure, alone.backdrop) : data, coverage, depth };
}

function visible(part: Part, alone: RenderOptions["alone"]): boolean {
  return alone === undefined || part.product;
}

function lightsOf({ parts, lighting }: Scene): ShadingLights {
  const key = discDirections(lighting.key.direction, lighting.key.radius, keySamples).map((direction) => ({
    direction,
    color: [lighting.key.color[0] / keySamples, lighting.key.color[1] / keySamples, lighting.key.color[2] / keySamples] as const,
    map: shadowMap(parts, direction, keyMap),
  }));
  const color = new Float64Array(3);
  const sky = skyDirections(skySamples).map((direction) => {
    lighting.environment(direction[0], direction[1], direction[2], 1, color);
    // Cosine-weighted: each stands for π / samples of the radiance, over the cosine that shading multiplies with.
    const factor = Math.PI / skySamples / Math.max(0.25, direction[1]);
    return { direction, color: [color[0]! * factor, color[1]! * factor, color[2]! * factor] as const, map: shadowMap(parts, direction, skyMap) };
  });
  return { lighting, key, sky };
}

interface Shading {
  readonly scene: Scene;
  readonly view: Camera;
  readonly lights: ShadingLights;
  readonly projected: Projected;
  readonly samples: number;
  readonly sample: SurfaceSample;
}

/** Samples of one pixel that see the same surface are shaded once. */
interface Group {
  /** The part, or -1 for the stage. */
  surface: number;
  count: number;
  /** The sample that stands for all. */
  sample: number;
}

function grouped({ width, triangles }: Visibility, { parts }: Projected, { samples }: Shading, x: number, y: number, groups: Group[]): number {
  let count = 0;
  for (let row = 0; row < samples; row++) {
    for (let column = 0; column < samples; column++) {
      const sample = (y * samples + row) * width + x * samples + column;
      const surface = triangles[sample]! < 0 ? -1 : parts[triangles[sample]!]!;
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

const place = { part: 0, u: 0, v: 0, x: 0, y: 0, z: 0, nx: 0, ny: 0, nz: 0 };

/** Where a sample meets its triangle: position, normal and (u, v), blended by depth-corrected shares. */
function locate({ scene, projected }: Pick<Shading, "scene" | "projected">, triangle: number, sx: number, sy: number): void {
  const { corners, parts, faces } = projected;
  const at = triangle * 9;
  const [ax, ay, bx, by, cx, cy] = [corners[at]!, corners[at + 1]!, corners[at + 3]!, corners[at + 4]!, corners[at + 6]!, corners[at + 7]!];
  const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
  const [dx, dy] = [sx - cx, sy - cy];
  const a = (((by - cy) * dx + (cx - bx) * dy) / area) * corners[at + 2]!;
  const b = (((cy - ay) * dx + (ax - cx) * dy) / area) * corners[at + 5]!;
  const c = (1 - ((by - cy) * dx + (cx - bx) * dy) / area - ((cy - ay) * dx + (ax - cx) * dy) / area) * corners[at + 8]!;
  const total = a + b + c;
  const [wa, wb, wc] = [a / total, b / total, c / total];
  const { mesh } = scene.parts[parts[triangle]!]!;
  const face = faces[triangle]! * 3;
  const [va, vb, vc] = [mesh.triangles[face]!, mesh.triangles[face + 1]!, mesh.triangles[face + 2]!];
  const { positions, normals, uvs } = mesh;
  place.part = parts[triangle]!;
  place.x = wa * positions[va * 3]! + wb * positions[vb * 3]! + wc * positions[vc * 3]!;
  place.y = wa * positions[va * 3 + 1]! + wb * positions[vb * 3 + 1]! + wc * positions[vc * 3 + 1]!;
  place.z = wa * positions[va * 3 + 2]! + wb * positions[vb * 3 + 2]! + wc * positions[vc * 3 + 2]!;
  place.nx = wa * normals[va * 3]! + wb * normals[vb * 3]! + wc * normals[vc * 3]!;
  place.ny = wa * normals[va * 3 + 1]! + wb * normals[vb * 3 + 1]! + wc * normals[vc * 3 + 1]!;
  place.nz = wa * normals[va * 3 + 2]! + wb * normals[vb * 3 + 2]! + wc * normals[vc * 3 + 2]!;
  place.u = wa * uvs[va * 2]! + wb * uvs[vb * 2]! + wc * uvs[vc * 2]!;
  place.v = wa * uvs[va * 2 + 1]! + wb * uvs[vb * 2 + 1]! + wc * uvs[vc * 2 + 1]!;
}

/** @param eyeY where the viewer is; below the ground for what is mirrored in it */
function shadePlace({ scene, lights, view, sample }: Shading, eyeY: number, color: Float64Array): void {
  const [px, , pz] = view.pose.position;
  let [vx, vy, vz] = [px - place.x, eyeY - place.y, pz - place.z];
  const distance = Math.sqrt(vx * vx + vy * vy + vz * vz);
  vx /= distance;
  vy /= distance;
  vz /= distance;
  const size = Math.sqrt(place.nx ** 2 + place.ny ** 2 + place.nz ** 2) * (place.nx * vx + place.ny * vy + place.nz * vz < 0 ? -1 : 1);
  cleared(sample);
  scene.parts[place.part]!.material(place.u, place.v, place.x, place.y, place.z, sample);
  shade(lights, sample, place.x, place.y, place.z, place.nx / size, place.ny / size, place.nz / size, vx, vy, vz, color);
}

function shadeTriangle(shading: Shading, triangle: number, sx: number, sy: number, color: Float64Array): void {
  locate(shading, triangle, sx, sy);
  shadePlace(shading, shading.view.pose.position[1], color);
}

function cleared(sample: SurfaceSample): void {
  sample.roughness = 0.5;
  sample.metallic = 0;
  sample.emission = 0;
  sample.bumpX = 0;
  sample.bumpY = 0;
  sample.bumpZ = 0;
}

interface Mirror {
  readonly visibility: Visibility;
  readonly projected: Projected;
}

/** What is seen of all parts in the ground, one sample per pixel. */
function mirrored(scene: Scene, view: Camera): Mirror {
  const projected = project(scene.parts, view, 1, true);
  return { projected, visibility: rasterise(projected, view.width, view.height, (part) => !scene.parts[part]!.glass) };
}

const mirrorColor = new Float64Array(3);

/** Ground, wall or sky at a place on the picture. Returns its nearness. */
function shadeStage(shading: Shading, x: number, y: number, mirror: Mirror | undefined, color: Float64Array): number {
  const { scene, view, lights, sample } = shading;
  const { stage } = scene;
  const [px, py, pz] = view.pose.position;
  const [u, v] = [(x - view.width / 2) / view.focal, (y - view.height / 2) / view.focal];
  const { right, down, forward } = view;
  const dx = forward[0] + u * right[0] + v * down[0];
  const dy = forward[1] + u * right[1] + v * down[1];
  const dz = forward[2] + u * right[2] + v * down[2];
  const size = Math.sqrt(dx * dx + dy * dy + dz * dz);
  const toGround = dy < 0 ? -py / dy : Number.POSITIVE_INFINITY;
  const toWall = stage.wall && dz < 0 ? (-stage.wall.distance - pz) / dz : Number.POSITIVE_INFINITY;
  const toHaze = stage.haze;
  if (toGround < toWall) {
    const [gx, gz] = [px + toGround * dx, pz + toGround * dz];
    cleared(sample);
    stage.ground(gx, gz, gx, 0, gz, sample);
    const [bumpX, bumpZ] = [sample.bumpX, sample.bumpZ];
    shade(lights, sample, gx, 0, gz, 0, 1, 0, -dx / size, -dy / size, -dz / size, color);
    if (mirror) addMirror(shading, mirror, x, y, bumpX, bumpZ, -dy / size, color);
    const fade = Math.min(1, Math.max(0, (toGround * size) / toHaze - 0.3) / 0.7);
    if (fade > 0) {
      stage.sky(dx / size, Math.abs(dy / size), dz / size, mirrorColor);
      for (let channel = 0; channel < 3; channel++) color[channel] = color[channel]! * (1 - fade) + mirrorColor[channel]! * fade;
    }
    return 1 / toGround;
  }
  if (toWall < Number.POSITIVE_INFINITY) {
    const [wx, wy] = [px + toWall * dx, py + toWall * dy];
    cleared(sample);
    stage.wall!.material(wx, wy, wx, wy, -stage.wall!.distance, sample);
    shade(lights, sample, wx, wy, -stage.wall!.distance, 0, 0, 1, -dx / size, -dy / size, -dz / size, color);
    return 1 / toWall;
  }
  stage.sky(dx / size, dy / size, dz / size, color);
  return 0;
}

/** The image of things in the ground: Schlick's fresnel between straight down and grazing, displaced by the ground's bumps. */
function addMirror(shading: Shading, { visibility, projected }: Mirror, x: number, y: number, bumpX: number, bumpZ: number, slant: number, color: Float64Array): void {
  const { scene, view } = shading;
  const shift = view.height * 0.35;
  const column = Math.floor(x + bumpX * shift);
  const row = Math.floor(y + Math.abs(bumpZ) * shift);
  if (column < 0 || row < 0 || column >= view.width || row >= view.height) return;
  const triangle = visibility.triangles[row * view.width + column]!;
  if (triangle < 0) return;
  locate({ scene, projected }, triangle, column + 0.5, row + 0.5);
  if (place.y < 0.002) return;
  const strength = scene.stage.mirror + (1 - scene.stage.mirror) * (1 - slant) ** 5;
  // Surfaces are rough enough to lose the image of what is far above them.
  const faded = strength * Math.exp(-place.y * 1.2);
  shadePlace(shading, -view.pose.position[1], mirrorColor);
  for (let channel = 0; channel < 3; channel++) color[channel] = color[channel]! * (1 - faded) + mirrorColor[channel]! * faded;
}

interface Layers {
  readonly opaque: Visibility;
  readonly linear: Float32Array;
  readonly coverage: Uint8Array;
  readonly depth: Float32Array;
  readonly alone: boolean;
}

/** Lays the glass over what has been drawn: displaced and tinted, with the environment mirrored in it. Nearer and farther walls are one. */
function addGlass(shading: Shading, { opaque, linear, coverage, depth, alone }: Layers): void {
  const { scene, view, projected, samples, lights, sample } = shading;
  const glass = rasterise(projected, opaque.width, opaque.height, (part) => scene.parts[part]!.glass !== undefined && (!alone || scene.parts[part]!.product));
  const behind = linear.slice();
  const groups: Group[] = Array.from({ length: samples * samples }, () => ({ surface: 0, count: 0, sample: 0 }));
  const all = samples * samples;
  for (let index = 0; index < glass.triangles.length; index++) if (glass.nearness[index]! <= opaque.nearness[index]!) glass.triangles[index] = -1;
  const color = new Float64Array(3);
  for (let y = 0, pixel = 0; y < view.height; y++) {
    for (let x = 0; x < view.width; x++, pixel++) {
      const count = grouped(glass, projected, shading, x, y, groups);
      for (let index = 0; index < count; index++) {
        const { surface, count: hits, sample: at } = groups[index]!;
        if (surface < 0) continue;
        const part = scene.parts[surface]!;
        locate(shading, glass.triangles[at]!, (at % glass.width) + 0.5, Math.floor(at / glass.width) + 0.5);
        const [px, py, pz] = view.pose.position;
        let [vx, vy, vz] = [px - place.x, py - place.y, pz - place.z];
        const distance = Math.sqrt(vx * vx + vy * vy + vz * vz);
        vx /= distance;
        vy /= distance;
        vz /= distance;
        const size = Math.sqrt(place.nx ** 2 + place.ny ** 2 + place.nz ** 2) * (place.nx * vx + place.ny * vy + place.nz * vz < 0 ? -1 : 1);
        const [nx, ny, nz] = [place.nx / size, place.ny / size, place.nz / size];
        const nv = Math.max(0, nx * vx + ny * vy + nz * vz);
        const { tint, bend } = part.glass!;
        const shiftX = (nx * view.right[0] + ny * view.right[1] + nz * view.right[2]) * bend * view.height;
        const shiftY = (nx * view.down[0] + ny * view.down[1] + nz * view.down[2]) * bend * view.height;
        const column = Math.min(view.width - 1, Math.max(0, Math.round(x - shiftX)));
        const row = Math.min(view.height - 1, Math.max(0, Math.round(y - shiftY)));
        const from = row * view.width + column;
        cleared(sample);
        sample.red = sample.green = sample.blue = 0;
        sample.roughness = 0.08;
        shade(lights, sample, place.x, place.y, place.z, nx, ny, nz, vx, vy, vz, color);
        // Through walls at a slant the way is longer, so rims are darker.
        const walls = 1 + 1.6 * (1 - nv) ** 2;
        const share = hits / all;
        for (let channel = 0; channel < 3; channel++) {
          const through = behind[from * 3 + channel]! * tint[channel]! ** walls;
          linear[pixel * 3 + channel] = linear[pixel * 3 + channel]! * (1 - share) + (through + color[channel]!) * share;
        }
        if (part.product) coverage[pixel] = Math.min(255, coverage[pixel]! + Math.round(255 * share));
        const near = glass.nearness[at]!;
        if (1 / near < depth[pixel]!) depth[pixel] = 1 / near;
      }
    }
  }
}

/** The film's curve gives this 0.97. */
const paperLight = 3.6;

/** The product alone, its edges blended with the backdrop; what it does not cover is exactly the backdrop. */
function onBackdrop(linear: Float32Array, coverage: Uint8Array, paper: number, exposure: number, backdrop: readonly [number, number, number]): Uint8Array {
  const own = new Float32Array(linear.length);
  coverage.forEach((level, pixel) => {
    const share = level / 255;
    for (let index = pixel * 3; index < pixel * 3 + 3; index++) own[index] = share === 0 ? 0 : Math.max(0, linear[index]! - (1 - share) * paper) / share;
  });
  const out = developed(own, exposure);
  coverage.forEach((level, pixel) => {
    for (let channel = 0; channel < 3; channel++) {
      const index = pixel * 3 + channel;
      out[index] = Math.round((out[index]! * level + backdrop[channel]! * (255 - level)) / 255);
    }
  });
  return out;
}

/** A film's curve (ACES as fitted by Narkowicz, 2016), then sRGB. */
function developed(linear: Float32Array, exposure: number): Uint8Array {
  const out = new Uint8Array(linear.length);
  for (let index = 0; index < out.length; index++) {
    const light = linear[index]! * exposure;
    const curved = (light * (2.51 * light + 0.03)) / (light * (2.43 * light + 0.59) + 0.14);
    out[index] = encoded[Math.min(4095, Math.max(0, Math.round(curved * 4095)))]!;
  }
  return out;
}

/** sRGB of 4096 levels of light. */
const encoded = Uint8Array.from({ length: 4096 }, (_, index) => {
  const light = index / 4095;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
});
