import { ArgumentError } from "@refadgen/errors";

/** Degree of the spherical harmonics of the colour; degree d has K = (d + 1)² coefficients. */
export type ShDegree = 0 | 1 | 2 | 3;

/**
 * N three-dimensional Gaussians, structure of arrays.
 *
 * Axes are those of a 3D Gaussian splatting `.ply`: x right, y down, z forward (the camera's, OpenCV); lengths are in the scene's own unit.
 */
export interface SplatScene {
  /** N. */
  readonly count: number;
  readonly shDegree: ShDegree;
  /** [N, 3] centres. */
  readonly means: Float32Array;
  /** [N, 3] standard deviations along the splat's own axes: linear, not logarithms. */
  readonly scales: Float32Array;
  /** [N, 4] rotations as w, x, y, z; of any length but zero, normalised where they are used. */
  readonly quaternions: Float32Array;
  /** [N] linear, 0 to 1: not logits. */
  readonly opacities: Float32Array;
  /** [N, K, 3] spherical harmonics, coefficient by coefficient, the constant one first; colour = max(0, Σ + 0.5), in the range 0 to 1. */
  readonly sh: Float32Array;
}

/** The constant spherical harmonic, 1/(2√π): colour = 0.5 + shC0 · sh[0]. */
export const shC0 = 0.28209479177387814;

/** Number of coefficients of a degree. */
export function shCoefficientCount(degree: ShDegree): number {
  return (degree + 1) ** 2;
}

/** A scene of `count` splats, all zero but for the rotations, which are the identity. */
export function createScene(count: number, shDegree: ShDegree = 0): SplatScene {
  if (!Number.isInteger(count) || count < 0) throw new ArgumentError(`createScene: expected a count of at least 0, got ${count}`);
  const quaternions = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) quaternions[i * 4] = 1;
  return {
    count,
    shDegree,
    means: new Float32Array(count * 3),
    scales: new Float32Array(count * 3),
    quaternions,
    opacities: new Float32Array(count),
    sh: new Float32Array(count * shCoefficientCount(shDegree) * 3),
  };
}

const fields = { means: 3, scales: 3, quaternions: 4, opacities: 1 } as const;

/**
 * Refuses a scene that cannot be drawn.
 *
 * @throws ArgumentError if an array has the wrong length, a number is not finite, a scale is negative, an opacity is outside 0 to 1
 *   or a quaternion is zero; the message names the splat and the field.
 */
export function checkScene(scene: SplatScene, where = "checkScene"): void {
  const { count, shDegree } = scene;
  if (!Number.isInteger(count) || count < 0) throw new ArgumentError(`${where}: expected a count of at least 0, got ${count}`);
  if (![0, 1, 2, 3].includes(shDegree)) throw new ArgumentError(`${where}: expected an shDegree of 0 to 3, got ${shDegree}`);
  const widths = { ...fields, sh: shCoefficientCount(shDegree) * 3 };
  for (const [field, width] of Object.entries(widths) as [keyof typeof widths, number][]) {
    const values = scene[field];
    if (values.length !== count * width) {
      throw new ArgumentError(`${where}: expected ${field} of ${count} × ${width} numbers, got ${values.length}`);
    }
    if (allFinite(values)) continue;
    const bad = values.findIndex((value) => !Number.isFinite(value));
    throw new ArgumentError(`${where}: expected finite ${field}, got ${values[bad]} in splat ${Math.floor(bad / width)}`);
  }
  const { scales, opacities, quaternions } = scene;
  for (let i = 0; i < scales.length; i++) {
    if (scales[i]! < 0) throw new ArgumentError(`${where}: expected scales of at least 0, got ${scales[i]} in splat ${Math.floor(i / 3)}`);
  }
  for (let i = 0; i < count; i++) {
    const opacity = opacities[i]!;
    if (opacity < 0 || opacity > 1) throw new ArgumentError(`${where}: expected opacities of 0 to 1, got ${opacity} in splat ${i}`);
    if (quaternions[i * 4] === 0 && quaternions[i * 4 + 1] === 0 && quaternions[i * 4 + 2] === 0 && quaternions[i * 4 + 3] === 0) {
      throw new ArgumentError(`${where}: expected a rotation, got the zero quaternion in splat ${i}`);
    }
  }
}

/** 0 times a number is 0 if it is finite, and not a number if it is not: no branch per number, and four sums that do not wait for each other. */
function allFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * 0;
  return a + b + c + d === 0;
}

/** The splats of several scenes in one, in order; the result has the highest degree among them, lower ones are padded with zeros. */
export function joinScenes(scenes: readonly SplatScene[]): SplatScene {
  const degree = scenes.reduce<ShDegree>((highest, { shDegree }) => Math.max(highest, shDegree) as ShDegree, 0);
  const joined = createScene(
    scenes.reduce((sum, { count }) => sum + count, 0),
    degree,
  );
  const width = shCoefficientCount(degree) * 3;
  let at = 0;
  for (const scene of scenes) {
    joined.means.set(scene.means, at * 3);
    joined.scales.set(scene.scales, at * 3);
    joined.quaternions.set(scene.quaternions, at * 4);
    joined.opacities.set(scene.opacities, at);
    const own = shCoefficientCount(scene.shDegree) * 3;
    for (let i = 0; i < scene.count; i++) joined.sh.set(scene.sh.subarray(i * own, (i + 1) * own), (at + i) * width);
    at += scene.count;
  }
  return joined;
}

/** The smallest box that holds all centres; undefined for a scene without splats. */
export function sceneBounds({ count, means }: SplatScene): { readonly min: readonly number[]; readonly max: readonly number[] } | undefined {
  if (count === 0) return undefined;
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < count * 3; i++) {
    min[i % 3] = Math.min(min[i % 3]!, means[i]!);
    max[i % 3] = Math.max(max[i % 3]!, means[i]!);
  }
  return { min, max };
}
