import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { facingScene } from "../lift/facing.js";
import type { Lift } from "../lift/lift.js";
import { edgeCoverage, isInner, outlineShare, viewLowPass } from "../lift/outline-curve.js";
import type { Camera } from "../render/camera.js";
import { render } from "../render/render.js";

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
    const none = covered === 0 && isEmpty(alpha, i, width);
    const part = none ? 0 : isInner(alpha, i, width) ? 1 : outlineShare(lifted.outlineCurve, edgeCoverage(alpha, i, width));
    const level = Math.round(part * 255);
    maskData[i] = level;
    if (transparent) data[i * 4 + 3] = level;
    const from = covered < 0.5 && !none ? mostCovered(alpha, i, width) : i;
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

/** Whether none of a pixel's neighbours is covered. */
function isEmpty(alpha: Float32Array, i: number, width: number): boolean {
  return !(alpha[i - 1]! > 0 || alpha[i + 1]! > 0 || alpha[i - width]! > 0 || alpha[i + width]! > 0);
}

/** Where the colour of a hardly covered pixel is taken from: itself or the neighbour of which more is known. */
function mostCovered(alpha: Float32Array, i: number, width: number): number {
  let best = i;
  for (const j of [i - 1, i + 1, i - width, i + width]) if ((alpha[j] ?? 0) > alpha[best]!) best = j;
  return best;
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
