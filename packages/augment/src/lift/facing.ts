import { type Camera, cameraCentre } from "../render/camera.js";
import type { SplatScene } from "../splats/scene.js";
import type { Lift } from "./lift.js";
import { pickSplats } from "./splat-buffer.js";

/** Cosine to which the back is drawn although it turns away: the limb needs a little of both sides. */
const turnedAway = -0.05;

/**
 * The splats that are to be drawn: the front, and of the back what turns to the camera; the rest would only shine through between the splats of
 * the front. From a measured depth the whole back stays, since there may be gaps between near and far parts of the front.
 *
 * @param among indices to choose from, in order; default all.
 */
export function facingScene(
  { scene, frontCount, source }: Pick<Lift, "scene" | "frontCount" | "source">,
  camera: Camera,
  among?: Int32Array,
): SplatScene {
  if (source === "depth") return among ? pickSplats(scene, among) : scene;
  const { means, quaternions } = scene;
  const eye = cameraCentre(camera);
  const total = among?.length ?? scene.count;
  const kept = new Int32Array(total);
  let count = 0;
  for (let k = 0; k < total; k++) {
    const i = among ? among[k]! : k;
    if (i >= frontCount) {
      // The thin axis is the normal; the splats of a lift carry it towards the inside of the back, away from the photo's camera on the front.
      const [w, p, q, r] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
      const [nx, ny, nz] = [2 * (p * r + w * q), 2 * (q * r - w * p), w * w - p * p - q * q + r * r];
      const [x, y, z] = [eye[0] - means[i * 3]!, eye[1] - means[i * 3 + 1]!, eye[2] - means[i * 3 + 2]!];
      const facing = (nx * x + ny * y + nz * z) / Math.sqrt((x * x + y * y + z * z) * (nx * nx + ny * ny + nz * nz));
      if (facing < turnedAway) continue;
    }
    kept[count++] = i;
  }
  return pickSplats(scene, kept.subarray(0, count));
}
