import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import { facingSplats } from "../lift/facing.js";
import type { Lift } from "../lift/lift.js";
import { edgeCoverage, isInner, outlineShare, viewLowPass } from "../lift/outline-curve.js";
import { type Camera, checkCamera } from "../render/camera.js";
import { drawSplats } from "../render/render.js";

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
  checkCamera(camera, "renderView");
  const { width, height, rgb, alpha } = drawSplats(lifted.scene, camera, { lowPass: viewLowPass }, facingSplats(lifted, camera));
  const transparent = background === "transparent";
  const channels = transparent ? 4 : 3;
  const data = new Uint8Array(width * height * channels);
  const maskData = new Uint8Array(width * height);
  const behind = transparent ? undefined : typeof background === "string" ? lifted.plate : plainPlate(background, width * height);
  layOver(data, maskData, channels, { rgb, alpha, width }, lifted.outlineCurve, behind);
  const through = new Uint32Array(256);
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

function plainPlate([red, green, blue]: readonly [number, number, number], pixels: number): Float32Array {
  const plate = new Float32Array(pixels * 3);
  for (let i = 0; i < plate.length; i += 3) {
    plate[i] = red / 255;
    plate[i + 1] = green / 255;
    plate[i + 2] = blue / 255;
  }
  return plate;
}

/**
 * Lays what was drawn over a background by the mask that its coverage stands for.
 *
 * @param data with four channels the mask becomes alpha, and nothing is mixed.
 * @param behind [H, W, 3], 0 to 1.
 */
function layOver(
  data: Uint8Array,
  mask: Uint8Array,
  channels: number,
  { rgb, alpha, width }: { readonly rgb: Float32Array; readonly alpha: Float32Array; readonly width: number },
  outlineCurve: Float32Array,
  behind: Float32Array | undefined,
): void {
  for (let i = 0, at = 0; i < mask.length; i++, at += channels) {
    const covered = alpha[i]!;
    const none = covered === 0 && isEmpty(alpha, i, width);
    const part = none ? 0 : isInner(alpha, i, width) ? 1 : outlineShare(outlineCurve, edgeCoverage(alpha, i, width));
    const level = Math.round(part * 255);
    mask[i] = level;
    if (channels === 4) data[at + 3] = level;
    if (level === 0) {
      if (behind) for (let c = 0; c < 3; c++) data[at + c] = behind[i * 3 + c]! * (1 - part) * 255 + 0.5;
      continue;
    }
    const from = covered < 0.5 ? mostCovered(alpha, i, width) : i;
    const scale = 1 / Math.max(alpha[from]!, 1e-6);
    for (let c = 0; c < 3; c++) {
      const own = Math.min(Math.max(rgb[from * 3 + c]! * scale, 0), 1);
      const back = behind ? behind[i * 3 + c]! : own;
      data[at + c] = (back + (own - back) * part) * 255 + 0.5;
    }
  }
}

/** Whether none of a pixel's neighbours is covered. */
function isEmpty(alpha: Float32Array, i: number, width: number): boolean {
  const last = alpha.length - 1;
  return !(
    (i > 0 && alpha[i - 1]! > 0) ||
    (i < last && alpha[i + 1]! > 0) ||
    (i >= width && alpha[i - width]! > 0) ||
    (i + width <= last && alpha[i + width]! > 0)
  );
}

/** Where the colour of a hardly covered pixel is taken from: itself or the neighbour of which more is known. */
function mostCovered(alpha: Float32Array, i: number, width: number): number {
  const last = alpha.length - 1;
  let best = i;
  if (i > 0 && alpha[i - 1]! > alpha[best]!) best = i - 1;
  if (i < last && alpha[i + 1]! > alpha[best]!) best = i + 1;
  if (i >= width && alpha[i - width]! > alpha[best]!) best = i - width;
  if (i + width <= last && alpha[i + width]! > alpha[best]!) best = i + width;
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
