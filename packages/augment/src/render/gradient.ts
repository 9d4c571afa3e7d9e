import { ArgumentError } from "@refadgen/errors";
import { checkScene, type SplatScene, shCoefficientCount } from "../splats/scene.js";
import { type Camera, cameraCentre, checkCamera } from "./camera.js";
import { alphaFloor, type RenderOptions, type RenderSettings, renderSettings, transmittanceFloor } from "./options.js";
import { tangentLimits } from "./project.js";
import { shBasis, shBasisGradient } from "./spherical-harmonics.js";

/** Derivatives of a loss by the pixels of a picture; what is left out is zero. */
export interface ImageGradient {
  /** [H, W, 3] by `rgb`. */
  readonly rgb?: ArrayLike<number>;
  /** [H, W] by `alpha`. */
  readonly alpha?: ArrayLike<number>;
  /** [H, W] by the accumulated depth Σ w·z, which is not divided by alpha. */
  readonly depth?: ArrayLike<number>;
}

/** Derivatives of the loss by what a scene holds, laid out as in `SplatScene`. */
export interface SceneGradient {
  readonly means: Float64Array;
  readonly scales: Float64Array;
  /** By the numbers stored, through the normalisation. */
  readonly quaternions: Float64Array;
  readonly opacities: Float64Array;
  readonly sh: Float64Array;
}

/** What the backward pass needs of one splat; numbers before rounding. */
const projectedLength = 16;
const at = { x: 0, y: 1, conicA: 2, conicB: 3, conicC: 4, opacity: 5, red: 6, depth: 9, firstX: 10, lastX: 11, firstY: 12, lastY: 13 } as const;
/** Derivatives by: centre (2), conic (3), opacity, colour (3), depth. */
const adjointLength = 10;

/**
 * Derivatives of a loss by the splats, from its derivatives by the picture that `render(scene, camera, options)` gives. float64 throughout.
 *
 * They pass through the cap of alpha (nothing above it), the compensation of antialiased mode, the direction that the colour depends on, and the
 * normalisation of the quaternions; the order of the splats, and which of them stops a pixel, are held fixed.
 *
 * @throws ArgumentError as `render` does, and if `image` has the wrong size.
 */
export function renderGradient(scene: SplatScene, camera: Camera, image: ImageGradient, options: RenderOptions = {}): SceneGradient {
  const settings = renderSettings(options, "renderGradient");
  checkCamera(camera, "renderGradient");
  checkScene(scene, "renderGradient");
  const pixels = camera.width * camera.height;
  const expected = { rgb: pixels * 3, alpha: pixels, depth: pixels };
  for (const [name, length] of Object.entries(expected) as [keyof ImageGradient, number][]) {
    const given = image[name];
    if (given && given.length !== length) throw new ArgumentError(`renderGradient: expected ${name} of ${length} numbers, got ${given.length}`);
  }
  const { index, values } = projectExactly(scene, camera, settings);
  const order = orderByDepth(values, index.length);
  const adjoint = compositeGradient(values, order, camera, image, settings);
  return projectionGradient(scene, camera, settings, index, adjoint);
}

interface Geometry {
  x: number;
  y: number;
  z: number;
  /** Tangents as clamped, and whether they were. */
  u: number;
  v: number;
  clampedU: boolean;
  clampedV: boolean;
  readonly rotation: Float64Array;
  /** J·W·R·S, [2, 3]. */
  readonly axes: Float64Array;
  /** J·W, [2, 3]. */
  readonly jw: Float64Array;
  c00: number;
  c01: number;
  c11: number;
  /** Determinant before and after the low-pass. */
  before: number;
  after: number;
  compensation: number;
}

function newGeometry(): Geometry {
  return {
    x: 0,
    y: 0,
    z: 0,
    u: 0,
    v: 0,
    clampedU: false,
    clampedV: false,
    rotation: new Float64Array(9),
    axes: new Float64Array(6),
    jw: new Float64Array(6),
    c00: 0,
    c01: 0,
    c11: 0,
    before: 0,
    after: 0,
    compensation: 0,
  };
}

