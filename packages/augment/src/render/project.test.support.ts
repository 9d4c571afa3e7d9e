import { type SplatScene, shC0, shCoefficientCount } from "../splats/scene.js";
import { type Camera, cameraCentre } from "./camera.js";
import { alphaFloor, type RenderSettings, radiusInSigmas } from "./options.js";
import { type ProjectedSplats, recordLength, tangentLimits } from "./project.js";
import { shBasis } from "./spherical-harmonics.js";

/** `projectSplats` one splat after the other, without bounds that only save time. */
export function projectSlowly(
  scene: SplatScene,
  camera: Camera,
  settings: Pick<RenderSettings, "antialiased" | "lowPass" | "compensationFloor" | "normals">,
): Omit<ProjectedSplats, "ranges"> {
  const { means, scales, quaternions, opacities, sh, shDegree } = scene;
  const { width, height, fx, fy, cx, cy, view, near = 0.01, far = 1e10 } = camera;
  const { antialiased, lowPass, compensationFloor, normals } = settings;
  const index = new Uint32Array(scene.count);
  const out = new Float32Array(scene.count * recordLength);
  const [w00, w01, w02, tx] = [view[0]!, view[1]!, view[2]!, view[3]!];
  const [w10, w11, w12, ty] = [view[4]!, view[5]!, view[6]!, view[7]!];
  const [w20, w21, w22, tz] = [view[8]!, view[9]!, view[10]!, view[11]!];
  const [centreX, centreY, centreZ] = cameraCentre(camera);
  const { minX, maxX, minY, maxY } = tangentLimits(camera);
  const coefficients = shCoefficientCount(shDegree);
  const basis = new Float64Array(16);
  let count = 0;

  for (let i = 0; i < scene.count; i++) {
    const mx = means[i * 3]!;
    const my = means[i * 3 + 1]!;
    const mz = means[i * 3 + 2]!;
    const z = w20 * mx + w21 * my + w22 * mz + tz;
    if (!(z > near && z < far)) continue;
    const x = w00 * mx + w01 * my + w02 * mz + tx;
    const y = w10 * mx + w11 * my + w12 * mz + ty;

    const qw = quaternions[i * 4]!;
    const qx = quaternions[i * 4 + 1]!;
    const qy = quaternions[i * 4 + 2]!;
    const qz = quaternions[i * 4 + 3]!;
    const twice = 2 / (qw * qw + qx * qx + qy * qy + qz * qz);
    const r00 = 1 - twice * (qy * qy + qz * qz);
    const r01 = twice * (qx * qy - qw * qz);
    const r02 = twice * (qx * qz + qw * qy);
    const r10 = twice * (qx * qy + qw * qz);
    const r11 = 1 - twice * (qx * qx + qz * qz);
    const r12 = twice * (qy * qz - qw * qx);
    const r20 = twice * (qx * qz - qw * qy);
    const r21 = twice * (qy * qz + qw * qx);
    const r22 = 1 - twice * (qx * qx + qy * qy);

    const u = Math.min(Math.max(x / z, minX), maxX);
    const v = Math.min(Math.max(y / z, minY), maxY);
    const ax = fx / z;
    const ay = fy / z;
    // Rows of J·W.
    const p0 = ax * (w00 - u * w20);
    const p1 = ax * (w01 - u * w21);
    const p2 = ax * (w02 - u * w22);
    const o0 = ay * (w10 - v * w20);
    const o1 = ay * (w11 - v * w21);
    const o2 = ay * (w12 - v * w22);
    const s0 = scales[i * 3]!;
    const s1 = scales[i * 3 + 1]!;
    const s2 = scales[i * 3 + 2]!;
    const e0 = (p0 * r00 + p1 * r10 + p2 * r20) * s0;
    const e1 = (p0 * r01 + p1 * r11 + p2 * r21) * s1;
    const e2 = (p0 * r02 + p1 * r12 + p2 * r22) * s2;
    const g0 = (o0 * r00 + o1 * r10 + o2 * r20) * s0;
    const g1 = (o0 * r01 + o1 * r11 + o2 * r21) * s1;
    const g2 = (o0 * r02 + o1 * r12 + o2 * r22) * s2;
    const c00 = e0 * e0 + e1 * e1 + e2 * e2;
    const c01 = e0 * g0 + e1 * g1 + e2 * g2;
    const c11 = g0 * g0 + g1 * g1 + g2 * g2;
    const before = c00 * c11 - c01 * c01;
    const d00 = c00 + lowPass;
    const d11 = c11 + lowPass;
    const after = Math.max(d00 * d11 - c01 * c01, 1e-10);
    const compensation = Math.max(Math.sqrt(Math.max(before / after, 0)), compensationFloor);
    const opacity = antialiased ? opacities[i]! * compensation : opacities[i]!;
    if (opacity < alphaFloor) continue;

    const px = (fx * x) / z + cx;
    const py = (fy * y) / z + cy;
    // Farther off than float32 can place: only a splat of absurd size could still reach the frame.
    if (!(Math.abs(px) < 1e15 && Math.abs(py) < 1e15)) continue;
    const sigmaX = Math.sqrt(d00);
    const sigmaY = Math.sqrt(d11);
    const radiusX = Math.ceil(radiusInSigmas * sigmaX);
    const radiusY = Math.ceil(radiusInSigmas * sigmaY);
    if (!(px + radiusX > 0 && px - radiusX < width && py + radiusY > 0 && py - radiusY < height)) continue;

    const at = count * recordLength;
    out[at] = px;
    out[at + 1] = py;
    out[at + 2] = d11 / after;
    out[at + 3] = -c01 / after;
    out[at + 4] = d00 / after;
    out[at + 5] = opacity;
    out[at + 9] = z;
    out[at + 15] = compensation;
    const base = i * coefficients * 3;
    let red = shC0 * sh[base]!;
    let green = shC0 * sh[base + 1]!;
    let blue = shC0 * sh[base + 2]!;
    if (shDegree > 0) {
      const dx = mx - centreX;
      const dy = my - centreY;
      const dz = mz - centreZ;
      const length = Math.max(Math.sqrt(dx * dx + dy * dy + dz * dz), 1e-12);
      shBasis(shDegree, dx / length, dy / length, dz / length, basis);
      for (let k = 1; k < coefficients; k++) {
        const weight = basis[k]!;
        red += weight * sh[base + k * 3]!;
        green += weight * sh[base + k * 3 + 1]!;
        blue += weight * sh[base + k * 3 + 2]!;
      }
    }
    out[at + 6] = Math.max(red + 0.5, 0);
    out[at + 7] = Math.max(green + 0.5, 0);
    out[at + 8] = Math.max(blue + 0.5, 0);

    if (normals) {
      const shortest = s0 <= s1 && s0 <= s2 ? 0 : s1 <= s2 ? 1 : 2;
      const n0 = shortest === 0 ? r00 : shortest === 1 ? r01 : r02;
      const n1 = shortest === 0 ? r10 : shortest === 1 ? r11 : r12;
      const n2 = shortest === 0 ? r20 : shortest === 1 ? r21 : r22;
      const nx = w00 * n0 + w01 * n1 + w02 * n2;
      const ny = w10 * n0 + w11 * n1 + w12 * n2;
      const nz = w20 * n0 + w21 * n1 + w22 * n2;
      const facing = nx * x + ny * y + nz * z > 0 ? -1 : 1;
      out[at + 10] = nx * facing;
      out[at + 11] = ny * facing;
      out[at + 12] = nz * facing;
    }
    index[count++] = i;
  }
  return { count, index: index.subarray(0, count), records: out };
}
