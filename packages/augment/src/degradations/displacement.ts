import { ArgumentError } from "@refadgen/errors";
import type { Size } from "@refadgen/image";
import { gaussianTaps } from "./blur.js";
import { reflect101 } from "./border.js";
import { checkKernelSize } from "./convolution.js";
import { normalField } from "./noise-field.js";
import { checkInteger, checkNumber, checkPicture, type Picture } from "./picture.js";
import { type Border, type Point, type Warp, warpPicture } from "./warp.js";

/** The warp of a displacement `[H, W, 2]` per pixel, px: the source of p is p + displacement. Between pixels it is bilinear. */
export function displacementWarp(displacement: Float32Array, size: Size): Warp {
  const { width, height } = size;
  if (displacement.length !== width * height * 2)
    throw new ArgumentError(`displacementWarp: expected ${width * height * 2} values for ${width} × ${height}, got ${displacement.length}`);
  return {
    size,
    sourceOf: (x, y) => {
      const x0 = Math.min(Math.max(Math.floor(x), 0), Math.max(width - 2, 0));
      const y0 = Math.min(Math.max(Math.floor(y), 0), Math.max(height - 2, 0));
      const [fx, fy] = [width > 1 ? x - x0 : 0, height > 1 ? y - y0 : 0];
      const at = (dx: number, dy: number, c: number) => displacement[(Math.min(y0 + dy, height - 1) * width + Math.min(x0 + dx, width - 1)) * 2 + c]!;
      const mixed = [0, 1].map((c) => (at(0, 0, c) * (1 - fx) + at(1, 0, c) * fx) * (1 - fy) + (at(0, 1, c) * (1 - fx) + at(1, 1, c) * fx) * fy);
      return [x + mixed[0]!, y + mixed[1]!];
    },
    sourcesOfRow: (y, xs, ys) => {
      for (let x = 0, i = y * width * 2; x < width; x++, i += 2) {
        xs[x] = x + displacement[i]!;
        ys[x] = y + displacement[i + 1]!;
      }
    },
  };
}

/** alpha times uniform noise `[H, W, 2]` (-1 to 1) smoothed by a Gaussian: the displacement of Simard et al. (ICDAR 2003), in float64. */
export function smoothedDisplacement(
  noise: Float32Array,
  { width, height }: Size,
  { alpha, sigma, kernelSize }: { readonly alpha: number; readonly sigma: number; readonly kernelSize: number },
): Float32Array {
  checkKernelSize("smoothedDisplacement", "kernelSize", kernelSize);
  if (noise.length !== width * height * 2)
    throw new ArgumentError(`smoothedDisplacement: expected ${width * height * 2} values for ${width} × ${height}, got ${noise.length}`);
  const taps = gaussianTaps(kernelSize, sigma);
  const reach = (kernelSize - 1) / 2;
  const between = new Float64Array(noise.length);
  const out = new Float32Array(noise.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < kernelSize; k++) {
        const from = (y * width + reflect101(x + k - reach, width)) * 2;
        between[(y * width + x) * 2]! += noise[from]! * taps[k]!;
        between[(y * width + x) * 2 + 1]! += noise[from + 1]! * taps[k]!;
      }
    }
  }
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < width * 2; i++) {
      let sum = 0;
      for (let k = 0; k < kernelSize; k++) sum += between[reflect101(y + k - reach, height) * width * 2 + i]! * taps[k]!;
      out[y * width * 2 + i] = alpha * sum;
    }
  }
  return out;
}

export interface ElasticParams {
  /** Standard deviation of the displacement, in shares of the shorter side, 0 to 0.2. */
  readonly amount: number;
  /** Size of its bumps, in shares of the shorter side, 0.01 to 1. */
  readonly scale: number;
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Default `"reflect"`. */
  readonly border?: Border;
}

/** Fabric, crumpled foil: smooth random displacement. */
export function elastic<P extends Picture>(picture: P, params: ElasticParams): P {
  checkPicture("elastic", picture);
  return warpPicture(picture, elasticWarp(picture, params), { border: params.border ?? "reflect" });
}