/** The steps of `projectSplats`, with what the backward pass wants to know. */
function geometryOf(scene: SplatScene, i: number, camera: Camera, settings: RenderSettings, out: Geometry): void {
  const { view, fx, fy } = camera;
  const { minX, maxX, minY, maxY } = tangentLimits(camera);
  const [mx, my, mz] = [scene.means[i * 3]!, scene.means[i * 3 + 1]!, scene.means[i * 3 + 2]!];
  out.x = view[0]! * mx + view[1]! * my + view[2]! * mz + view[3]!;
  out.y = view[4]! * mx + view[5]! * my + view[6]! * mz + view[7]!;
  out.z = view[8]! * mx + view[9]! * my + view[10]! * mz + view[11]!;
  const [u, v] = [out.x / out.z, out.y / out.z];
  out.u = Math.min(Math.max(u, minX), maxX);
  out.v = Math.min(Math.max(v, minY), maxY);
  out.clampedU = out.u !== u;
  out.clampedV = out.v !== v;
  rotationOf(scene.quaternions, i, out.rotation);
  const { rotation, axes, jw } = out;
  for (let k = 0; k < 3; k++) {
    jw[k] = (fx / out.z) * (view[k]! - out.u * view[8 + k]!);
    jw[3 + k] = (fy / out.z) * (view[4 + k]! - out.v * view[8 + k]!);
  }
  for (let row = 0; row < 2; row++) {
    for (let k = 0; k < 3; k++) {
      const turned = jw[row * 3]! * rotation[k]! + jw[row * 3 + 1]! * rotation[3 + k]! + jw[row * 3 + 2]! * rotation[6 + k]!;
      axes[row * 3 + k] = turned * scene.scales[i * 3 + k]!;
    }
  }
  out.c00 = axes[0]! ** 2 + axes[1]! ** 2 + axes[2]! ** 2;
  out.c01 = axes[0]! * axes[3]! + axes[1]! * axes[4]! + axes[2]! * axes[5]!;
  out.c11 = axes[3]! ** 2 + axes[4]! ** 2 + axes[5]! ** 2;
  out.before = out.c00 * out.c11 - out.c01 * out.c01;
  out.after = Math.max((out.c00 + settings.lowPass) * (out.c11 + settings.lowPass) - out.c01 * out.c01, 1e-10);
  out.compensation = Math.max(Math.sqrt(Math.max(out.before / out.after, 0)), settings.compensationFloor);
}

function rotationOf(quaternions: Float32Array, i: number, out: Float64Array): void {
  const [w0, x0, y0, z0] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
  const inverse = 1 / Math.sqrt(w0 * w0 + x0 * x0 + y0 * y0 + z0 * z0);
  const [w, x, y, z] = [w0 * inverse, x0 * inverse, y0 * inverse, z0 * inverse];
  out[0] = 1 - 2 * (y * y + z * z);
  out[1] = 2 * (x * y - w * z);
  out[2] = 2 * (x * z + w * y);
  out[3] = 2 * (x * y + w * z);
  out[4] = 1 - 2 * (x * x + z * z);
  out[5] = 2 * (y * z - w * x);
  out[6] = 2 * (x * z - w * y);
  out[7] = 2 * (y * z + w * x);
  out[8] = 1 - 2 * (x * x + y * y);
}

