import { type SplatScene, shCoefficientCount } from "../splats/scene.js";
import { type Camera, cameraCentre } from "./camera.js";
import {
  chunkAddress,
  chunkFields,
  chunkLength,
  type Kernel,
  kernelWith,
  type Layout,
  layoutFor,
  parametersAddress,
  releaseKernel,
} from "./kernel.js";
import { alphaFloor, type RenderSettings, radiusInSigmas } from "./options.js";
import { shBasis } from "./spherical-harmonics.js";

/** Numbers of one record; the layout is also that of kernel/render/record.ts. */
export const recordLength = 20;

/** Where a record holds what. */
export const record = {
  meanX: 0,
  meanY: 1,
  conicA: 2,
  conicB: 3,
  conicC: 4,
  opacity: 5,
  red: 6,
  green: 7,
  blue: 8,
  depth: 9,
  normalX: 10,
  normalY: 11,
  normalZ: 12,
  columns: 13,
  rows: 14,
  compensation: 15,
  slope: 16,
  widthSquared: 17,
  narrowing: 18,
} as const;

/** The splats that a camera sees, on its image plane. */
export interface ProjectedSplats {
  /** M, at most N. */
  readonly count: number;
  /** [M] which splat of the scene; ascending. */
  readonly index: Uint32Array;
  /**
   * [M, 20] as `record` names them: centre in pixels; A, B, C of the exponent (A·dx² + C·dy²) / 2 + B·dx·dy; opacity with the compensation of
   * antialiased mode; colour; depth; unit normal in camera axes; first and last pixel column and row outside which it is fainter than 1/255, two int16 each;
   * √(det before / det after the low-pass); for the row dy off the centre, where it falls to 1/255: slope·dy ± √(widthSquared - narrowing·dy²).
   */
  readonly records: Float32Array;
  /** [M, 4] first and last column, first and last row once more: read in the order of depth, they should lie close together. */
  readonly ranges: Int16Array;
}

/** The settings that a projection depends on. */
type ProjectionSettings = Pick<RenderSettings, "antialiased" | "lowPass" | "compensationFloor" | "normals">;

/**
 * Projects splats by the local affine approximation of the perspective (EWA; nerfstudio-project/gsplat `_torch_impl.py`), and drops those
 * outside near, far and frame, and those fainter than 1/255.
 *
 * The tangents of the view direction are clamped to 1.3 of the frame in the Jacobian only. float64, rounded once.
 */
export function projectSplats(scene: SplatScene, camera: Camera, settings: ProjectionSettings): ProjectedSplats {
  const layout = layoutFor(scene.count, recordLength * 4);
  const kernel = kernelWith(layout.end);
  const count = projectInto(kernel, layout, scene, camera, settings);
  const { buffer } = kernel.memory;
  const projected = {
    count,
    index: new Uint32Array(buffer, layout.index, count).slice(),
    records: new Float32Array(buffer, layout.records, count * recordLength).slice(),
    ranges: new Int16Array(buffer, layout.ranges, count * 4).slice(),
  };
  releaseKernel();
  return projected;
}

/**
 * `projectSplats` into the kernel's memory.
 *
 * @param among which splats, ascending; default all. The index is then that among them.
 * @returns how many there are.
 */
export function projectInto(
  kernel: Kernel,
  { records, ranges, index }: Layout,
  scene: SplatScene,
  camera: Camera,
  settings: ProjectionSettings,
  among?: Int32Array,
): number {
  const { buffer } = kernel.memory;
  writeParameters(new Float64Array(buffer, parametersAddress, 29), camera, settings);
  const coefficients = shCoefficientCount(scene.shDegree);
  const fields: readonly (readonly [values: Float32Array, width: number, stride: number, into: Float32Array])[] = [
    [scene.means, 3, 3, chunkOf(buffer, chunkFields.means, 3)],
    [scene.scales, 3, 3, chunkOf(buffer, chunkFields.scales, 3)],
    [scene.quaternions, 4, 4, chunkOf(buffer, chunkFields.quaternions, 4)],
    [scene.opacities, 1, 1, chunkOf(buffer, chunkFields.opacities, 1)],
    [scene.sh, 3, coefficients * 3, chunkOf(buffer, chunkFields.colours, 3)],
  ];
  const total = among?.length ?? scene.count;
  let kept = 0;
  for (let base = 0; base < total; base += chunkLength) {
    const count = Math.min(chunkLength, total - base);
    const first = among ? among[base]! : base;
    const whole = among === undefined || among[base + count - 1]! - first === count - 1;
    for (const [values, width, stride, into] of fields) {
      if (whole && width === stride) into.set(values.subarray(first * width, (first + count) * width));
      else gather(values, width, stride, into, { first, count, ...(among && { among: among.subarray(base, base + count) }) });
      // The kernel takes two at a time; one of opacity 0 is never seen.
      into.fill(0, count * width, (count + 1) * width);
    }
    kept = kernel.project(chunkAddress, count, base, parametersAddress, records, ranges, index, kept);
  }
  if (scene.shDegree > 0 || settings.normals) {
    const seen = new Uint32Array(buffer, index, kept);
    const splats = among ? seen.map((k) => among[k]!) : seen;
    const into = new Float32Array(buffer, records, kept * recordLength);
    if (scene.shDegree > 0) addDirectionalColours(into, scene, splats, camera);
    if (settings.normals) addNormals(into, scene, splats, camera);
  }
  return kept;
}

