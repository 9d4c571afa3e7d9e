import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError } from "@refadgen/errors";
import { type Image, loadImage, toGrey, toRgb } from "@refadgen/image";
import { lift } from "../lift/lift.js";
import type { Camera } from "../render/camera.js";
import { renderView } from "../views/render-view.js";
import { readDepthPng } from "./depth-png.js";
import { scoreView, type ViewScore } from "./view-score.js";

/** One object of a scene folder, lifted from its front view and compared with its true other views. */
export interface LiftScores {
  readonly object: string;
  /** Lifted with its true depth, or from its outline alone. */
  readonly source: "depth" | "outline";
  readonly views: readonly LiftViewScore[];
  /** Mean over the views other than `front`. */
  readonly mean: ViewScore;
}

export interface LiftViewScore extends ViewScore {
  readonly view: string;
  /** Degrees, as recorded. */
  readonly azimuth: number;
  readonly elevation: number;
}

interface RecordedCamera {
  readonly view: readonly (readonly number[])[];
  readonly K: readonly (readonly number[])[];
  readonly azimuth: number;
  readonly elevation: number;
}

/** Depth of one step of the 16-bit depth pictures. */
const depthUnit = 1e-4;

/** The recorded cameras of a scene folder, by name of the view. */
async function camerasOf(folder: string): Promise<ReadonlyMap<string, RecordedCamera>> {
  const cameras = new Map<string, RecordedCamera>(Object.entries(JSON.parse(await readFile(join(folder, "cameras.json"), "utf8"))));
  if (!cameras.has("front")) throw new ArgumentError(`scoreLift: expected a camera named front in ${folder}, got ${[...cameras.keys()].join(", ")}`);
  return cameras;
}

/**
 * Scores the lift of one object against its true views. The folder holds `cameras.json` (for each view its world-to-camera matrix `view`, `K`, `azimuth`,
 * `elevation`; all look at the origin, where the object is, over white) and `OBJECT_VIEW_{rgb,mask,depth}.png`, the depth in steps of 10⁻⁴ in 16 bits.
 *
 * @throws ArgumentError, ImageError, and the system's errors for files that are not there.
 */
export async function scoreLift(folder: string, object: string, source: "depth" | "outline"): Promise<LiftScores> {
  const cameras = await camerasOf(folder);
  const picture = async (view: string, kind: string): Promise<Image> => {
    const image = await loadImage(join(folder, `${object}_${view}_${kind}.png`));
    return kind === "mask" ? toGrey(image) : toRgb(image);
  };
  const [image, mask] = [await picture("front", "rgb"), await picture("front", "mask")];
  const camera = (recorded: RecordedCamera): Camera => ({
    width: image.width,
    height: image.height,
    fx: recorded.K[0]![0]!,
    fy: recorded.K[1]![1]!,
    cx: recorded.K[0]![2]!,
    cy: recorded.K[1]![2]!,
    view: recorded.view.flat(),
  });
  const front = camera(cameras.get("front")!);
  const distance = Math.hypot(...[3, 7, 11].map((i) => front.view[i]!));
  const depth =
    source === "depth" && ({ ...(await readDepthPng(join(folder, `${object}_front_depth.png`), depthUnit)), kind: "depth", metric: true } as const);
  const lifted = lift(image, mask, { camera: front, distance, ...(depth && { depth }) });
  const views: LiftViewScore[] = [];
  for (const [view, recorded] of cameras) {
    const seen = renderView(lifted, camera(recorded), { background: [255, 255, 255] });
    const score = scoreView(seen.image, seen.mask, await picture(view, "rgb"), await picture(view, "mask"));
    views.push({ view, azimuth: recorded.azimuth, elevation: recorded.elevation, ...score });
  }
  const novel = views.filter(({ view }) => view !== "front");
  const mean = (key: keyof ViewScore): number => novel.reduce((sum, score) => sum + score[key], 0) / novel.length;
  return {
    object,
    source,
    views,
    mean: { psnr: mean("psnr"), psnr_object: mean("psnr_object"), ssim_object: mean("ssim_object"), mask_iou: mean("mask_iou") },
  };
}