function projectExactly(scene: SplatScene, camera: Camera, settings: RenderSettings): { readonly index: Uint32Array; readonly values: Float64Array } {
  const { width, height, fx, fy, cx, cy, near = 0.01, far = 1e10 } = camera;
  const index = new Uint32Array(scene.count);
  const values = new Float64Array(scene.count * projectedLength);
  const geometry = newGeometry();
  const color = new Float64Array(3);
  const centre = cameraCentre(camera);
  let count = 0;
  for (let i = 0; i < scene.count; i++) {
    geometryOf(scene, i, camera, settings, geometry);
    const { x, y, z, c00, c01, c11, after, compensation } = geometry;
    if (!(z > near && z < far)) continue;
    const opacity = scene.opacities[i]! * (settings.antialiased ? compensation : 1);
    if (opacity < alphaFloor) continue;
    const [px, py] = [(fx * x) / z + cx, (fy * y) / z + cy];
    const [d00, d11] = [c00 + settings.lowPass, c11 + settings.lowPass];
    const reach = Math.sqrt(2 * Math.log(255 * opacity) + 1e-9);
    const firstX = Math.max(Math.ceil(px - reach * Math.sqrt(d00) - 0.501), 0);
    const lastX = Math.min(Math.floor(px + reach * Math.sqrt(d00) - 0.499), width - 1);
    const firstY = Math.max(Math.ceil(py - reach * Math.sqrt(d11) - 0.501), 0);
    const lastY = Math.min(Math.floor(py + reach * Math.sqrt(d11) - 0.499), height - 1);
    if (!(firstX <= lastX && firstY <= lastY)) continue;
    colorOf(scene, i, centre, color);
    const start = count * projectedLength;
    values[start + at.x] = px;
    values[start + at.y] = py;
    values[start + at.conicA] = d11 / after;
    values[start + at.conicB] = -c01 / after;
    values[start + at.conicC] = d00 / after;
    values[start + at.opacity] = opacity;
    for (let c = 0; c < 3; c++) values[start + at.red + c] = Math.max(color[c]!, 0);
    values[start + at.depth] = z;
    values[start + at.firstX] = firstX;
    values[start + at.lastX] = lastX;
    values[start + at.firstY] = firstY;
    values[start + at.lastY] = lastY;
    index[count++] = i;
  }
  return { index: index.subarray(0, count), values };
}

const basis = new Float64Array(16);

/** Colour before it is clamped at 0. */
function colorOf(scene: SplatScene, i: number, centre: readonly number[], out: Float64Array): void {
  const coefficients = shCoefficientCount(scene.shDegree);
  const [dx, dy, dz] = [0, 1, 2].map((k) => scene.means[i * 3 + k]! - centre[k]!) as [number, number, number];
  const length = Math.max(Math.sqrt(dx * dx + dy * dy + dz * dz), 1e-12);
  shBasis(scene.shDegree, dx / length, dy / length, dz / length, basis);
  out.fill(0.5);
  for (let k = 0; k < coefficients; k++) for (let c = 0; c < 3; c++) out[c]! += basis[k]! * scene.sh[(i * coefficients + k) * 3 + c]!;
}

/** As the renderer orders them: by the float32 of the depth, ties as in the scene. */
function orderByDepth(values: Float64Array, count: number): Uint32Array {
  const keys = new Float32Array(count);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = values[i * projectedLength + at.depth]!;
    order[i] = i;
  }
  return order.sort((a, b) => keys[a]! - keys[b]! || a - b);
}

/**
 * Derivatives by the projected splats, [M, 10].
 *
 * With v = colour·g_rgb + g_alpha + z·g_depth - background·g_rgb, the loss is Σ w·v and a constant, so that
 * dL/dα_i = T_i·v_i - (Σ_{j behind i} w_j·v_j) / (1 - α_i). Two passes, near to far: the first finds the sum over all, the second what is behind.
 */