function chunkOf(buffer: ArrayBuffer, address: number, width: number): Float32Array {
  return new Float32Array(buffer, address, (chunkLength + 1) * width);
}

function gather(
  values: Float32Array,
  width: number,
  stride: number,
  into: Float32Array,
  { first, count, among }: { readonly first: number; readonly count: number; readonly among?: Int32Array },
): void {
  for (let k = 0, at = 0; k < count; k++) {
    const from = (among ? among[k]! : first + k) * stride;
    for (let c = 0; c < width; c++) into[at++] = values[from + c]!;
  }
}

/** In the order of kernel/render/project.ts. */
function writeParameters(out: Float64Array, camera: Camera, { antialiased, lowPass, compensationFloor }: ProjectionSettings): void {
  const { width, height, fx, fy, cx, cy, view, near = 0.01, far = 1e10 } = camera;
  const { minX, maxX, minY, maxY } = tangentLimits(camera);
  for (let k = 0; k < 12; k++) out[k] = view[k]!;
  out.set([fx, fy, cx, cy, near, far, minX, maxX, minY, maxY, width, height, lowPass, compensationFloor, Number(antialiased)], 12);
  out.set([alphaFloor, radiusInSigmas], 27);
}

/** Colours by all degrees, in place of those of degree 0. */
function addDirectionalColours(records: Float32Array, { means, sh, shDegree }: SplatScene, splats: Uint32Array, camera: Camera): void {
  const [centreX, centreY, centreZ] = cameraCentre(camera);
  const coefficients = shCoefficientCount(shDegree);
  const basis = new Float64Array(16);
  for (let m = 0; m < splats.length; m++) {
    const i = splats[m]!;
    const dx = means[i * 3]! - centreX;
    const dy = means[i * 3 + 1]! - centreY;
    const dz = means[i * 3 + 2]! - centreZ;
    const length = Math.max(Math.sqrt(dx * dx + dy * dy + dz * dz), 1e-12);
    shBasis(shDegree, dx / length, dy / length, dz / length, basis);
    const base = i * coefficients * 3;
    let [red, green, blue] = [0, 0, 0];
    for (let k = 0; k < coefficients; k++) {
      const weight = basis[k]!;
      red += weight * sh[base + k * 3]!;
      green += weight * sh[base + k * 3 + 1]!;
      blue += weight * sh[base + k * 3 + 2]!;
    }
    const at = m * recordLength + record.red;
    records[at] = Math.max(red + 0.5, 0);
    records[at + 1] = Math.max(green + 0.5, 0);
    records[at + 2] = Math.max(blue + 0.5, 0);
  }
}

/** The shortest axis of each, towards the camera. */
function addNormals(records: Float32Array, { means, scales, quaternions }: SplatScene, splats: Uint32Array, { view }: Camera): void {
  for (let m = 0; m < splats.length; m++) {
    const i = splats[m]!;
    const [w, x, y, z] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
    const twice = 2 / (w * w + x * x + y * y + z * z);
    const [s0, s1, s2] = [scales[i * 3]!, scales[i * 3 + 1]!, scales[i * 3 + 2]!];
    let [n0, n1, n2] = [twice * (x * z + w * y), twice * (y * z - w * x), 1 - twice * (x * x + y * y)];
    if (s0 <= s1 && s0 <= s2) [n0, n1, n2] = [1 - twice * (y * y + z * z), twice * (x * y + w * z), twice * (x * z - w * y)];
    else if (s1 <= s2) [n0, n1, n2] = [twice * (x * y - w * z), 1 - twice * (x * x + z * z), twice * (y * z + w * x)];
    const [mx, my, mz] = [means[i * 3]!, means[i * 3 + 1]!, means[i * 3 + 2]!];
    let facing = 0;
    const at = m * recordLength + record.normalX;
    for (let c = 0; c < 3; c++) {
      const [a, b, d] = [view[c * 4]!, view[c * 4 + 1]!, view[c * 4 + 2]!];
      const along = a * n0 + b * n1 + d * n2;
      records[at + c] = along;
      facing += along * (a * mx + b * my + d * mz + view[c * 4 + 3]!);
    }
    if (facing > 0) for (let c = 0; c < 3; c++) records[at + c]! *= -1;
  }
}

/** Range of x/z and y/z in the Jacobian: the frame, and 0.3 of half its width more on either side. */
export function tangentLimits({ width, height, fx, fy, cx, cy }: Camera): {
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
} {
  const marginX = (0.3 * 0.5 * width) / fx;
  const marginY = (0.3 * 0.5 * height) / fy;
  return { minX: -(cx / fx + marginX), maxX: (width - cx) / fx + marginX, minY: -(cy / fy + marginY), maxY: (height - cy) / fy + marginY };
}
