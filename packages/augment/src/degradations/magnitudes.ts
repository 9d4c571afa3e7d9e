import type { DegradationName } from "./catalogue.js";

/** 1 (hardly seen) to 5 (hard to recognise). */
export type Strength = 1 | 2 | 3 | 4 | 5;

export const strengths: readonly Strength[] = [1, 2, 3, 4, 5];

/**
 * The one number that strength sets in each degradation (see sampling.ts for what it is).
 * Chosen so that SSIM on the scenes of the conformance kit falls by level, to about 0.8 at 3 where the degradation can do that at all:
 * `refadgen-augment levels` measures it.
 */
export const magnitudes: Readonly<Record<DegradationName, readonly [number, number, number, number, number]>> = {
  "gaussian-noise": [0.0129, 0.0202, 0.0271, 0.0354, 0.0469],
  "poisson-noise": [4200, 1950, 1120, 640, 365],
  "iso-noise": [0.00076, 0.0018, 0.0031, 0.0052, 0.0089],
  "speckle-noise": [0.0155, 0.0242, 0.0314, 0.042, 0.0565],
  "impulse-noise": [0.0022, 0.0049, 0.0081, 0.0123, 0.0188],
  "gaussian-blur": [0.0067, 0.0137, 0.0288, 0.055, 0.09],
  "motion-blur": [0.028, 0.059, 0.123, 0.22, 0.35],
  "defocus-blur": [0.011, 0.0225, 0.0441, 0.075, 0.11],
  "anisotropic-blur": [0.0095, 0.02, 0.042, 0.08, 0.13],
  jpeg: [35, 12, 5, 3, 1],
  webp: [50, 18, 6, 3, 1],
  rescale: [0.295, 0.149, 0.073, 0.04, 0.025],
  exposure: [1.13, 1.76, 2.2, 2.9, 3.7],
  gamma: [0.555, 0.946, 1.4, 1.9, 2.5],
  brightness: [0.155, 0.243, 0.316, 0.417, 0.542],
  contrast: [0.424, 0.638, 0.807, 0.9, 0.97],
  saturation: [0.3, 0.5, 0.7, 0.85, 1],
  "white-balance": [0.5, 0.8, 1.1, 1.3, 1.5],
  "colour-profile": [0.3, 0.5, 0.7, 0.85, 1],
  vignette: [0.3, 0.5, 0.7, 0.85, 1],
  "cast-shadow": [0.41, 0.67, 0.85, 0.92, 0.97],
  "contact-shadow": [0.4, 0.6, 0.75, 0.85, 0.95],
  highlight: [0.45, 0.8, 1.2, 1.7, 2.3],
  glare: [0.28, 0.62, 1.03, 1.15, 1.25],
  perspective: [0.0047, 0.0104, 0.021, 0.04, 0.086],
  affine: [0.07, 0.163, 0.373, 0.8, 2],
  "thin-plate": [0.0052, 0.0121, 0.0259, 0.05, 0.09],
  elastic: [0.0042, 0.0099, 0.0214, 0.045, 0.08],
  lens: [0.09, 0.2, 0.34, 0.42, 0.48],
  "hand-occlusion": [0.05, 0.08, 0.12, 0.17, 0.23],
  "tag-occlusion": [0.29, 0.49, 0.64, 0.84, 1.12],
  "matte-error": [0.0096, 0.022, 0.04, 0.06, 0.085],
};
