import { type Camera, cameraCentre, type Vector3 } from "../render/camera.js";
import type { Lift } from "./lift.js";

/** Cosine to which the back is drawn although it turns away: the limb needs a little of both sides. */
const turnedAway = -0.05;

/**
 * The splats that are to be drawn: the front, and of the back what turns to the camera; the rest would only shine through between the splats of
 * the front. From a measured depth the whole back stays, since there may be gaps between near and far parts of the front.
 *
 * @param among indices to choose from, ascending; default all.
 * @returns indices, ascending; undefined for all.
 */
export function facingSplats(
  { scene, frontCount, source }: Pick<Lift, "scene" | "frontCount" | "source">,
  camera: Camera,
  among?: Int32Array,
): Int32Array | undefined {
  if (source === "depth") return among;
  const kept = among ? among.slice() : firstIntegers(scene.count);
  return kept.subarray(0, keepFacing(kept, scene.means, scene.quaternions, frontCount, cameraCentre(camera)));
}

function firstIntegers(count: number): Int32Array {
  const integers = new Int32Array(count);
  for (let i = 0; i < count; i++) integers[i] = i;
  return integers;
}

/** Moves those that are kept to the beginning, and returns how many. */
function keepFacing(splats: Int32Array, means: Float32Array, quaternions: Float32Array, frontCount: number, [eyeX, eyeY, eyeZ]: Vector3): number {
  let count = 0;
  for (let k = 0; k < splats.length; k++) {
    const i = splats[k]!;
    if (i >= frontCount) {
      // The thin axis is the normal; the splats of a lift carry it towards the inside of the back, away from the photo's camera on the front.
      const w = quaternions[i * 4]!;
      const p = quaternions[i * 4 + 1]!;
      const q = quaternions[i * 4 + 2]!;
      const r = quaternions[i * 4 + 3]!;
      const nx = 2 * (p * r + w * q);
      const ny = 2 * (q * r - w * p);
      const nz = w * w - p * p - q * q + r * r;
      const x = eyeX - means[i * 3]!;
      const y = eyeY - means[i * 3 + 1]!;
      const z = eyeZ - means[i * 3 + 2]!;
      const facing = (nx * x + ny * y + nz * z) / Math.sqrt((x * x + y * y + z * z) * (nx * nx + ny * ny + nz * nz));
      if (facing < turnedAway) continue;
    }
    splats[count++] = i;
  }
  return count;
}
