import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import type { Lift } from "../lift/lift.js";
import { edgeCoverage, isInner, outlineShare, viewLowPass } from "../lift/outline-curve.js";
import { type Camera, cameraCentre } from "../render/camera.js";
import { render } from "../render/render.js";
import type { SplatScene } from "../splats/scene.js";

export interface ViewPictureOptions {
  /** `"source"` (default): the photo with the product painted out; `"transparent"`: RGBA; or a colour, 0 to 255. */
  readonly background?: "source" | "transparent" | readonly [number, number, number];
}

/** What a camera sees of a lift. */
export interface ViewPicture {
  /** RGB, or RGBA with a transparent background. */
  readonly image: Image;
  /** One channel, 0 to 255. */
  readonly mask: Image;
  /** 0 to 1: 99th percentile, over the inside of the mask, of what shines through the splats before that is closed. */
  readonly leak: number;
}

/**
 * Draws a lift as a camera sees it. Colours are divided by what the splats cover, so that nothing shines through between them, and then laid
 * over the background by the mask.
 */
export function renderView(lifted: Lift, camera: Camera, { background = "source" }: ViewPictureOptions = {}): ViewPicture {
  if (background === "source" && (camera.width !== lifted.camera.width || camera.height !== lifted.camera.height)) {
    throw new ArgumentError(
      `renderView: expected a camera of ${lifted.camera.width} × ${lifted.camera.height} for the photo's own background, got ${camera.width} × ${camera.height}`,
    );
  }
  const { width, height, rgb, alpha } = render(facingScene(lifted, camera), camera, { lowPass: viewLowPass });
  const transparent = background === "transparent";
  const channels = transparent ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const maskData = new Uint8Array(width * height);
  const plain = typeof background === "string" ? undefined : background.map((value) => value / 255);
  const through = new Uint32Array(256);
  for (let i = 0; i < maskData.length; i++) {
    const covered = alpha[i]!;
    const part = isInner(alpha, i, width) ? 1 : outlineShare(lifted.outlineCurve, edgeCoverage(alpha, i, width));
    const level = Math.round(part * 255);
    maskData[i] = level;
    if (transparent) data[i * 4 + 3] = level;
    const from = covered < 0.5 ? mostCovered(alpha, i, width) : i;
    for (let c = 0; c < 3; c++) {
      const own = level > 0 ? Math.min(Math.max(rgb[from * 3 + c]! / Math.max(alpha[from]!, 1e-6), 0), 1) : 0;
      const behind = transparent ? own : plain ? plain[c]! : lifted.plate[i * 3 + c]!;
      data[i * channels + c] = Math.round((behind + (own - behind) * part) * 255);
    }
  }
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      if (maskData[i]! < 128 || maskData[i - 1]! < 128 || maskData[i + 1]! < 128 || maskData[i - width]! < 128 || maskData[i + width]! < 128)
        continue;
      through[Math.min(Math.floor((1 - alpha[i]!) * 256), 255)]!++;
    }
  }
  return {
    image: { width, height, channels, data },
    mask: { width, height, channels: 1, data: maskData },
    leak: percentile(through, 0.99),
  };
}

/** Where the colour of a hardly covered pixel is taken from: itself or the neighbour of which more is known. */
function mostCovered(alpha: Float32Array, i: number, width: number): number {
  let best = i;
  for (const j of [i - 1, i + 1, i - width, i + width]) if ((alpha[j] ?? 0) > alpha[best]!) best = j;
  return best;
}

/** Cosine to which the back is drawn although it turns away: the limb needs a little of both sides. */
const turnedAway = -0.05;

/**
 * The front, and of the back what turns to the camera: the rest would only shine through between the splats of the front. From a measured depth
 * the whole back stays, since there may be gaps between near and far parts of the front.
 */
function facingScene({ scene, frontCount, source }: Lift, camera: Camera): SplatScene {
  if (source === "depth") return scene;
  const { count, means, scales, quaternions, opacities, sh } = scene;
  const eye = cameraCentre(camera);
  const kept = { means: means.slice(), scales: scales.slice(), quaternions: quaternions.slice(), opacities: opacities.slice(), sh: sh.slice() };
  let to = frontCount;
  for (let i = frontCount; i < count; i++) {
    // The thin axis is the normal; the splats of a lift carry it towards the inside of the back, away from the photo's camera on the front.
    const [w, p, q, r] = [quaternions[i * 4]!, quaternions[i * 4 + 1]!, quaternions[i * 4 + 2]!, quaternions[i * 4 + 3]!];
    const [nx, ny, nz] = [2 * (p * r + w * q), 2 * (q * r - w * p), w * w - p * p - q * q + r * r];
    const [x, y, z] = [eye[0] - means[i * 3]!, eye[1] - means[i * 3 + 1]!, eye[2] - means[i * 3 + 2]!];
    const facing = (nx * x + ny * y + nz * z) / Math.sqrt((x * x + y * y + z * z) * (nx * nx + ny * ny + nz * nz));
    if (facing < turnedAway) continue;
    if (to < i) {
      kept.means.copyWithin(to * 3, i * 3, i * 3 + 3);
      kept.scales.copyWithin(to * 3, i * 3, i * 3 + 3);
      kept.quaternions.copyWithin(to * 4, i * 4, i * 4 + 4);
      kept.opacities.copyWithin(to, i, i + 1);
      kept.sh.copyWithin(to * 3, i * 3, i * 3 + 3);
    }
    to++;
  }
  return {
    ...scene,
    count: to,
    means: kept.means.subarray(0, to * 3),
    scales: kept.scales.subarray(0, to * 3),
    quaternions: kept.quaternions.subarray(0, to * 4),
    opacities: kept.opacities.subarray(0, to),
    sh: kept.sh.subarray(0, to * 3),
  };
}

/** Of a histogram over 0 to 1; 0 if it is empty. */
function percentile(histogram: Uint32Array, part: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let bin = 0; bin < histogram.length; bin++) {
    seen += histogram[bin]!;
    if (seen >= part * total && seen > 0) return bin / histogram.length;
  }
  return 0;
}
