import type { Lift } from "../lift/lift.js";
import { type Camera, cameraCentre } from "../render/camera.js";
import type { ViewQuality } from "./similar-views.js";

/** What can be said of a view before it is drawn. */
export interface ViewGeometry {
  readonly coverage: number;
  readonly stretch: number;
  /** Part of the splats that lie inside the frame. */
  readonly framed: number;
}

/** One splat in so many is looked at. */
const stride = 11;

/**
 * How a camera sees a lift: how much of what faces it is the front that the photo shows, and how far its pixels are spread. Judged by the
 * areas of the splats; that one hides another is left out.
 */
export function viewGeometry({ scene, frontCount, camera: photo }: Lift, camera: Camera): ViewGeometry {
  const { count, means, scales, quaternions } = scene;
  const from = cameraCentre(photo);
  const eye = cameraCentre(camera);
  const { view, width, height, fx, fy, cx, cy } = camera;
  let [shown, continued, framed, looked] = [0, 0, 0, 0];
  const ratios = new Float64Array(Math.ceil(count / stride));
  let facingCount = 0;
  for (let i = 0; i < count; i += stride) {
    const [x, y, z] = [means[i * 3]!, means[i * 3 + 1]!, means[i * 3 + 2]!];
    const depth = view[8]! * x + view[9]! * y + view[10]! * z + view[11]!;
    const u = (fx * (view[0]! * x + view[1]! * y + view[2]! * z + view[3]!)) / depth + cx;
    const v = (fy * (view[4]! * x + view[5]! * y + view[6]! * z + view[7]!)) / depth + cy;
    looked++;
    if (depth > 0 && u >= 0 && v >= 0 && u <= width && v <= height) framed++;
    // The thin axis of a splat is its normal.
    const [w, p, q, r] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
    const scale = 2 / (w * w + p * p + q * q + r * r);
    const [nx, ny, nz] = [scale * (p * r + w * q), scale * (q * r - w * p), 1 - scale * (p * p + q * q)];
    const [ax, ay, az] = [from[0] - x, from[1] - y, from[2] - z];
    const [bx, by, bz] = [eye[0] - x, eye[1] - y, eye[2] - z];
    const [a2, b2] = [ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz];
    const before = (nx * ax + ny * ay + nz * az) / Math.sqrt(a2);
    const after = (nx * bx + ny * by + nz * bz) / Math.sqrt(b2);
    const front = i < frontCount;
    // Front normals point to the photo's camera, those of the back away from it.
    const facing = before >= 0 === front ? after : -after;
    if (facing <= 0) continue;
    const area = (scales[i * 3]! * scales[i * 3 + 1]! * facing) / b2;
    if (front) {
      shown += area;
      ratios[facingCount++] = (facing / Math.max(Math.abs(before), 1e-3)) * (a2 / b2) * ((fx * fy) / (photo.fx * photo.fy));
    } else continued += area;
  }
  const sorted = ratios.subarray(0, facingCount).sort();
  return {
    coverage: shown + continued > 0 ? shown / (shown + continued) : 0,
    stretch: Math.max(1, facingCount > 0 ? sorted[Math.min(Math.floor(facingCount * 0.95), facingCount - 1)]! : 1),
    framed: looked > 0 ? framed / looked : 0,
  };
}

/** Half the outline continued, a stretch of eight, or a third shining through: each alone is worth nothing. */
export function viewQuality({ coverage, stretch }: Pick<ViewGeometry, "coverage" | "stretch">, leak: number): ViewQuality {
  const part = (value: number): number => Math.min(Math.max(value, 0), 1);
  const score = part((coverage - 0.5) / 0.4) * part((8 - stretch) / 5) * part((1 / 3 - leak) / 0.3);
  return { coverage, leak, stretch, score };
}