/** The warp of `elastic`, for masks and companions: normal noise on a lattice of one point per `scale`, in between a cubic B-spline. */
export function elasticWarp(size: Size, { amount, scale, seed }: ElasticParams): Warp {
  checkNumber("elastic", "amount", amount, 0, 0.2);
  checkNumber("elastic", "scale", scale, 0.01, 1);
  checkInteger("elastic", "seed", seed, 0, 0xffff_ffff);
  const { width, height } = size;
  const shorter = Math.min(width, height);
  const spacing = Math.max(scale * shorter, 1);
  const columns = Math.ceil(width / spacing) + 4;
  const rows = Math.ceil(height / spacing) + 4;
  const lattice = normalField(columns * rows * 2, seed);
  // A B-spline of independent normals has a third of their variance per axis, on average (151/315 of it).
  const gain = (amount * shorter) / (151 / 315);
  const displacement = new Float32Array(width * height * 2);
  const weightsX = Array.from({ length: width }, (_, x) => splineWeights(x / spacing));
  for (let y = 0, to = 0; y < height; y++) {
    const { first: row, weights: down } = splineWeights(y / spacing);
    // The four rows of the lattice in one first.
    const line = new Float64Array(columns * 2);
    for (let k = 0; k < 4; k++) for (let i = 0; i < line.length; i++) line[i]! += down[k]! * lattice[(row + k) * columns * 2 + i]!;
    for (let x = 0; x < width; x++) {
      const { first, weights } = weightsX[x]!;
      for (let c = 0; c < 2; c++, to++) {
        const i = first * 2 + c;
        displacement[to] = gain * (weights[0] * line[i]! + weights[1] * line[i + 2]! + weights[2] * line[i + 4]! + weights[3] * line[i + 6]!);
      }
    }
  }
  return displacementWarp(displacement, size);
}

function splineWeights(place: number): { readonly first: number; readonly weights: readonly [number, number, number, number] } {
  const first = Math.floor(place);
  const t = place - first;
  return { first, weights: [(1 - t) ** 3 / 6, (3 * t ** 3 - 6 * t * t + 4) / 6, (-3 * t ** 3 + 3 * t * t + 3 * t + 1) / 6, t ** 3 / 6] };
}

export interface LensParams {
  /** Radial distortion, r = 1 in the corners: r² term, -0.5 to 0.5; positive pulls the corners in (barrel). */
  readonly k1: number;
  /** r⁴ term, -0.5 to 0.5. Default 0. */
  readonly k2?: number;
  /** Default `"replicate"`. */
  readonly border?: Border;
}

/** Barrel or pincushion distortion of a phone's lens. */
export function lens<P extends Picture>(picture: P, params: LensParams): P {
  checkPicture("lens", picture);
  return warpPicture(picture, lensWarp(picture, params), { border: params.border ?? "replicate" });
}

/** The warp of `lens`: p' = c + (p - c)(1 + k1 r² + k2 r⁴). */
export function lensWarp(size: Size, { k1, k2 = 0 }: LensParams): Warp {
  checkNumber("lens", "k1", k1, -0.5, 0.5);
  checkNumber("lens", "k2", k2, -0.5, 0.5);
  const { width, height } = size;
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const unit = 4 / (width * width + height * height);
  const sourceOf = (x: number, y: number): Point => {
    const squared = ((x - cx) ** 2 + (y - cy) ** 2) * unit;
    const factor = 1 + k1 * squared + k2 * squared * squared;
    return [cx + (x - cx) * factor, cy + (y - cy) * factor];
  };
  return {
    size,
    sourceOf,
    formula: { kind: "radial", centre: [cx, cy], unit, k1, k2 },
    sourcesOfRow: (y, xs, ys) => {
      const dy = y - cy;
      for (let x = 0; x < width; x++) {
        const squared = ((x - cx) * (x - cx) + dy * dy) * unit;
        const factor = 1 + k1 * squared + k2 * squared * squared;
        xs[x] = cx + (x - cx) * factor;
        ys[x] = cy + dy * factor;
      }
    },
  };
}
