import { camera } from "./camera.js";
import { developed, onBackdrop } from "./film.js";
import { addGlass } from "./glass.js";
import { project, rasterise } from "./rasterise.js";
import type { Scene } from "./scene.js";
import type { ShadingLights } from "./shade.js";
import { discDirections, shadowedLights, skyDirections } from "./shadow.js";
import { mirrored, shadeStage } from "./stage.js";
import { grouped, locate, noGroups, shadePlace, shadingOf } from "./surface.js";

export interface RenderOptions {
  readonly width: number;
  readonly height: number;
  /** Samples per pixel along each axis; default 2. */
  readonly samples?: number;
  /** Leave out everything but the product; what its mask leaves out is `backdrop` (8-bit RGB). For product pictures on white. */
  readonly alone?: { readonly backdrop: readonly [number, number, number] };
}

export interface Rendering {
  readonly width: number;
  readonly height: number;
  /** RGB, 8 bits, sRGB. */
  readonly data: Uint8Array;
  /** How much of each pixel the product covers, 0 to 1. */
  readonly coverage: Float32Array;
  /** Distance of the nearest surface along the camera's axis, in the scene's units; Infinity for the sky. */
  readonly depth: Float32Array;
}

const [keySamples, skySamples] = [6, 12];
const [keyMap, skyMap] = [160, 72];

/** Light behind a product on white: what glass lets through. Short of white, so that glass is seen on it. */
const paperLight = 1.5;

/** Draws a scene. Same scene and options, same pixels. */
export function render(scene: Scene, options: RenderOptions): Rendering {
  const { width, height, samples = 2, alone } = options;
  const parts = alone ? scene.parts.filter(({ product }) => product) : scene.parts;
  const shown: Scene = { ...scene, parts };
  const view = camera(scene.camera, width, height);
  const projected = project(parts, view, samples);
  const opaque = rasterise(projected, width * samples, height * samples, (part) => !parts[part]!.glass);
  const shading = shadingOf(shown, view, lightsOf(shown), projected, samples);
  const linear = new Float32Array(width * height * 3);
  const coverage = new Float32Array(width * height);
  const depth = new Float32Array(width * height);
  const mirror = alone === undefined && scene.stage.mirror > 0 ? mirrored(shown, view) : undefined;
  const color = new Float64Array(3);
  const groups = noGroups(samples);
  const all = samples * samples;
  const paper = paperLight / scene.exposure;
  const eyeY = view.pose.position[1];
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const count = grouped(opaque, projected, samples, x, y, groups);
      let near = 0;
      let own = 0;
      for (let index = 0; index < count; index++) {
        const { surface, count: hits, sample } = groups[index]!;
        const sx = (sample % opaque.width) + 0.5;
        const sy = Math.floor(sample / opaque.width) + 0.5;
        if (surface >= 0) {
          locate(shading, projected, opaque.triangles[sample]!, sx, sy);
          shadePlace(shading, eyeY, color);
          near = Math.max(near, opaque.nearness[sample]!);
          if (parts[surface]!.product) own += hits;
        } else if (alone) {
          color.fill(paper);
        } else {
          near = Math.max(near, shadeStage(shading, sx / samples, sy / samples, mirror, color));
        }
        const share = hits / all;
        for (let channel = 0; channel < 3; channel++) linear[pixel * 3 + channel]! += color[channel]! * share;
      }
      coverage[pixel] = own / all;
      depth[pixel] = near > 0 ? 1 / near : Number.POSITIVE_INFINITY;
    }
  }
  if (parts.some(({ glass }) => glass)) addGlass(shading, { opaque, linear, coverage, depth, alone: alone !== undefined });
  const data = alone ? onBackdrop(linear, coverage, paper, scene.exposure, alone.backdrop) : developed(linear, scene.exposure);
  return { width, height, data, coverage, depth };
}

function lightsOf({ parts, lighting }: Scene): ShadingLights {
  const { direction, color: strength, radius } = lighting.key;
  const share = (total: number) => total / keySamples;
  const key = discDirections(direction, radius, keySamples).map((towards) => ({
    direction: towards,
    color: [share(strength[0]), share(strength[1]), share(strength[2])] as const,
  }));
  const color = new Float64Array(3);
  const sky = skyDirections(skySamples).map((towards) => {
    lighting.environment(towards[0], towards[1], towards[2], 1, color);
    // Cosine-weighted: each stands for π / samples of the radiance, over the cosine that shading multiplies with.
    const factor = Math.PI / skySamples / Math.max(0.25, towards[1]);
    return { direction: towards, color: [color[0]! * factor, color[1]! * factor, color[2]! * factor] as const };
  });
  return { lighting, key: shadowedLights(parts, key, keyMap), sky: shadowedLights(parts, sky, skyMap) };
}
