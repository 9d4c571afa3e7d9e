import { createScene, type SplatScene, shC0 } from "../splats/scene.js";

/** A scene of degree 0 that grows. */
export interface SplatBuffer {
  count: number;
  means: Float32Array;
  scales: Float32Array;
  quaternions: Float32Array;
  sh: Float32Array;
  /** The pixel of the silhouette that each splat stands for. */
  sources: Int32Array;
}

export function splatBuffer(capacity: number): SplatBuffer {
  return {
    count: 0,
    means: new Float32Array(capacity * 3),
    scales: new Float32Array(capacity * 3),
    quaternions: new Float32Array(capacity * 4),
    sh: new Float32Array(capacity * 3),
    sources: new Int32Array(capacity),
  };
}

/** Thickness of a splat as a part of its smaller extent in the surface. */
const thickness = 0.1;

/**
 * Adds a splat that covers the parallelogram of two tangents a and b about (x, y, z): covariance σ²(a·aᵀ + b·bᵀ), thin across.
 */
export function addSplat(
  buffer: SplatBuffer,
  source: number,
  x: number,
  y: number,
  z: number,
  ax: number,
  ay: number,
  az: number,
  bx: number,
  by: number,
  bz: number,
  sigma: number,
  red: number,
  green: number,
  blue: number,
): void {
  if ((buffer.count + 1) * 3 > buffer.means.length) grow(buffer);
  const i = buffer.count++;
  const { means, scales, quaternions, sh } = buffer;
  buffer.sources[i] = source;
  means[i * 3] = x;
  means[i * 3 + 1] = y;
  means[i * 3 + 2] = z;
  sh[i * 3] = (red - 0.5) / shC0;
  sh[i * 3 + 1] = (green - 0.5) / shC0;
  sh[i * 3 + 2] = (blue - 0.5) / shC0;
  // An orthonormal frame: u along a, n across both, v = n × u.
  const lengthA = Math.sqrt(ax * ax + ay * ay + az * az);
  const ux = ax / lengthA;
  const uy = ay / lengthA;
  const uz = az / lengthA;
  let nx = ay * bz - az * by;
  let ny = az * bx - ax * bz;
  let nz = ax * by - ay * bx;
  const lengthN = Math.sqrt(nx * nx + ny * ny + nz * nz);
  nx /= lengthN;
  ny /= lengthN;
  nz /= lengthN;
  const vx = ny * uz - nz * uy;
  const vy = nz * ux - nx * uz;
  const vz = nx * uy - ny * ux;
  const bu = bx * ux + by * uy + bz * uz;
  const bv = bx * vx + by * vy + bz * vz;
  // Principal axes of the covariance in the (u, v) plane.
  const uu = lengthA * lengthA + bu * bu;
  const uv = bu * bv;
  const vv = bv * bv;
  const middle = (uu + vv) / 2;
  const radius = Math.sqrt((uu - vv) * (uu - vv) * 0.25 + uv * uv);
  const major = Math.sqrt(middle + radius);
  const minor = Math.sqrt(Math.max(middle - radius, 1e-6 * middle));
  // Cosine and sine of half the angle whose cosine is this: the major axis against u.
  const twice = radius > 0 ? (uu - vv) / (2 * radius) : 1;
  const c = Math.sqrt(Math.max((1 + twice) / 2, 0));
  const s = (uv < 0 ? -1 : 1) * Math.sqrt(Math.max((1 - twice) / 2, 0));
  scales[i * 3] = sigma * major;
  scales[i * 3 + 1] = sigma * minor;
  scales[i * 3 + 2] = sigma * minor * thickness;
  rotationToQuaternion(
    quaternions,
    i * 4,
    c * ux + s * vx,
    c * uy + s * vy,
    c * uz + s * vz,
    c * vx - s * ux,
    c * vy - s * uy,
    c * vz - s * uz,
    nx,
    ny,
    nz,
  );
}