function compositeGradient(values: Float64Array, order: Uint32Array, camera: Camera, image: ImageGradient, settings: RenderSettings): Float64Array {
  const { width, height } = camera;
  const pixels = width * height;
  const [backRed, backGreen, backBlue] = settings.background;
  const adjoint = new Float64Array(order.length * adjointLength);
  const zeros = new Float64Array(0);
  const rgb = image.rgb ?? zeros;
  const gAlpha = image.alpha ?? zeros;
  const gDepth = image.depth ?? zeros;
  // What v has in common for all splats of a pixel.
  const common = new Float64Array(pixels);
  for (let p = 0; p < pixels; p++) {
    common[p] = gAlpha[p] ?? 0;
    if (image.rgb) common[p]! -= backRed * rgb[p * 3]! + backGreen * rgb[p * 3 + 1]! + backBlue * rgb[p * 3 + 2]!;
  }
  const behind = new Float64Array(pixels);
  const transmittance = new Float64Array(pixels);
  const cap = settings.alphaCap;

  for (let pass = 0; pass < 2; pass++) {
    transmittance.fill(1);
    for (let n = 0; n < order.length; n++) {
      const splat = order[n]!;
      const start = splat * projectedLength;
      const px = values[start + at.x]!;
      const py = values[start + at.y]!;
      const a = values[start + at.conicA]!;
      const b = values[start + at.conicB]!;
      const c = values[start + at.conicC]!;
      const opacity = values[start + at.opacity]!;
      const red = values[start + at.red]!;
      const green = values[start + at.red + 1]!;
      const blue = values[start + at.red + 2]!;
      const depth = values[start + at.depth]!;
      const lastX = values[start + at.lastX]!;
      const lastY = values[start + at.lastY]!;
      let dX = 0;
      let dY = 0;
      let dA = 0;
      let dB = 0;
      let dC = 0;
      let dOpacity = 0;
      let dRed = 0;
      let dGreen = 0;
      let dBlue = 0;
      let dDepth = 0;
      for (let y = values[start + at.firstY]!; y <= lastY; y++) {
        const dy = y + 0.5 - py;
        for (let x = values[start + at.firstX]!; x <= lastX; x++) {
          const p = y * width + x;
          const t = transmittance[p]!;
          if (t < 0) continue;
          const dx = x + 0.5 - px;
          const q = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy;
          if (!(q >= 0)) continue;
          const falloff = Math.exp(-q);
          const full = opacity * falloff;
          const alpha = Math.min(full, cap);
          if (alpha < alphaFloor) continue;
          const after = t * (1 - alpha);
          if (after <= transmittanceFloor) {
            transmittance[p] = -t;
            continue;
          }
          transmittance[p] = after;
          const weight = alpha * t;
          let v = common[p]!;
          let gRed = 0;
          let gGreen = 0;
          let gBlue = 0;
          if (image.rgb) {
            gRed = rgb[p * 3]!;
            gGreen = rgb[p * 3 + 1]!;
            gBlue = rgb[p * 3 + 2]!;
            v += red * gRed + green * gGreen + blue * gBlue;
          }
          const gZ = image.depth ? gDepth[p]! : 0;
          v += depth * gZ;
          if (pass === 0) {
            behind[p]! += weight * v;
            continue;
          }
          behind[p]! -= weight * v;
          dRed += weight * gRed;
          dGreen += weight * gGreen;
          dBlue += weight * gBlue;
          dDepth += weight * gZ;
          if (full > cap) continue;
          const dAlpha = t * v - behind[p]! / (1 - alpha);
          dOpacity += dAlpha * falloff;
          const dQ = -dAlpha * full;
          dA += 0.5 * dQ * dx * dx;
          dB += dQ * dx * dy;
          dC += 0.5 * dQ * dy * dy;
          dX -= dQ * (a * dx + b * dy);
          dY -= dQ * (c * dy + b * dx);
        }
      }
      if (pass === 1) adjoint.set([dX, dY, dA, dB, dC, dOpacity, dRed, dGreen, dBlue, dDepth], splat * adjointLength);
    }
  }
  return adjoint;
}

