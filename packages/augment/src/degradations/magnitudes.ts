import type { DegradationName } from "./catalogue.js";

/** 1 (hardly seen) to 5 (hard to recognise). */
export type Strength = 1 | 2 | 3 | 4 | 5;

export const strengths: readonly Strength[] = [1, 2, 3, 4, 5];

/** The one number that strength sets in each degradation (see sampling.ts for what it is); found by `refadgen-augment levels --calibrate`. */
export const magnitudes: Readonly<Record<DegradationName, readonly [number, number, number, number, number]>> = {
  "gaussian-noise": [0.02, 0.04, 0.06, 0.09, 0.14],
  "poisson-noise": [400, 150, 60, 30, 12],
  "iso-noise": [0.001, 0.003, 0.008, 0.02, 0.05],
  "speckle-noise": [0.02, 0.05, 0.1, 0.15, 0.25],
  "impulse-noise": [0.001, 0.003, 0.006, 0.012, 0.03],
  "gaussian-blur": [0.003, 0.005, 0.008, 0.012, 0.02],
  "motion-blur": [0.01, 0.02, 0.03, 0.05, 0.08],
  "defocus-blur": [0.004, 0.007, 0.01, 0.015, 0.025],
  "anisotropic-blur": [0.004, 0.007, 0.01, 0.015, 0.025],
  jpeg: [60, 35, 20, 10, 5],
  webp: [60, 35, 20, 8, 1],
  rescale: [0.6, 0.45, 0.33, 0.25, 0.15],
  exposure: [0.3, 0.6, 1, 1.5, 2.2],
  gamma: [0.2, 0.4, 0.7, 1, 1.5],
  brightness: [0.05, 0.1, 0.2, 0.3, 0.4],
  contrast: [0.15, 0.3, 0.45, 0.6, 0.75],
  saturation: [0.2, 0.4, 0.6, 0.8, 1],
  "white-balance": [0.2, 0.4, 0.6, 0.8, 1],
  "colour-profile": [0.3, 0.5, 0.7, 0.85, 1],
  vignette: [0.2, 0.4, 0.6, 0.8, 0.95],
  "cast-shadow": [0.2, 0.35, 0.5, 0.65, 0.8],
  "contact-shadow": [0.2, 0.35, 0.5, 0.65, 0.8],
  highlight: [0.3, 0.5, 0.8, 1.2, 2],
  glare: [0.15, 0.3, 0.5, 0.7, 1],
  perspective: [0.01, 0.02, 0.04, 0.06, 0.1],
  affine: [0.1, 0.2, 0.3, 0.5, 1],
  "thin-plate": [0.004, 0.008, 0.015, 0.025, 0.04],
  elastic: [0.003, 0.006, 0.01, 0.015, 0.025],
  lens: [0.02, 0.04, 0.08, 0.12, 0.2],
  "hand-occlusion": [0.05, 0.1, 0.15, 0.2, 0.3],
  "tag-occlusion": [0.1, 0.2, 0.3, 0.45, 0.6],
  "matte-error": [0.005, 0.01, 0.02, 0.03, 0.05],
};
