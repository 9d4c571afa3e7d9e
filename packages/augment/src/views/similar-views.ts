import { setImmediate } from "node:timers/promises";
import { ArgumentError } from "@refadgen/errors";
import { type Image, resizeImage } from "@refadgen/image";
import type { DepthMap, DepthModel } from "../lift/depth.js";
import { LiftError } from "../lift/error.js";
import { type Lift, lift } from "../lift/lift.js";
import type { ShapePrior } from "../lift/shape.js";
import { parameterGenerator } from "../random/generator.js";
import type { Camera } from "../render/camera.js";
import { checkedRanges, poseCamera } from "./pose.js";
import { viewGeometry, viewQuality } from "./quality.js";
import { renderView } from "./render-view.js";

/** Where the camera of a view stands, relative to that of the photo. */
export interface ViewPose {
  /** Degrees about the vertical; positive moves the camera to its right. */
  readonly azimuth: number;
  /** Degrees; positive moves the camera up. */
  readonly elevation: number;
  /** Degrees; positive turns the picture's content anticlockwise. */
  readonly roll: number;
  /** Factor on the distance to the product. */
  readonly distance: number;
  /** Factor on the focal length. */
  readonly focal: number;
}

/** How far views may lie from the photo: each number is sampled from -range to +range (distance and focal: 1 - range to 1 + range). */
export interface ViewRanges {
  /** Degrees, 0 to 45; default 15. */
  readonly azimuth: number;
  /** Degrees, 0 to 30; default 8. */
  readonly elevation: number;
  /** Degrees, 0 to 45; default 2. */
  readonly roll: number;
  /** 0 to 0.5; default 0.05. */
  readonly distance: number;
  /** 0 to 0.5; default 0.05. */
  readonly focal: number;
}

/** How well the splats stand for the product in a view. */
export interface ViewQuality {
  /** 0 to 1: how much of the view's outline is covered by surface that the photo shows; the rest is continued. */
  readonly coverage: number;
  /** 0 to 1: 99th percentile over the inside of the mask of what shines through. */
  readonly leak: number;
  /** At least 1: 95th percentile over the mask of how many view pixels one photo pixel is spread over. */
  readonly stretch: number;
  /** 0 to 1, the three in one number. */
  readonly score: number;
}

/** A view of a product from nearby. */
export interface SimilarView {
  /** RGB, size of the photo up to four million pixels (RGBA with `background: "transparent"`). */
  readonly image: Image;
  /** One channel, 0 to 255: how much of each pixel the product covers in this view. */
  readonly mask: Image;
  readonly camera: Camera;
  readonly pose: ViewPose;
  readonly quality: ViewQuality;
}

