import { ArgumentError } from "@refadgen/errors";

/**
 * - `classic`: the low-pass widens a splat and leaves its opacity;
 * - `antialiased`: it also lowers the opacity, by √(det before / det after), so that a small splat does not grow heavier.
 */
export type SplatMode = "classic" | "antialiased";

/** The settings of a picture that change its numbers. Defaults are those of gsplat 1.5.3. */
export interface RenderOptions {
  /** Default `"classic"`. */
  readonly mode?: SplatMode;
  /** Variance added to both diagonal terms of the projected covariance, px²; default 0.3; 0 for none. */
  readonly lowPass?: number;
  /** Colour behind the splats, 0 to 1; default black, with which `rgb` is colour premultiplied by alpha. */
  readonly background?: readonly [number, number, number];
  /** Most that one splat covers, 0.5 to 0.9999; default 0.999 (gsplat 1.6.0: 0.99). */
  readonly alphaCap?: number;
  /** Least factor on the opacity in antialiased mode, 0 to 1; default 0 (gsplat 1.6.0: 0.005). */
  readonly compensationFloor?: number;
  /** Also give the depth; default false. */
  readonly depth?: boolean;
  /** Also give normals; default false. */
  readonly normals?: boolean;
}

/** A picture of splats. */
export interface RenderedView {
  readonly width: number;
  readonly height: number;
  /** [H, W, 3] Σ w·colour + (1 - Σ w)·background; not clamped above. */
  readonly rgb: Float32Array;
  /** [H, W] Σ w. */
  readonly alpha: Float32Array;
  /** [H, W] expected depth Σ w·z / max(Σ w, 1e-10) in the scene's unit, 0 where nothing is; with `depth: true`. */
  readonly depth?: Float32Array;
  /** [H, W, 3] unit vectors in camera axes that point to the camera (z < 0), 0 where nothing is; with `normals: true`. A splat's normal is its shortest axis. */
  readonly normals?: Float32Array;
}

/** Options with every default filled in. */
export interface RenderSettings {
  readonly antialiased: boolean;
  readonly lowPass: number;
  readonly background: readonly [number, number, number];
  readonly alphaCap: number;
  readonly compensationFloor: number;
  readonly depth: boolean;
  readonly normals: boolean;
}

/** @throws ArgumentError for a value outside what `RenderOptions` allows. */
export function renderSettings(options: RenderOptions, where = "render"): RenderSettings {
  const {
    mode = "classic",
    lowPass = 0.3,
    background = [0, 0, 0],
    alphaCap = 0.999,
    compensationFloor = 0,
    depth = false,
    normals = false,
  } = options;
  if (mode !== "classic" && mode !== "antialiased")
    throw new ArgumentError(`${where}: expected the mode classic or antialiased, got ${String(mode)}`);
  if (!(lowPass >= 0 && lowPass <= 1e4)) throw new ArgumentError(`${where}: expected a lowPass of 0 to 10000, got ${lowPass}`);
  if (!(alphaCap >= 0.5 && alphaCap <= 0.9999)) throw new ArgumentError(`${where}: expected an alphaCap of 0.5 to 0.9999, got ${alphaCap}`);
  if (!(compensationFloor >= 0 && compensationFloor <= 1)) {
    throw new ArgumentError(`${where}: expected a compensationFloor of 0 to 1, got ${compensationFloor}`);
  }
  if (background.length !== 3 || !background.every(Number.isFinite)) {
    throw new ArgumentError(`${where}: expected a background of three finite numbers, got ${background.join(", ")}`);
  }
  return { antialiased: mode === "antialiased", lowPass, background, alphaCap, compensationFloor, depth, normals };
}

/** Splats fainter than this at a pixel are left out of it. */
export const alphaFloor: number = 1 / 255;
/** A pixel is finished, without the splat in hand, when less than this would shine through. */
export const transmittanceFloor = 1e-4;
/** Standard deviations to which a splat reaches: e^(-3.33² / 2) < 1/255. */
export const radiusInSigmas = 3.33;
