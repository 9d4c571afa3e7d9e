import type { Image } from "@refadgen/image";
import type { DepthMap, DepthModel } from "../lift/depth.js";
import type { ShapePrior } from "../lift/shape.js";
import type { Camera } from "../render/camera.js";

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
  /** RGB, size of the photo (RGBA with `background: "transparent"`). */
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
 * @param image the photo, 1 to 4 channels; an alpha channel is not looked at.
 * @param mask the product's outline: same size, the first channel counts, 0 outside, 255 inside.
 * @returns `count` views in order, fewer only if `signal` aborts, which throws its reason.
 * @throws ArgumentError for pictures or options outside what is said here; LiftError for a mask that holds no product.
 */
export async function similarViews(_image: Image, _mask: Image, _options: SimilarViewsOptions): Promise<SimilarView[]> {
  throw new Error("not built yet");
}