export interface SimilarViewsOptions {
  /** Number of views, 1 to 1000; default 5. */
  readonly count?: number;
  /** With the same seed, photo and options come the same views; view i is the same for every `count`. */
  readonly seed: number | string;
  /** Depth of the photo, if known. */
  readonly depth?: DepthMap;
  /** Estimates the depth if `depth` is not given. */
  readonly depthModel?: DepthModel;
  /** Default `"auto"`; not looked at where depth is given. */
  readonly shape?: ShapePrior;
  /** Defaults as `ViewRanges` says; narrowed to what the lift supports. */
  readonly ranges?: Partial<ViewRanges>;
  /** Views that score less are drawn again, nearer to the photo each time; 0 to 1, default 0.6. */
  readonly minimumQuality?: number;
  /**
   * What lies behind the product: `"source"` (default) the photo with the product painted out, `"transparent"`, or a colour 0 to 255.
   */
  readonly background?: "source" | "transparent" | readonly [number, number, number];
  /** Degrees across the longer side of the photo, 5 to 120; default 35. */
  readonly fieldOfView?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Views of a product from nearby, from one photo: the photo is lifted to Gaussian splats, which are seen by other cameras.
 *
 * A photo of more than four million pixels is scaled down to that, and so are its views: their size says so.
 *
 * @param image the photo, 1 to 4 channels; an alpha channel narrows the mask.
 * @param mask the product's outline: same size, the first channel counts, 0 outside, 255 inside.
 * @returns `count` views in order, fewer only if `signal` aborts, which throws its reason.
 * @throws ArgumentError for pictures or options outside what is said here; LiftError `empty-mask`, `no-depth`, or `no-view` if none is good enough.
 */
export async function similarViews(image: Image, mask: Image, options: SimilarViewsOptions): Promise<SimilarView[]> {
  const { count = 5, seed, shape, ranges = {}, minimumQuality = 0.6, background = "source", fieldOfView, signal, onProgress } = options;
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new ArgumentError(`similarViews: expected a count of 1 to 1000, got ${String(count)}`);
  if (!(minimumQuality >= 0 && minimumQuality <= 1)) {
    throw new ArgumentError(`similarViews: expected a minimumQuality of 0 to 1, got ${String(minimumQuality)}`);
  }
  checkBackground(background);
  parameterGenerator({ seed });
  checkedRanges(ranges, { source: "depth", certain: true });
  signal?.throwIfAborted();
  const photo = withinLimit(image);
  const depth = options.depth ?? (await options.depthModel?.(photo, { ...(signal && { signal }) }));
  signal?.throwIfAborted();
  const lifted = lift(photo, withinLimit(mask), {
    ...(depth && { depth }),
    ...(shape && { shape }),
    ...(fieldOfView !== undefined && { fieldOfView }),
  });
  const allowed = checkedRanges(ranges, lifted);
  const framed = viewGeometry(lifted, lifted.camera).framed;
  const views: SimilarView[] = [];
  for (let variant = 0; variant < count; variant++) {
    // Drawing takes a while; the event loop gets its turn.
    await setImmediate();
    signal?.throwIfAborted();
    views.push(oneView(lifted, allowed, { seed, variant, minimumQuality, background, framed }));
    onProgress?.({ done: variant + 1, total: count });
  }
  return views;
}

/** Times that a view is drawn again before it is given up. */
const mostAttempts = 16;
/** How much nearer to the photo each attempt is. */
const narrowing = 0.85;
/** Part of the product that may leave the frame in a view and does not in the photo. */
const mayLeave = 0.002;

function oneView(
  lifted: Lift,
  ranges: ViewRanges,
  {
    seed,
    variant,
    minimumQuality,
    background,
    framed,
  }: {
    readonly seed: number | string;
    readonly variant: number;
    readonly minimumQuality: number;
    readonly background: NonNullable<SimilarViewsOptions["background"]>;
    readonly framed: number;
  },
): SimilarView {
  const generator = parameterGenerator({ seed, variant, transform: "similar-view" });
  let best = 0;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const reach = narrowing ** attempt;
    const within = (range: number): number => reach * generator.between(-range, range);
    const pose: ViewPose = {
      azimuth: within(ranges.azimuth),
      elevation: within(ranges.elevation),
      roll: within(ranges.roll),
      distance: 1 + within(ranges.distance),
      focal: 1 + within(ranges.focal),
    };
    const camera = poseCamera(lifted, pose);
    const geometry = viewGeometry(lifted, camera);
    if (geometry.framed < framed - mayLeave) continue;
    const hoped = viewQuality(geometry, 0).score;
    best = Math.max(best, hoped);
    if (hoped < minimumQuality) continue;
    const { image, mask, leak } = renderView(lifted, camera, { background });
    const quality = viewQuality(geometry, leak);
    if (quality.score >= minimumQuality) return { image, mask, camera, pose, quality };
  }
  throw new LiftError(
    "no-view",
    `similarViews: expected a view with a quality of at least ${minimumQuality}, got none in ${mostAttempts} attempts; the best would have had ${best.toFixed(2)}`,
  );
}

/** Photos with more pixels are scaled down first. */
const mostPixels = 1 << 22;

function withinLimit(image: Image): Image {
  const { width, height } = image;
  if (!(width * height > mostPixels)) return image;
  const factor = Math.sqrt(mostPixels / (width * height));
  return resizeImage(image, { width: Math.max(1, Math.floor(width * factor)), height: Math.max(1, Math.floor(height * factor)) }, { filter: "box" });
}

function checkBackground(background: NonNullable<SimilarViewsOptions["background"]>): void {
  if (background === "source" || background === "transparent") return;
  if (Array.isArray(background) && background.length === 3 && background.every((value) => value >= 0 && value <= 255)) return;
  throw new ArgumentError(`similarViews: expected the background source, transparent or three numbers of 0 to 255, got ${String(background)}`);
}