/** The quaternion w, x, y, z of the rotation whose columns are these three orthonormal axes. */
function rotationToQuaternion(
  out: Float32Array,
  at: number,
  m00: number,
  m10: number,
  m20: number,
  m01: number,
  m11: number,
  m21: number,
  m02: number,
  m12: number,
  m22: number,
): void {
  // The largest of the four is computed first, so that nothing is divided by a small number.
  const trace = m00 + m11 + m22;
  if (trace > 0) {
    const r = Math.sqrt(1 + trace) * 2;
    out[at] = r / 4;
    out[at + 1] = (m21 - m12) / r;
    out[at + 2] = (m02 - m20) / r;
    out[at + 3] = (m10 - m01) / r;
  } else if (m00 >= m11 && m00 >= m22) {
    const r = Math.sqrt(1 + m00 - m11 - m22) * 2;
    out[at] = (m21 - m12) / r;
    out[at + 1] = r / 4;
    out[at + 2] = (m01 + m10) / r;
    out[at + 3] = (m02 + m20) / r;
  } else if (m11 >= m22) {
    const r = Math.sqrt(1 + m11 - m00 - m22) * 2;
    out[at] = (m02 - m20) / r;
    out[at + 1] = (m01 + m10) / r;
    out[at + 2] = r / 4;
    out[at + 3] = (m12 + m21) / r;
  } else {
    const r = Math.sqrt(1 + m22 - m00 - m11) * 2;
    out[at] = (m10 - m01) / r;
    out[at + 1] = (m02 + m20) / r;
    out[at + 2] = (m12 + m21) / r;
    out[at + 3] = r / 4;
  }
}

function grow(buffer: SplatBuffer): void {
  const larger = splatBuffer(Math.max(64, buffer.means.length / 2));
  larger.means.set(buffer.means);
  larger.scales.set(buffer.scales);
  larger.quaternions.set(buffer.quaternions);
  larger.sh.set(buffer.sh);
  larger.sources.set(buffer.sources);
  const { count } = buffer;
  Object.assign(buffer, larger, { count });
}

const identity: readonly number[] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

/** The splats in hand, in the memory of the buffer, moved from camera to world coordinates: x → Rᵀ(x - t). */
export function sceneFromBuffer({ count, means, scales, quaternions, sh }: SplatBuffer, view: ArrayLike<number>, opacity: number): SplatScene {
  const scene: SplatScene = {
    ...createScene(0),
    count,
    means: means.subarray(0, count * 3),
    scales: scales.subarray(0, count * 3),
    quaternions: quaternions.subarray(0, count * 4),
    opacities: new Float32Array(count).fill(opacity),
    sh: sh.subarray(0, count * 3),
  };
  if (identity.every((value, k) => view[k] === value)) return scene;
  const turn = new Float32Array(4);
  // The columns of Rᵀ are the rows of R.
  rotationToQuaternion(turn, 0, view[0]!, view[1]!, view[2]!, view[4]!, view[5]!, view[6]!, view[8]!, view[9]!, view[10]!);
  const [a, b, c, d] = turn as unknown as readonly [number, number, number, number];
  for (let i = 0; i < count; i++) {
    const x = scene.means[i * 3]! - view[3]!;
    const y = scene.means[i * 3 + 1]! - view[7]!;
    const z = scene.means[i * 3 + 2]! - view[11]!;
    scene.means[i * 3] = view[0]! * x + view[4]! * y + view[8]! * z;
    scene.means[i * 3 + 1] = view[1]! * x + view[5]! * y + view[9]! * z;
    scene.means[i * 3 + 2] = view[2]! * x + view[6]! * y + view[10]! * z;
    const w = quaternions[i * 4]!;
    const p = quaternions[i * 4 + 1]!;
    const q = quaternions[i * 4 + 2]!;
    const r = quaternions[i * 4 + 3]!;
    scene.quaternions[i * 4] = a * w - b * p - c * q - d * r;
    scene.quaternions[i * 4 + 1] = a * p + b * w + c * r - d * q;
    scene.quaternions[i * 4 + 2] = a * q - b * r + c * w + d * p;
    scene.quaternions[i * 4 + 3] = a * r + b * q - c * p + d * w;
  }
  return scene;
}
