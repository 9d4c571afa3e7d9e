import type { SplatScene } from "./scene.js";

/** Opacity of a logit. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Largest logit that is written: float32 has no opacity between its sigmoid and 1. */
const largestLogit = 16;

/** Logit of an opacity; 0 and 1, which have none, become ∓16. */
export function logit(opacity: number): number {
  return Math.min(Math.max(Math.log(opacity / (1 - opacity)), -largestLogit), largestLogit);
}

/** ln of a standard deviation; 0, which has none, becomes ln 1e-30. */
export function logScale(scale: number): number {
  return Math.log(Math.max(scale, 1e-30));
}

/** Writes a quaternion w, x, y, z of length 1 into a scene; a zero one, which turns nothing, becomes the identity. */
export function setQuaternion({ quaternions }: SplatScene, splat: number, w: number, x: number, y: number, z: number): void {
  const length = Math.sqrt(w * w + x * x + y * y + z * z);
  const at = splat * 4;
  if (!(length > 0)) {
    quaternions.set([1, 0, 0, 0], at);
    return;
  }
  quaternions[at] = w / length;
  quaternions[at + 1] = x / length;
  quaternions[at + 2] = y / length;
  quaternions[at + 3] = z / length;
}

/** Unit quaternion w, x, y, z of a splat. */
export function unitQuaternion({ quaternions }: SplatScene, splat: number): [number, number, number, number] {
  const [w, x, y, z] = quaternions.subarray(splat * 4, splat * 4 + 4) as unknown as [number, number, number, number];
  const length = Math.sqrt(w * w + x * x + y * y + z * z);
  return [w / length, x / length, y / length, z / length];
}

/** Rounds halves away from zero, as C's `round`. */
export function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

/** To a byte, halves away from zero. */
export function toByte(value: number): number {
  return Math.min(Math.max(roundAway(value), 0), 255);
}

/** The number that 16 bits of IEEE half precision stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
