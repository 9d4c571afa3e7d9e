import type { Lighting, SurfaceSample } from "./scene.js";
import { lightStride, type ShadowedLights } from "./shadow.js";

/** Lights with their shadows, ready to be asked about any place. */
export interface ShadingLights {
  readonly lighting: Lighting;
  /** The main light's disc in samples. */
  readonly key: ShadowedLights;
  /** The sky in samples. */
  readonly sky: ShadowedLights;
}

/** What is to be shaded; an object that is filled anew for every place, since this runs for each of them. */
export interface ShadedPlace {
  x: number;
  y: number;
  z: number;
  /** The surface's normal, towards the viewer, of length 1. */
  nx: number;
  ny: number;
  nz: number;
  /** Towards the viewer, of length 1. */
  vx: number;
  vy: number;
  vz: number;
}

export function surfaceSample(): SurfaceSample {
  return { red: 0.5, green: 0.5, blue: 0.5, roughness: 0.5, metallic: 0, emission: 0, bumpX: 0, bumpY: 0, bumpZ: 0 };
}

const reflected = new Float64Array(3);

/**
 * Light from a surface towards the viewer: Lambert and GGX (Walter et al. 2007) for the lights, and the environment mirrored with the split
 * between albedo and fresnel that Karis gives for mobiles (2014).
 */
export function shade({ lighting, key, sky }: ShadingLights, sample: SurfaceSample, place: ShadedPlace, color: Float64Array): void {
  const { nx: normalX, ny: normalY, nz: normalZ, vx, vy, vz } = place;
  let nx = normalX + sample.bumpX;
  let ny = normalY + sample.bumpY;
  let nz = normalZ + sample.bumpZ;
  const size = 1 / Math.sqrt(nx * nx + ny * ny + nz * nz);
  nx *= size;
  ny *= size;
  nz *= size;
  const { red, green, blue, metallic, emission } = sample;
  const roughness = Math.max(sample.roughness, 0.04);
  const alpha2 = roughness * roughness * roughness * roughness;
  const facing = nx * vx + ny * vy + nz * vz;
  const nv = Math.max(facing, 1e-3);
  const diffuse = (1 - metallic) / Math.PI;
  const f0 = 0.04 * (1 - metallic);
  const specularRed = f0 + metallic * red;
  const specularGreen = f0 + metallic * green;
  const specularBlue = f0 + metallic * blue;
  let outRed = 0;
  let outGreen = 0;
  let outBlue = 0;
  let skyOpen = 0;
  let skyAll = 0;

  const skyLights = sky.lights;
  for (let light = 0, at = 0; light < sky.count; light++, at += lightStride) {
    const nl = nx * skyLights[at]! + ny * skyLights[at + 1]! + nz * skyLights[at + 2]!;
    // Light of a sample comes from all around its direction, so it still grazes what faces a little away.
    const wrapped = (nl + 0.25) / 1.25;
    if (wrapped <= 0) continue;
    const share = wrapped * lit(sky, light, place);
    skyAll += wrapped;
    skyOpen += share;
    outRed += skyLights[at + 3]! * share;
    outGreen += skyLights[at + 4]! * share;
    outBlue += skyLights[at + 5]! * share;
  }
  const openness = skyAll === 0 ? 0.5 : skyOpen / skyAll;
  const under = (0.5 - 0.5 * ny) * (0.4 + 0.6 * openness);
  const { bounce } = lighting;
  outRed = (outRed + bounce[0] * under) * red * diffuse;
  outGreen = (outGreen + bounce[1] * under) * green * diffuse;
  outBlue = (outBlue + bounce[2] * under) * blue * diffuse;

  const keyLights = key.lights;
  const k = ((roughness + 1) * (roughness + 1)) / 8;
  for (let light = 0, at = 0; light < key.count; light++, at += lightStride) {
    const dx = keyLights[at]!;
    const dy = keyLights[at + 1]!;
    const dz = keyLights[at + 2]!;
    const nl = nx * dx + ny * dy + nz * dz;
    if (nl <= 0 || normalX * dx + normalY * dy + normalZ * dz <= 0) continue;
    const open = lit(key, light, place);
    if (open === 0) continue;
    const hx = dx + vx;
    const hy = dy + vy;
    const hz = dz + vz;
    const half = 1 / Math.sqrt(hx * hx + hy * hy + hz * hz);
    const nh = Math.max(0, (nx * hx + ny * hy + nz * hz) * half);
    const away = 1 - Math.max(0, (vx * hx + vy * hy + vz * hz) * half);
    const spread = nh * nh * (alpha2 - 1) + 1;
    const lobe = alpha2 / (Math.PI * spread * spread) / (4 * (nl * (1 - k) + k) * (nv * (1 - k) + k));
    const fresnel = away * away * away * away * away;
    const strength = nl * open;
    outRed += keyLights[at + 3]! * strength * (red * diffuse + lobe * (specularRed + (1 - specularRed) * fresnel));
    outGreen += keyLights[at + 4]! * strength * (green * diffuse + lobe * (specularGreen + (1 - specularGreen) * fresnel));
    outBlue += keyLights[at + 5]! * strength * (blue * diffuse + lobe * (specularBlue + (1 - specularBlue) * fresnel));
  }

  const twice = 2 * facing;
  lighting.environment(twice * nx - vx, twice * ny - vy, twice * nz - vz, roughness, reflected);
  const r0 = 1 - roughness;
  const a004 = Math.min(r0 * r0, Math.exp(-6.4324 * nv)) * r0 + 0.0425 - 0.0275 * roughness;
  const scale = -1.04 * a004 + 1.04 - 0.572 * roughness;
  const offset = 1.04 * a004 + 0.022 * roughness - 0.04;
  // What hides the sky hides its image as well.
  const seen = openness * openness;
  color[0] = outRed + reflected[0]! * seen * (specularRed * scale + offset) + red * emission;
  color[1] = outGreen + reflected[1]! * seen * (specularGreen * scale + offset) + green * emission;
  color[2] = outBlue + reflected[2]! * seen * (specularBlue * scale + offset) + blue * emission;
}

/** How much of a light reaches a place, 0 to 1: the mean of four neighbouring cells, each in or out. */
function lit({ heights, lights, size }: ShadowedLights, light: number, place: ShadedPlace): number {
  const at = light * lightStride;
  const bias = lights[at + 14]!;
  // From a little above the surface, or it would lie in its own shadow.
  const x = place.x + place.nx * bias;
  const y = place.y + place.ny * bias;
  const z = place.z + place.nz * bias;
  const u = x * lights[at + 6]! + y * lights[at + 7]! + z * lights[at + 8]! + lights[at + 12]!;
  const v = x * lights[at + 9]! + y * lights[at + 10]! + z * lights[at + 11]! + lights[at + 13]!;
  if (!(u >= 0 && v >= 0 && u < size - 1 && v < size - 1)) return 1;
  const column = Math.floor(u);
  const row = Math.floor(v);
  const height = x * lights[at]! + y * lights[at + 1]! + z * lights[at + 2]! + bias;
  const cell = (light * size + row) * size + column;
  const fu = u - column;
  const near = (heights[cell]! <= height ? 1 - fu : 0) + (heights[cell + 1]! <= height ? fu : 0);
  const far = (heights[cell + size]! <= height ? 1 - fu : 0) + (heights[cell + size + 1]! <= height ? fu : 0);
  return near + (far - near) * (v - row);
}