/** Carries the derivatives by the projected splats back to the scene. */
function projectionGradient(scene: SplatScene, camera: Camera, settings: RenderSettings, index: Uint32Array, adjoint: Float64Array): SceneGradient {
  const { fx, fy, view } = camera;
  const gradient: SceneGradient = {
    means: new Float64Array(scene.count * 3),
    scales: new Float64Array(scene.count * 3),
    quaternions: new Float64Array(scene.count * 4),
    opacities: new Float64Array(scene.count),
    sh: new Float64Array(scene.sh.length),
  };
  const geometry = newGeometry();
  const centre = cameraCentre(camera);
  const dAxes = new Float64Array(6);
  const dJw = new Float64Array(6);
  const dRotation = new Float64Array(9);
  for (let m = 0; m < index.length; m++) {
    const i = index[m]!;
    const [gX, gY, gA, gB, gC, gOpacity, gRed, gGreen, gBlue, gZ] = adjoint.subarray(
      m * adjointLength,
      (m + 1) * adjointLength,
    ) as unknown as number[];
    geometryOf(scene, i, camera, settings, geometry);
    const { x, y, z, u, v, clampedU, clampedV, rotation, axes, jw, c00, c01, c11, before, after, compensation } = geometry;
    const [d00, d11] = [c00 + settings.lowPass, c11 + settings.lowPass];

    // Conic (d11, -c01, d00) / after, and the opacity's compensation √(before / after).
    const free = after > 1e-10;
    let dAfter = free ? -(gA! * d11 - gB! * c01 + gC! * d00) / (after * after) : 0;
    let dBefore = 0;
    gradient.opacities[i]! += gOpacity! * (settings.antialiased ? compensation : 1);
    if (settings.antialiased && before > 0 && compensation > settings.compensationFloor) {
      const dRatio = (gOpacity! * scene.opacities[i]!) / (2 * compensation);
      dBefore = dRatio / after;
      if (free) dAfter -= (dRatio * before) / (after * after);
    }
    const d00Gradient = gC! / after + dAfter * d11 + dBefore * c11;
    const d11Gradient = gA! / after + dAfter * d00 + dBefore * c00;
    const d01Gradient = -gB! / after - 2 * c01 * (dAfter + dBefore);

    // Covariance = axes·axesᵀ, axes = J·W·R·S.
    for (let k = 0; k < 3; k++) {
      dAxes[k] = 2 * d00Gradient * axes[k]! + d01Gradient * axes[3 + k]!;
      dAxes[3 + k] = 2 * d11Gradient * axes[3 + k]! + d01Gradient * axes[k]!;
    }
    dJw.fill(0);
    for (let k = 0; k < 3; k++) {
      const scale = scene.scales[i * 3 + k]!;
      let dScale = 0;
      for (let row = 0; row < 2; row++) {
        const g = dAxes[row * 3 + k]!;
        for (let j = 0; j < 3; j++) {
          dScale += g * jw[row * 3 + j]! * rotation[j * 3 + k]!;
          dJw[row * 3 + j]! += g * rotation[j * 3 + k]! * scale;
        }
      }
      gradient.scales[i * 3 + k]! += dScale;
      for (let j = 0; j < 3; j++) dRotation[j * 3 + k] = (dAxes[k]! * jw[j]! + dAxes[3 + k]! * jw[3 + j]!) * scale;
    }
    rotationGradient(scene.quaternions, i, dRotation, gradient.quaternions);

    // J·W: row 0 is fx/z·(W0 - u·W2), row 1 fy/z·(W1 - v·W2), with u = x/z and v = y/z unless clamped.
    let gU = 0;
    let gV = 0;
    let dz = gZ! - (gX! * fx * x + gY! * fy * y) / (z * z);
    for (let k = 0; k < 3; k++) {
      gU -= dJw[k]! * (fx / z) * view[8 + k]!;
      gV -= dJw[3 + k]! * (fy / z) * view[8 + k]!;
      dz -= (dJw[k]! * jw[k]! + dJw[3 + k]! * jw[3 + k]!) / z;
    }
    let dx = (gX! * fx) / z;
    let dy = (gY! * fy) / z;
    if (!clampedU) {
      dx += gU / z;
      dz -= (gU * u) / z;
    }
    if (!clampedV) {
      dy += gV / z;
      dz -= (gV * v) / z;
    }
    for (let k = 0; k < 3; k++) gradient.means[i * 3 + k]! += dx * view[k]! + dy * view[4 + k]! + dz * view[8 + k]!;
    colorGradient(scene, i, centre, [gRed!, gGreen!, gBlue!], gradient);
  }
  return gradient;
}

