import { ArgumentError } from "@refadgen/errors";
import type { Image } from "@refadgen/image";
import type { Camera } from "../render/camera.js";
import { renderGradient } from "../render/gradient.js";
import { render } from "../render/render.js";
import type { SplatScene } from "../splats/scene.js";

export interface RefineOptions {
  /** Steps of Adam, 1 to 1000; default 20. */
  readonly steps?: number;
  /** Adam's step for colours, in units of the spherical harmonics; default 0.02. Opacities move a quarter and sizes (their logarithms) a fifth of it. */
  readonly learningRate?: number;
  /** Variance of the low-pass, px²; default that of views, 0.1. */
  readonly lowPass?: number;
  /** Called after each step. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly loss: number }) => void;
  readonly signal?: AbortSignal;
}

export interface Refinement {
  readonly scene: SplatScene;
  /** Mean squared error over the product, colour and coverage, at the start and in the scene given back. */
  readonly before: number;
  readonly after: number;
}

/**
 * Moves colours, opacities and sizes of splats so that the photo comes out more closely from where it was taken, by the analytic gradients of the
 * renderer. Places and rotations stay: one photo says nothing of depth. The best scene on the way is given back, which is never worse than the first.
 *
 * @param image the photo, 3 or 4 channels, size of the camera.
 * @param mask size of the photo; first channel, 0 to 255.
 * @throws ArgumentError for sizes or options that do not fit.
 */
export function refine(scene: SplatScene, image: Image, mask: Image, camera: Camera, options: RefineOptions = {}): Refinement {
  const { steps = 20, learningRate = 0.02, lowPass = 0.1, onProgress, signal } = options;
  const { width, height } = camera;
  for (const [name, picture] of Object.entries({ image, mask })) {
    if (picture.width !== width || picture.height !== height || picture.data.length !== width * height * picture.channels) {
      throw new ArgumentError(`refine: expected the ${name} to have the camera's ${width} × ${height}, got ${picture.width} × ${picture.height}`);
    }
  }
  if (image.channels < 3) throw new ArgumentError(`refine: expected an image of 3 or 4 channels, got ${image.channels}`);
  if (!Number.isInteger(steps) || steps < 1 || steps > 1000) throw new ArgumentError(`refine: expected 1 to 1000 steps, got ${String(steps)}`);
  if (!(learningRate > 0 && learningRate <= 1))
    throw new ArgumentError(`refine: expected a learningRate of more than 0, up to 1, got ${String(learningRate)}`);
  const target = targetOf(image, mask);
  let current: SplatScene = { ...scene, sh: scene.sh.slice(), opacities: scene.opacities.slice(), scales: scene.scales.slice() };
  let best = scene;
  let [before, after] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const colourStep = adam(scene.sh.length, learningRate);
  const opacityStep = adam(scene.opacities.length, learningRate / 4);
  const scaleStep = adam(scene.scales.length, learningRate / 5);
  for (let step = 0; step <= steps; step++) {
    signal?.throwIfAborted();
    const view = render(current, camera, { lowPass });
    const { loss, rgb, alpha } = lossOf(view.rgb, view.alpha, target);
    if (step === 0) before = loss;
    if (loss < after) {
      after = loss;
      best = { ...current, sh: current.sh.slice(), opacities: current.opacities.slice(), scales: current.scales.slice() };
    }
    if (step === steps) break;
    const gradient = renderGradient(current, camera, { rgb, alpha }, { lowPass });
    const [sh, opacities, scales] = [current.sh.slice(), current.opacities.slice(), current.scales.slice()];
    colourStep(gradient.sh, (i, move) => {
      sh[i]! -= move;
    });
    opacityStep(gradient.opacities, (i, move) => {
      opacities[i] = Math.min(Math.max(opacities[i]! - move, 0.05), 1);
    });
    // By the logarithm: d/d ln s = s · d/ds.
    const logarithmic = gradient.scales.map((value, i) => value * scales[i]!);
    scaleStep(logarithmic, (i, move) => {
      const start = scene.scales[i]!;
      scales[i] = Math.min(Math.max(scales[i]! * Math.exp(-move), 0.6 * start), 1.6 * start);
    });
    current = { ...current, sh, opacities, scales };
    onProgress?.({ done: step + 1, total: steps, loss });
  }
  return { scene: best, before, after };
}

/** Photo premultiplied by the mask, and the mask, 0 to 1; how many pixels the product touches. */
function targetOf(image: Image, mask: Image): { readonly rgb: Float32Array; readonly alpha: Float32Array; readonly pixels: number } {
  const alpha = new Float32Array(image.width * image.height);
  const rgb = new Float32Array(alpha.length * 3);
  let pixels = 0;
  for (let i = 0; i < alpha.length; i++) {
    const covered = mask.data[i * mask.channels]! / 255;
    alpha[i] = covered;
    if (covered > 0) pixels++;
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = (covered * image.data[i * image.channels + c]!) / 255;
  }
  return { rgb, alpha, pixels: Math.max(pixels, 1) };
}

function lossOf(
  rgb: Float32Array,
  alpha: Float32Array,
  target: { readonly rgb: Float32Array; readonly alpha: Float32Array; readonly pixels: number },
): { readonly loss: number; readonly rgb: Float64Array; readonly alpha: Float64Array } {
  const byRgb = new Float64Array(rgb.length);
  const byAlpha = new Float64Array(alpha.length);
  const scale = 1 / (4 * target.pixels);
  let loss = 0;
  for (let i = 0; i < rgb.length; i++) {
    const error = rgb[i]! - target.rgb[i]!;
    loss += error * error * scale;
    byRgb[i] = 2 * error * scale;
  }
  for (let i = 0; i < alpha.length; i++) {
    const error = alpha[i]! - target.alpha[i]!;
    loss += error * error * scale;
    byAlpha[i] = 2 * error * scale;
  }
  return { loss, rgb: byRgb, alpha: byAlpha };
}

/** Adam (Kingma and Ba, 2015) with its usual constants. */
function adam(length: number, learningRate: number): (gradient: Float64Array, apply: (index: number, move: number) => void) => void {
  const [first, second] = [new Float64Array(length), new Float64Array(length)];
  let step = 0;
  return (gradient, apply) => {
    step++;
    const [a, b] = [1 - 0.9 ** step, 1 - 0.999 ** step];
    for (let i = 0; i < length; i++) {
      const slope = gradient[i]!;
      first[i] = 0.9 * first[i]! + 0.1 * slope;
      second[i] = 0.999 * second[i]! + 0.001 * slope * slope;
      apply(i, (learningRate * (first[i]! / a)) / (Math.sqrt(second[i]! / b) + 1e-12));
    }
  };
}
