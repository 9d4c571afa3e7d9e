import { lit, type ShadowedLight } from "./shadow.js";
import type { Lighting, SurfaceSample } from "./scene.js";

/** Lights with their shadows, ready to be asked about any place. */
export interface ShadingLights {
  readonly lighting: Lighting;
  /** The main light's disc in samples. */
  readonly key: readonly ShadowedLight[];
  /** The sky in samples. */
  readonly sky: readonly ShadowedLight[];
}

export function surfaceSample(): SurfaceSample {
  return { red: 0.5, green: 0.5, blue: 0.5, roughness: 0.5, metallic: 0, emission: 0, bumpX: 0, bumpY: 0, bumpZ: 0 };
}

const reflected = new Float64Array(3);

/**
 * Light from a surface towards the viewer: Lambert and GGX (Walter et al. 2007) for the lights, and the environment mirrored with the split
 * between albedo and fresnel that Karis gives for mobiles (2014).
 *
 * @param n the surface's normal, towards the viewer; v towards the viewer; both of length 1
 */
export function shade(
  lights: ShadingLights,
  sample: SurfaceSample,
  x: number,
  y: number,
  z: number,
  normalX: number,
  normalY: number,
  normalZ: number,
  vx: number,
  vy: number,
  vz: number,
  color: Float64Array,
): void {
  let [nx, ny, nz] = [normalX + sample.bumpX, normalY + sample.bumpY, normalZ + sample.bumpZ];
  const size = Math.sqrt(nx * nx + ny * ny + nz * nz);
  nx /= size;
  ny /= size;
  nz /= size;
  const { red, green, blue, metallic, emission } = sample;
  const roughness = Math.max(0.04, sample.roughness);
  const alpha2 = roughness ** 4;
  const nv = Math.max(1e-3, nx * vx + ny * vy + nz * vz);
  const [diffuse, f0] = [(1 - metallic) / Math.PI, 0.04 * (1 - metallic)];
  const [specularRed, specularGreen, specularBlue] = [f0 + metallic * red, f0 + metallic * green, f0 + metallic * blue];
  let [outRed, outGreen, outBlue] = [0, 0, 0];
  let [skyOpen, skyAll] = [0, 0];

  for (const { direction, color: light, map } of lights.sky) {
    const nl = nx * direction[0] + ny * direction[1] + nz * direction[2];
    // Light of a sample comes from all around its direction, so it still grazes what faces a little away.
    const wrapped = (nl + 0.25) / 1.25;
    if (wrapped <= 0) continue;
    const open = lit(map, x + normalX * map.bias, y + normalY * map.bias, z + normalZ * map.bias);
    skyAll += wrapped;
    skyOpen += wrapped * open;
    outRed += light[0] * wrapped * open;
    outGreen += light[1] * wrapped * open;
    outBlue += light[2] * wrapped * open;
  }
  const openness = skyAll === 0 ? 0.5 : skyOpen / skyAll;
  const under = Math.max(0, 0.5 - 0.5 * ny) * (0.4 + 0.6 * openness);
  const { bounce } = lights.lighting;
  outRed = (outRed + bounce[0] * under) * red * diffuse;
  outGreen = (outGreen + bounce[1] * under) * green * diffuse;
  outBlue = (outBlue + bounce[2] * under) * blue * diffuse;

  for (const { direction, color: light, map } of lights.key) {
    const nl = nx * direction[0] + ny * direction[1] + nz * direction[2];
    if (nl <= 0 || normalX * direction[0] + normalY * direction[1] + normalZ * direction[2] <= 0) continue;
    const open = lit(map, x + normalX * map.bias, y + normalY * map.bias, z + normalZ * map.bias);
    if (open === 0) continue;
    let [hx, hy, hz] = [direction[0] + vx, direction[1] + vy, direction[2] + vz];
    const half = Math.sqrt(hx * hx + hy * hy + hz * hz);
    hx /= half;
    hy /= half;
    hz /= half;
    const nh = Math.max(0, nx * hx + ny * hy + nz * hz);
    const vh = Math.max(0, vx * hx + vy * hy + vz * hz);
    const spread = nh * nh * (alpha2 - 1) + 1;
    const k = (roughness + 1) ** 2 / 8;
    const lobe = alpha2 / (Math.PI * spread * spread) / (4 * (nl * (1 - k) + k) * (nv * (1 - k) + k));
    const fresnel = (1 - vh) ** 5;
    const strength = nl * open;
    outRed += light[0] * strength * (red * diffuse + lobe * (specularRed + (1 - specularRed) * fresnel));
    outGreen += light[1] * strength * (green * diffuse + lobe * (specularGreen + (1 - specularGreen) * fresnel));
    outBlue += light[2] * strength * (blue * diffuse + lobe * (specularBlue + (1 - specularBlue) * fresnel));
  }

  const twice = 2 * (nx * vx + ny * vy + nz * vz);
  lights.lighting.environment(twice * nx - vx, twice * ny - vy, twice * nz - vz, roughness, reflected);
  const [r0, r1, r2, r3] = [1 - roughness, 0.0425 - 0.0275 * roughness, 1.04 - 0.572 * roughness, 0.022 * roughness - 0.04];
  const a004 = Math.min(r0 * r0, 2 ** (-9.28 * nv)) * r0 + r1;
  const [scaleF, biasF] = [-1.04 * a004 + r2, 1.04 * a004 + r3];
  // What hides the sky hides its image as well.
  const seen = openness * openness;
  outRed += reflected[0]! * seen * (specularRed * scaleF + biasF);
  outGreen += reflected[1]! * seen * (specularGreen * scaleF + biasF);
  outBlue += reflected[2]! * seen * (specularBlue * scaleF + biasF);

  color[0] = outRed + red * emission;
  color[1] = outGreen + green * emission;
  color[2] = outBlue + blue * emission;
}