/** Adds the derivatives by a quaternion as stored, from those by the rotation of its direction. */
function rotationGradient(quaternions: Float32Array, i: number, g: Float64Array, out: Float64Array): void {
  const [w0, x0, y0, z0] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
  const length = Math.sqrt(w0 * w0 + x0 * x0 + y0 * y0 + z0 * z0);
  const [w, x, y, z] = [w0 / length, x0 / length, y0 / length, z0 / length];
  const unit = [
    2 * (x * (g[7]! - g[5]!) + y * (g[2]! - g[6]!) + z * (g[3]! - g[1]!)),
    2 * (y * (g[1]! + g[3]!) + z * (g[2]! + g[6]!) - 2 * x * (g[4]! + g[8]!) + w * (g[7]! - g[5]!)),
    2 * (x * (g[1]! + g[3]!) + z * (g[5]! + g[7]!) - 2 * y * (g[0]! + g[8]!) + w * (g[2]! - g[6]!)),
    2 * (x * (g[2]! + g[6]!) + y * (g[5]! + g[7]!) - 2 * z * (g[0]! + g[4]!) + w * (g[3]! - g[1]!)),
  ];
  const along = unit[0]! * w + unit[1]! * x + unit[2]! * y + unit[3]! * z;
  for (const [k, component] of [w, x, y, z].entries()) out[i * 4 + k]! += (unit[k]! - along * component) / length;
}

const basisGradient = new Float64Array(48);
const unclamped = new Float64Array(3);

/** Adds the derivatives by the spherical harmonics and, through the direction, by the centre. */
function colorGradient(scene: SplatScene, i: number, centre: readonly number[], g: readonly number[], gradient: SceneGradient): void {
  const { shDegree, sh } = scene;
  const coefficients = shCoefficientCount(shDegree);
  colorOf(scene, i, centre, unclamped);
  const passed = g.map((value, c) => (unclamped[c]! >= 0 ? value : 0));
  const base = i * coefficients * 3;
  for (let k = 0; k < coefficients; k++) for (let c = 0; c < 3; c++) gradient.sh[base + k * 3 + c]! += basis[k]! * passed[c]!;
  if (shDegree === 0) return;
  const offset = [0, 1, 2].map((k) => scene.means[i * 3 + k]! - centre[k]!);
  const length = Math.hypot(...offset);
  if (length < 1e-12) return;
  const direction = offset.map((value) => value / length);
  shBasisGradient(shDegree, direction[0]!, direction[1]!, direction[2]!, basisGradient);
  const byDirection = [0, 0, 0];
  for (let k = 1; k < coefficients; k++) {
    const weight = passed[0]! * sh[base + k * 3]! + passed[1]! * sh[base + k * 3 + 1]! + passed[2]! * sh[base + k * 3 + 2]!;
    for (let axis = 0; axis < 3; axis++) byDirection[axis]! += weight * basisGradient[k * 3 + axis]!;
  }
  const along = byDirection[0]! * direction[0]! + byDirection[1]! * direction[1]! + byDirection[2]! * direction[2]!;
  for (let axis = 0; axis < 3; axis++) gradient.means[i * 3 + axis]! += (byDirection[axis]! - along * direction[axis]!) / length;
}
