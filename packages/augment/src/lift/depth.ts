import type { Image } from "@refadgen/image";

/**
 * What the numbers of a depth map mean:
 * - `depth`: distances along the camera's axis, larger is farther, up to an unknown scale and shift unless `metric`;
 * - `inverse-depth`: larger is nearer, up to an unknown scale and shift (Depth Anything, MiDaS).
 */
export type DepthKind = "depth" | "inverse-depth";

/** A depth per pixel of a product photo. */
export interface DepthMap {
  /** Pixels; any size: it is resampled to the image's. */
  readonly width: number;
  readonly height: number;
  /** [H, W]; 0, NaN and infinities count as unknown for `depth`, NaN and infinities for `inverse-depth`. */
  readonly data: Float32Array;
  readonly kind: DepthKind;
  /** Whether a `depth` is in the unit of the scene, to be taken as it is: z along the camera's axis, not along the ray. Default false. */
  readonly metric?: boolean;
}

/** Whatever estimates depth from a photo: an ONNX session, a service, a sensor. */
export type DepthModel = (image: Image, options: { readonly signal?: AbortSignal }) => DepthMap | Promise<DepthMap>;
