import { ArgumentError } from "@refadgen/errors";
import type { Vector3 } from "../render/camera.js";
import type { SplatScene } from "../splats/scene.js";

/** What a camera should look at, and how far around it. */
export interface Framing {
  readonly target: Vector3;
  /** Of a sphere about the target that holds what is to be seen, in the scene's unit. */
  readonly radius: number;
}

/** Parts of the splats that are left out at either end: the strays of a photographed scene would make all else tiny. */
const strays = 0.005;
const mostSamples = 200_000;

/**
 * The middle and the size of what a scene shows: the box of its visible splats without the outermost 0.5 % on each side.
 *
 * @throws ArgumentError for a scene in which nothing is visible.
 */
export function frameScene({ count, means, scales, opacities }: SplatScene): Framing {
  const step = Math.max(1, Math.floor(count / mostSamples));
  const samples: number[] = [];
  for (let i = 0; i < count; i += step) if (opacities[i]! > 0.05) samples.push(i);
  if (samples.length === 0) throw new ArgumentError(`frameScene: expected splats that can be seen, got ${count} with an opacity of at most 0.05`);
  const ends = [0, 1, 2].map((axis) => {
    const values = Float32Array.from(samples, (i) => means[i * 3 + axis]!).sort();
    const cut = Math.floor(values.length * strays);
    return [values[cut]!, values[values.length - 1 - cut]!] as const;
  });
  const target = ends.map(([low, high]) => (low + high) / 2) as unknown as Vector3;
  const distances = Float32Array.from(samples, (i) => {
    const [dx, dy, dz] = [0, 1, 2].map((axis) => means[i * 3 + axis]! - target[axis]!) as [number, number, number];
    const size = Math.max(scales[i * 3]!, scales[i * 3 + 1]!, scales[i * 3 + 2]!);
    return Math.sqrt(dx * dx + dy * dy + dz * dz) + size;
  }).sort();
  return { target, radius: Math.max(distances[Math.floor((distances.length - 1) * (1 - strays))]!, 1e-6) };
}
