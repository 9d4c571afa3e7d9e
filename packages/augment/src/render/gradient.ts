import type { SplatScene } from "../splats/scene.js";
import type { Camera } from "./camera.js";
import type { RenderOptions } from "./options.js";

/** Derivatives of a loss by the pixels of a picture; what is left out is zero. */
export interface ImageGradient {
  /** [H, W, 3] by `rgb`. */
  readonly rgb?: ArrayLike<number>;
  /** [H, W] by `alpha`. */
  readonly alpha?: ArrayLike<number>;
  /** [H, W] by the accumulated depth Σ w·z, which is not divided by alpha. */
  readonly depth?: ArrayLike<number>;
}

/** Derivatives of the loss by what a scene holds, laid out as in `SplatScene`. */
export interface SceneGradient {
  readonly means: Float64Array;
  readonly scales: Float64Array;
  /** By the numbers stored, through the normalisation. */
  readonly quaternions: Float64Array;
  readonly opacities: Float64Array;
  readonly sh: Float64Array;
}

/**
 * Derivatives of a loss by the splats, from its derivatives by the picture that `render(scene, camera, options)` gives. float64 throughout.
 *
 * @throws ArgumentError as `render` does, and if `image` has the wrong size.
 */
export function renderGradient(_scene: SplatScene, _camera: Camera, _image: ImageGradient, _options: RenderOptions = {}): SceneGradient {
  throw new Error("not built yet");
}
